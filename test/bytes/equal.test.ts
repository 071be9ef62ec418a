import { describe, expect, test } from 'vitest'
import { equal } from '../../src/bytes/index.ts'

/** Octets that count how often each is read. */
function counting(octets: readonly number[]) {
  const reads = octets.map(() => 0)
  const array = new Proxy(Uint8Array.from(octets), {
    get(target, name) {
      if (name === 'length') return target.length
      reads[Number(name)]!++
      return target[Number(name)]
    },
  })
  return { array, reads }
}

describe('the comparison of secrets', () => {
  test('tells what is equal from what differs in any bit of any octet', () => {
    const octets = Uint8Array.from({ length: 33 }, (_, i) => i * 7)
    expect(equal(octets, octets.slice())).toBe(true)
    expect(equal(octets, octets.subarray(1))).toBe(false)
    expect(equal(new Uint8Array(0), new Uint8Array(0))).toBe(true)
    for (let bit = 0; bit < 8 * octets.length; bit++) {
      const changed = octets.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(equal(octets, changed)).toBe(false)
    }
  })
  test.each([
    ['nowhere', [1, 2, 3, 4]],
    ['in the first octet', [9, 2, 3, 4]],
    ['in the last octet', [1, 2, 3, 9]],
    ['everywhere', [9, 9, 9, 9]],
  ])('reads every octet once, wherever they differ: %s', (_, others) => {
    const [a, b] = [counting([1, 2, 3, 4]), counting(others)]
    equal(a.array, b.array)
    expect([a.reads, b.reads]).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ])
  })
})
