import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, equal, toHex, utf8 } from '../../src/bytes/index.ts'
import { prfPlus } from '../../src/crypto/derive.ts'
import { ciphertextSize, type Part } from '../../src/crypto/enctypes/profile.ts'
import {
  deprecatedEnctypes,
  enctypeById,
  enctypeByName,
  enctypeName,
  enctypeRefusal,
  enctypes,
} from '../../src/crypto/enctypes/table.ts'
import { IntegrityError } from '../../src/crypto/error.ts'
import { Key } from '../../src/crypto/key.ts'
import { suites } from './providers.ts'

const octets = (size: number, seed = 7) => Uint8Array.from({ length: size }, (_, i) => (i * seed + 11) & 0xff)
const random = (size: number) => octets(size, 13)
const seeded = (enctype: (typeof enctypes)[number]) => Key.fromSeed(enctype, octets(enctype.seedSize, 31))
const all = [...enctypes, ...deprecatedEnctypes]

/** What `act` throws; undefined when it does not. */
function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

describe.each(suites.flatMap(({ name, rows }) => rows.map((row) => ({ name: `${row.name} over ${name}`, row }))))(
  '$name',
  ({ row }) => {
    const padding = (size: number) => ciphertextSize(row, size) - row.overhead - size

    test('opens what it seals, and nothing shorter or longer (RFC 3961 §3)', () => {
      using key = seeded(row)
      for (let size = 0; size <= 80; size++) {
        const ciphertext = key.encrypt(7, octets(size), random)
        expect(ciphertext.length).toBe(ciphertextSize(row, size))
        expect(key.decrypt(7, ciphertext)).toEqual(concat(octets(size), new Uint8Array(padding(size))))
        expect(thrown(() => key.decrypt(8, ciphertext))).toBeInstanceOf(IntegrityError)
      }
      const ciphertext = key.encrypt(7, octets(61), random)
      for (let size = 0; size < ciphertext.length; size++)
        expect(thrown(() => key.decrypt(7, ciphertext.subarray(0, size)))).toBeInstanceOf(IntegrityError)
      expect(thrown(() => key.decrypt(7, concat(ciphertext, new Uint8Array(8))))).toBeInstanceOf(IntegrityError)
    })

    test('notices every flipped bit', () => {
      using key = seeded(row)
      for (const size of [0, 5, 16, 39]) {
        const ciphertext = key.encrypt(3, octets(size), random)
        for (let bit = 0; bit < 8 * ciphertext.length; bit++) {
          const changed = new Uint8Array(ciphertext)
          changed[bit >> 3]! ^= 1 << (bit & 7)
          // An expectation a bit would take longer than all of the decryption.
          if (!(thrown(() => key.decrypt(3, changed)) instanceof IntegrityError)) expect.fail(`bit ${bit} of ${size}`)
        }
      }
    })

    test('throws nothing but IntegrityError on random octets', () => {
      using key = seeded(row)
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 1100 }), (ciphertext, usage) => {
          expect(thrown(() => key.decrypt(usage, ciphertext))).toBeInstanceOf(IntegrityError)
        }),
        { numRuns: 50 },
      )
    })

    test('encrypts behind room for a header, several parts as one, whatever their sizes', () => {
      using key = seeded(row)
      for (const size of [0, 3, 40, 1000, 2032, 16_400, 32_751, 32_752, 32_768, 70_001]) {
        const text = octets(size)
        const whole = key.encrypt(22, text, random)
        expect(whole.length).toBe(ciphertextSize(row, size))
        const cut = size >> 1
        for (const room of [0, 5, 16, 20]) {
          const behind = key.encryptBehind(room, 22, [text.subarray(0, cut), text.subarray(cut)], random)
          expect(equal(behind.subarray(room), whole)).toBe(true)
          expect(toHex(behind.subarray(0, room))).toBe('00'.repeat(room))
        }
      }
    })

    test('signs what is only signed, in its place', () => {
      using key = seeded(row)
      const [head, body, tail] = [utf8('head'), utf8('body is longer than one block'), utf8('tail')]
      const parts: Part[] = [{ signOnly: head }, body.subarray(0, 9), { signOnly: tail }, body.subarray(9)]
      const target = key.encryptBehind(0, 23, parts, random)
      const signed = [
        { at: 0, signOnly: head },
        { at: 9, signOnly: tail },
      ]
      const opened = key.decrypt(23, target, signed)
      expect(opened.subarray(0, body.length)).toEqual(body)
      for (const wrong of [
        [],
        signed.slice(1),
        [signed[0]!, { at: 10, signOnly: tail }],
        [{ at: 0, signOnly: tail }, signed[1]!],
      ])
        expect(thrown(() => key.decrypt(23, target, wrong))).toBeInstanceOf(IntegrityError)
      // What is only signed leaves no trace but in the checksum (and what RC4's key stream takes from it).
      if (row.id === 23) return
      const without = key.encrypt(23, body, random)
      const sealed = without.length - row.checksumSize
      expect(target.subarray(0, sealed)).toEqual(without.subarray(0, sealed))
      expect(target.subarray(sealed)).not.toEqual(without.subarray(sealed))
    })

    test('checksums several arrays as one, and tells when one differs', () => {
      using key = seeded(row)
      const data = octets(200)
      const checksum = key.checksum(17, data)
      expect(checksum.length).toBe(row.checksumSize)
      expect(key.checksum(17, [data.subarray(0, 63), data.subarray(63, 64), data.subarray(64)])).toEqual(checksum)
      expect(key.verify(17, data, checksum)).toBe(true)
      expect(key.verify(18, data, checksum)).toBe(false)
      expect(key.verify(17, data.subarray(1), checksum)).toBe(false)
      expect(key.verify(17, data, checksum.subarray(1))).toBe(false)
      expect(key.verify(17, data, new Uint8Array(0))).toBe(false)
    })

    test('takes Buffers, whose slice does not copy, and leaves them as they were', () => {
      const seed = Buffer.from(octets(row.seedSize, 31))
      using key = Key.fromSeed(row, seed)
      using copy = new Key(row, Buffer.from(key.octets()))
      expect(seed).toEqual(Buffer.from(octets(row.seedSize, 31)))
      const text = Buffer.from(octets(50))
      const ciphertext = Buffer.from(copy.encrypt(5, text, (size) => Buffer.from(random(size))))
      const before = Buffer.from(ciphertext)
      expect(new Uint8Array(key.decrypt(5, ciphertext)).subarray(0, 50)).toEqual(octets(50))
      expect(ciphertext).toEqual(before)
      expect(text).toEqual(Buffer.from(octets(50)))
    })

    test('takes arrays of another realm, as test runners make them', () => {
      using key = seeded(row)
      const foreign = runInNewContext('Uint8Array.of(1, 2, 3)') as Uint8Array
      expect(foreign instanceof Uint8Array).toBe(false)
      const local = Uint8Array.of(1, 2, 3)
      expect(key.encrypt(1, foreign, random)).toEqual(key.encrypt(1, local, random))
      expect(key.checksum(1, foreign)).toEqual(key.checksum(1, [local]))
      const target = key.encryptBehind(0, 1, [foreign, { signOnly: foreign }], random)
      expect(key.decrypt(1, target, [{ at: 3, signOnly: local }]).subarray(0, 3)).toEqual(local)
    })

    test('is overwritten when disposed of, and of no use afterwards', () => {
      const key = seeded(row)
      const copy = new Key(row, key.octets())
      const ciphertext = key.encrypt(1, octets(40), random)
      const other = key.encrypt(2, octets(40), random)
      key[Symbol.dispose]()
      key[Symbol.dispose]()
      for (const use of [
        () => key.octets(),
        () => key.encrypt(1, octets(3), random),
        () => key.encrypt(9, octets(3), random),
        () => key.decrypt(1, ciphertext),
        () => key.decrypt(2, other),
        () => key.checksum(1, octets(3)),
        () => key.prf(octets(3)),
        () => key.equals(copy),
        () => copy.equals(key),
      ])
        expect(thrown(use)).toBeInstanceOf(TypeError)
      // Another key, which may get the memory of the one before, is not disturbed.
      expect(copy.decrypt(1, ciphertext).subarray(0, 40)).toEqual(octets(40))
      expect(copy.decrypt(2, other).subarray(0, 40)).toEqual(octets(40))
    })
  },
)

