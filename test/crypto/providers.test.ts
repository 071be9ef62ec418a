/** Four providers, one truth: whatever the key, the text and where it is cut, they give the same octets. */
import crypto from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { equal, toHex, utf8 } from '../../src/bytes/index.ts'
import { HmacSha1, pbkdf2Sha1 } from '../../src/crypto/kernels/sha1.ts'
import { Key } from '../../src/crypto/key.ts'
import { type HashName, hashSizes, type Mac, macOf } from '../../src/crypto/primitives/primitives.ts'
import { makeScratch, scratch, WORK } from '../../src/crypto/primitives/scratch.ts'
import { providers, suites } from './providers.ts'

const [reference, ...others] = providers
const hashes = Object.keys(hashSizes) as HashName[]
const octets = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const aesKey = fc.constantFrom(16, 32).chain(octets)
const blocks = fc.integer({ min: 1, max: 40 }).chain((count) => octets(16 * count))
const runs = { numRuns: 150 }

// Some tests look at other runtimes than this one.
afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

describe.each(others)('$name is as @noble', (provider) => {
  test('in AES-CBC, either way, in one go or several', () =>
    fc.assert(
      fc.property(aesKey, fc.array(fc.tuple(octets(16), blocks, fc.nat())), (key, texts) => {
        using one = reference!.aes(key)
        using other = provider.aes(key)
        for (const [iv, text, place] of texts) {
          const area = makeScratch(16 + text.length)
          area.octets.set(iv)
          area.octets.set(text, 16)
          one.encrypt(area, 16, area.octets.length)
          scratch.octets.set(iv)
          scratch.octets.set(text, WORK)
          const end = WORK + text.length
          const cut = WORK + 16 * (place % (text.length / 16))
          other.encrypt(scratch, WORK, cut)
          other.encrypt(scratch, cut, end)
          if (!equal(scratch.octets.subarray(0, end), area.octets)) return false
          // Back to front, as the first part's ciphertext is what the second is chained to.
          other.decrypt(scratch, cut, end)
          other.decrypt(scratch, WORK, cut)
          if (!equal(scratch.octets.subarray(WORK, end), text)) return false
          scratch.octets.fill(0)
        }
        return true
      }),
      runs,
    ))

  test.each(hashes)('in HMAC-%s with any key, in one go or several', (hash) =>
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), { maxLength: 4 }),
        (key, messages) => {
          using one = reference!.hmac(hash, key)
          using other = provider.hmac(hash, key)
          return messages.every((parts) => {
            const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
            other.begin(whole.length)
            let at = 0
            for (const part of parts) {
              whole.set(part, at)
              at += part.length
              other.update(part, 0, part.length)
            }
            const made = new Uint8Array(hashSizes[hash] + 2)
            other.finish(made, 1, hashSizes[hash])
            return toHex(made) === `00${toHex(macOf(one, whole, hashSizes[hash]))}00`
          })
        },
      ),
      runs,
    ),
  )
  test.each(hashes)('in %s', (hash) =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4000 }), (data) =>
        equal(provider.hash(hash, data), reference!.hash(hash, data)),
      ),
      runs,
    ),
  )
  test.each(hashes)('in PBKDF2 with HMAC-%s', (hash) =>
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 150 }),
        fc.uint8Array({ maxLength: 100 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 100 }),
        (password, salt, rounds, size) =>
          equal(
            provider.pbkdf2(hash, password, salt, rounds, size),
            reference!.pbkdf2(hash, password, salt, rounds, size),
          ),
      ),
      runs,
    ),
  )
  test('in every enctype: each opens what the other seals', () => {
    const theirs = suites.find(({ name }) => name === provider.name)!.rows
    fc.assert(
      fc.property(
        fc.nat({ max: theirs.length - 1 }),
        octets(32),
        fc.nat({ max: 2000 }),
        fc.uint8Array({ maxLength: 3000 }),
        octets(16),
        (i, seed, usage, text, confounder) => {
          const [a, b] = [suites[0]!.rows[i]!, theirs[i]!]
          using one = Key.fromSeed(a, seed.subarray(0, a.seedSize))
          using other = Key.fromSeed(b, seed.subarray(0, b.seedSize))
          const random = (size: number) => confounder.subarray(0, size)
          const ciphertext = one.encrypt(usage, text, random)
          return (
            equal(other.encrypt(usage, text, random), ciphertext) &&
            equal(other.decrypt(usage, ciphertext).subarray(0, text.length), text) &&
            equal(other.checksum(usage, text), one.checksum(usage, text)) &&
            equal(other.prf(text), one.prf(text))
          )
        },
      ),
      runs,
    )
  })
})

