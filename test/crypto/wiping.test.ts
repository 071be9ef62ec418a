import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'
import { makeEnctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { kernels } from '../../src/crypto/primitives/kernels.ts'
import type { Primitives } from '../../src/crypto/primitives/primitives.ts'

/** The kernels, noting every key that was handed to them, and what became of what they made of it. */
function watched() {
  const handed: Uint8Array[] = []
  const alive = new Set<object>()
  const watch = <Made extends Disposable>(key: Uint8Array, made: Made): Made => {
    handed.push(key)
    alive.add(made)
    const dispose = made[Symbol.dispose].bind(made)
    made[Symbol.dispose] = () => {
      alive.delete(made)
      dispose()
    }
    return made
  }
  const primitives: Primitives = {
    ...kernels,
    aes: (key) => watch(key, kernels.aes(key)),
    hmac: (hash, key) => watch(key, kernels.hmac(hash, key)),
  }
  return { handed, alive, primitives }
}

const { current, deprecated } = makeEnctypes(kernels)

describe('what is derived from a key is overwritten', () => {
  test.each([...current, ...deprecated].map(({ name, id }) => [name, id] as const))('%s', (_, id) => {
    const { handed, alive, primitives } = watched()
    const rows = makeEnctypes(primitives)
    const row = [...rows.current, ...rows.deprecated].find((candidate) => candidate.id === id)!
    const key = Key.fromSeed(row, new Uint8Array(row.seedSize).fill(7))
    const random = (size: number) => new Uint8Array(size)
    for (const usage of [1, 2, 1024]) {
      key.decrypt(usage, key.encrypt(usage, utf8('text'), random))
      key.checksum(usage, utf8('text'))
    }
    key.prf(utf8('input'))
    key[Symbol.dispose]()
    // What was handed over is either the key itself or was derived for the purpose.
    expect(handed.filter((octets) => octets.some((octet) => octet !== 0))).toEqual([])
    expect([...alive]).toEqual([])
  })

  test('and so is what a password was turned into', () => {
    const { handed, alive, primitives } = watched()
    for (const row of makeEnctypes(primitives).current)
      Key.fromPassword(row, 'password', utf8('salt'), Uint8Array.of(0, 0, 0x10, 0))[Symbol.dispose]()
    expect(handed.length).toBeGreaterThan(0)
    expect(handed.filter((octets) => octets.some((octet) => octet !== 0))).toEqual([])
    expect([...alive]).toEqual([])
  })
})

test('a random source that gives too few octets is refused', () => {
  using key = Key.fromSeed(current[0]!, new Uint8Array(32))
  expect(() => key.encrypt(1, utf8('text'), (size) => new Uint8Array(size - 1))).toThrow(TypeError)
})