describe('a key keeps its octets to itself', () => {
  test.each(all)('$name', (row) => {
    const key = seeded(row)
    const secret = toHex(key.octets())
    const sealed = key.encrypt(1, octets(30), random)
    const said = [
      String(key),
      `${key}`,
      JSON.stringify({ key }),
      inspect({ key }, { depth: 9, showHidden: true }),
      inspect(Object.entries(key)),
      thrown(() => key.decrypt(2, sealed)),
      thrown(() => new Key(row, new Uint8Array(5))),
      thrown(() => Key.fromSeed(row, new Uint8Array(5))),
      thrown(() => Key.fromPassword(row, 'hunter2', utf8('salt'), Uint8Array.of(1, 2, 3))),
      thrown(() => {
        key[Symbol.dispose]()
        key.octets()
      }),
    ].map((value) => (value instanceof Error ? `${value.message}\n${value.stack}\n${inspect(value)}` : String(value)))
    for (const text of said) {
      // Neither as hexadecimal nor as a list of numbers, nor any four octets of it.
      for (let at = 0; at + 8 <= secret.length; at += 2) expect(text).not.toContain(secret.slice(at, at + 8))
      expect(text).not.toMatch(/\d+, ?\d+, ?\d+, ?\d+/)
      expect(text).not.toContain('hunter2')
    }
    expect(said[0]).toBe(`[Key ${row.name}]`)
    expect(said[3]).toBe(`{ key: [Key ${row.name}] }`)
  })
})

