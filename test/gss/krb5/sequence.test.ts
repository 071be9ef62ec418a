import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SequenceWindow } from '../../../src/gss/krb5/sequence.ts'

const both = { detectReplay: true, detectDisorder: true }
const statusOf = (run: () => string | undefined) => run() ?? 'GSS_S_COMPLETE'

describe('what has been received (RFC 2743 §1.2.3)', () => {
  test('takes tokens in order', () => {
    const window = new SequenceWindow(5, both)
    expect([5, 6, 7].map((n) => statusOf(() => window.receive(n)))).toEqual(Array(3).fill('GSS_S_COMPLETE'))
  })

  test.each([
    ['the same again', [5, 5], 'GSS_S_DUPLICATE_TOKEN'],
    ['one before the first', [4], 'GSS_S_OLD_TOKEN'],
    ['one left out', [5, 7], 'GSS_S_GAP_TOKEN'],
    ['the one left out, later', [5, 7, 6], 'GSS_S_UNSEQ_TOKEN'],
    ['that one again', [5, 7, 6, 6], 'GSS_S_DUPLICATE_TOKEN'],
    ['one too far behind', [5, 6, 200, 6], 'GSS_S_OLD_TOKEN'],
    ['the last one in the window', [5, 6, 7, 70, 7], 'GSS_S_DUPLICATE_TOKEN'],
    ['one missing at the far end of the window', [5, 70, 7], 'GSS_S_UNSEQ_TOKEN'],
    ['a number past 2^32', [5, 2 ** 32 + 5, 2 ** 32 + 5], 'GSS_S_DUPLICATE_TOKEN'],
  ])('tells of %s', (_, numbers, status) => {
    const window = new SequenceWindow(5, both)
    expect(numbers.map((n) => statusOf(() => window.receive(n))).at(-1)).toBe(status)
  })

  test('lets disorder pass where only replays are detected, and everything where nothing is', () => {
    const replays = new SequenceWindow(0, { detectReplay: true, detectDisorder: false })
    expect([0, 2, 1, 1].map((n) => statusOf(() => replays.receive(n)))).toEqual([
      'GSS_S_COMPLETE',
      'GSS_S_COMPLETE',
      'GSS_S_COMPLETE',
      'GSS_S_DUPLICATE_TOKEN',
    ])
    const nothing = new SequenceWindow(0, { detectReplay: false, detectDisorder: false })
    expect([9, 9, 0].map((n) => statusOf(() => nothing.receive(n)))).toEqual(Array(3).fill('GSS_S_COMPLETE'))
  })

  test('never takes a number twice', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 300 }), (numbers) => {
        const window = new SequenceWindow(0, { detectReplay: true, detectDisorder: false })
        const taken = numbers.filter((n) => statusOf(() => window.receive(n)) === 'GSS_S_COMPLETE')
        expect(new Set(taken).size).toBe(taken.length)
      }),
    )
  })
})