describe.each(providers)('HMAC-SHA1 of $name', ({ hmac }) => {
  const key = utf8('key')
  const wanted = (size: number) => crypto.createHmac('sha1', key).update(new Uint8Array(size)).digest()
  const finished = (mac: Mac) => {
    const result = new Uint8Array(20)
    mac.finish(result, 0, 20)
    return toHex(result)
  }
  // Around the sizes where another way of making it begins, each while another MAC is half-way.
  test.each([0, 1, 767, 768, 8191, 8192, 8193, 40_000])('of %i octets, while another MAC is being made', (size) => {
    using one = hmac('sha1', key)
    using other = hmac('sha1', key)
    for (const outer of [800, 8192, 9000]) {
      one.begin(outer)
      one.update(new Uint8Array(outer), 0, outer - 1)
      other.begin(size)
      other.update(new Uint8Array(size), 0, size)
      one.update(new Uint8Array(1), 0, 1)
      expect(finished(other)).toBe(wanted(size).toString('hex'))
      expect(finished(one)).toBe(wanted(outer).toString('hex'))
    }
  })
  test('forgets what was begun before, and what nobody finished', () => {
    for (const [first, second] of [
      [1000, 9000],
      [9000, 1000],
      [1000, 1000],
    ] as const) {
      using mac = hmac('sha1', key)
      mac.begin(first)
      mac.update(new Uint8Array(500).fill(1), 0, 500)
      mac.begin(second)
      mac.update(new Uint8Array(second), 0, second)
      expect(finished(mac)).toBe(wanted(second).toString('hex'))
      mac.begin(first)
      mac.update(new Uint8Array(500).fill(1), 0, 500)
    }
    using next = hmac('sha1', key)
    expect(toHex(macOf(next, new Uint8Array(1000), 20))).toBe(wanted(1000).toString('hex'))
  })
})

describe('SHA-1 in the kernels', () => {
  test('counts the bits of long messages in more than 32 bits (FIPS 180-4 §5.1.1)', () => {
    // 600 MiB of the same octets: the count of bits has 33.
    const piece = new Uint8Array(1 << 20)
    const mac = new HmacSha1(utf8('key'))
    const builtin = providers.find(({ name }) => name === 'builtin')!.hmac('sha1', utf8('key'))
    for (const made of [mac, builtin]) {
      made.begin(600 << 20)
      for (let i = 0; i < 600; i++) made.update(piece, 0, piece.length)
    }
    const [ours, theirs] = [new Uint8Array(20), new Uint8Array(20)]
    mac.finish(ours, 0, 20)
    builtin.finish(theirs, 0, 20)
    expect(toHex(ours)).toBe(toHex(theirs))
  })
  test('PBKDF2 numbers its blocks in four octets (RFC 8018 §5.2)', () => {
    const made = pbkdf2Sha1(utf8('password'), utf8('salt'), 1, 20 * 300)
    expect(equal(made, reference!.pbkdf2('sha1', utf8('password'), utf8('salt'), 1, 20 * 300))).toBe(true)
  })
})

describe('a runtime whose OpenSSL lacks MD5, as in FIPS mode', () => {
  test('gets MD5 from @noble and the rest from the runtime', async () => {
    vi.resetModules()
    const createHash = vi.fn((name: string) => {
      if (name === 'md5') throw new RangeError('unsupported')
      return crypto.createHash(name)
    })
    vi.stubGlobal('process', { getBuiltinModule: () => ({ ...crypto, createHash }) })
    const { builtin } = await import('../../src/crypto/primitives/builtin.ts')
    const found = builtin()!
    for (const hash of hashes) {
      expect(equal(found.hash(hash, utf8('abc')), reference!.hash(hash, utf8('abc')))).toBe(true)
      const [ours, theirs] = [found, reference!].map((provider) =>
        macOf(provider.hmac(hash, utf8('k')), utf8('abc'), 16),
      )
      expect(equal(ours!, theirs!)).toBe(true)
      expect(
        equal(found.pbkdf2(hash, utf8('p'), utf8('s'), 2, 40), reference!.pbkdf2(hash, utf8('p'), utf8('s'), 2, 40)),
      ).toBe(true)
    }
    expect(createHash.mock.calls.filter(([name]) => name === 'md5').length).toBe(1)
    expect(createHash.mock.calls.filter(([name]) => name === 'sha1').length).toBe(3)
  })
})

describe('a runtime without crypto.hash, as Node 20.11', () => {
  test('hashes through objects', async () => {
    vi.resetModules()
    const { hash: _, ...older } = crypto
    vi.stubGlobal('process', { getBuiltinModule: () => older })
    const { builtin } = await import('../../src/crypto/primitives/builtin.ts')
    const data = new Uint8Array(2000)
    const [ours, theirs] = [builtin()!, reference!].map(({ hmac }) => toHex(macOf(hmac('sha1', utf8('k')), data, 20)))
    expect(ours).toBe(theirs)
  })
})

describe('a runtime without node:crypto', () => {
  test.each([
    ['has no process', undefined],
    ['has a process that knows no modules', {}],
    ['knows other modules only', { getBuiltinModule: () => undefined }],
    [
      'has ciphers that are not what they should be',
      {
        getBuiltinModule: () => ({
          createCipheriv: () => ({ setAutoPadding: () => ({ update: () => new Uint8Array(16) }) }),
          createDecipheriv: () => ({ setAutoPadding: () => ({ update: () => new Uint8Array(0) }) }),
        }),
      },
    ],
  ])('%s, and everything works all the same', async (_, process) => {
    vi.resetModules()
    vi.stubGlobal('process', process)
    const { builtin } = await import('../../src/crypto/primitives/builtin.ts')
    const { enctypes } = await import('../../src/crypto/enctypes/table.ts')
    const { Key } = await import('../../src/crypto/key.ts')
    expect(builtin()).toBeUndefined()
    for (const [i, row] of enctypes.entries()) {
      const seed = new Uint8Array(row.seedSize).fill(i)
      const text = new Uint8Array(100_000).fill(5)
      const random = (size: number) => new Uint8Array(size)
      const key = Key.fromSeed(row, seed)
      const known = Key.fromSeed(suites[0]!.rows[i]!, seed)
      expect(equal(key.encrypt(1, text, random), known.encrypt(1, text, random))).toBe(true)
    }
  })
})