describe('enctypes', () => {
  test('come in order of preference, the deprecated ones apart', () => {
    expect(enctypes.map(({ id }) => id)).toEqual([18, 17, 20, 19])
    expect(deprecatedEnctypes.map(({ id }) => id)).toEqual([26, 25, 16, 23])
    expect(enctypes.every(({ standing }) => standing === 'current')).toBe(true)
    expect(deprecatedEnctypes.every(({ standing }) => standing === 'deprecated')).toBe(true)
  })
  test.each([
    ['aes256-cts', 18],
    ['AES256-SHA1', 18],
    ['aes128-cts-hmac-sha1-96', 17],
    ['aes128-sha2', 19],
    ['aes256-sha2', 20],
    ['camellia256-cts-cmac', 26],
    ['camellia128-cts', 25],
    ['arcfour-hmac', 23],
    ['RC4-HMAC', 23],
    ['arcfour-hmac-md5', 23],
    ['des3-cbc-sha1', 16],
    ['des3-hmac-sha1', 16],
    ['des3-cbc-sha1-kd', 16],
  ])('%s is number %i, as in krb5.conf', (name, id) => expect(enctypeByName(name)?.id).toBe(id))
  test('have names even when they are refused', () => {
    expect(enctypeName(18)).toBe('aes256-cts-hmac-sha1-96')
    expect(enctypeName(3)).toBe('des-cbc-md5 (3)')
    expect(enctypeName(24)).toBe('rc4-hmac-exp (24)')
    expect(enctypeName(99)).toBe('etype 99')
    expect(enctypeById(3)).toBeUndefined()
    expect(enctypeByName('des-cbc-crc')).toBeUndefined()
    expect(enctypeById(23, enctypes)).toBeUndefined()
    expect(enctypeByName('rc4-hmac', enctypes)).toBeUndefined()
  })
  test.each([
    ...[1, 2, 3, 4, 8].map((id) => [id, /single DES.*56 bits.*RFC 6649/] as const),
    [24, /40 bits.*RFC 6649/] as const,
    [-128, /MD4/] as const,
    ...[5, 6, 7].map((id) => [id, /sign/] as const),
    ...[16, 23, 25, 26].map((id) => [id, /deprecated.*names it/] as const),
    ...[17, 18, 19, 20].map((id) => [id, /list of enctypes/] as const),
    [99, /not spoken/] as const,
  ])('number %i, when refused, is refused with a reason', (id, why) => {
    expect(enctypeRefusal(id)).toMatch(why)
    if (enctypeById(id)) return
    // Neither its name nor its number leads to a row, whatever the list.
    expect(all.some((row) => row.id === id)).toBe(false)
    expect(enctypeByName(enctypeName(id).split(' ')[0]!)?.id).not.toBe(id)
  })
  test.each(all)('$name makes what its row says', (row) => {
    expect(Key.generate(row, random).octets().length).toBe(row.keySize)
    expect(seeded(row).encrypt(1, new Uint8Array(0), random).length).toBe(row.overhead)
    for (let size = 0; size <= 70; size++) {
      if (size !== row.seedSize) expect(() => Key.fromSeed(row, new Uint8Array(size))).toThrow(TypeError)
      if (size !== row.keySize) expect(() => new Key(row, new Uint8Array(size))).toThrow(TypeError)
    }
  })
})

describe('string-to-key parameters', () => {
  const rounds = (count: number) => Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count)
  test.each(all.filter(({ id }) => id !== 16 && id !== 23))('$name refuses too few, too many and misshapen', (row) => {
    for (const parameters of [rounds(0), rounds(1), rounds(4095), rounds(2 ** 20 + 1), rounds(2 ** 32 - 1)])
      expect(thrown(() => Key.fromPassword(row, 'x', utf8('y'), parameters))).toBeInstanceOf(RangeError)
    for (const size of [0, 3, 5]) {
      const misshapen = new Uint8Array(size)
      expect(thrown(() => Key.fromPassword(row, 'x', utf8('y'), misshapen))).toBeInstanceOf(RangeError)
    }
    const key = Key.fromPassword(row, 'x', utf8('y'), rounds(4096))
    expect(key.equals(Key.fromPassword(row, 'x', utf8('y')))).toBe(row.id === 17 || row.id === 18)
  })
  test('triple DES takes none (RFC 3961 §6.3.1)', () =>
    expect(() => Key.fromPassword(enctypeById(16)!, 'x', utf8('y'), rounds(4096))).toThrow(RangeError))
})

test('PRF+ gives no more than 255 rounds (RFC 6113 §5.1)', () => {
  const key = seeded(enctypes[0]!)
  expect(prfPlus(key, utf8('x'), 255 * 16).length).toBe(255 * 16)
  expect(() => prfPlus(key, utf8('x'), 255 * 16 + 1)).toThrow(RangeError)
})

test('keys are equal only with the same octets and enctype', () => {
  const key = new Key(enctypeById(17)!, octets(16))
  expect(key.equals(new Key(enctypeById(17)!, octets(16)))).toBe(true)
  expect(key.equals(new Key(enctypeById(17)!, octets(16, 8)))).toBe(false)
  expect(key.equals(new Key(enctypeById(19)!, octets(16)))).toBe(false)
})
