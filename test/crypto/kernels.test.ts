import { createCipheriv, createDecipheriv, createHash, createHmac, pbkdf2Sync, randomFillSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/index.ts'
import { KernelAes } from '../../src/crypto/kernels/aes.ts'
import { HmacSha1, pbkdf2Sha1, sha1 } from '../../src/crypto/kernels/sha1.ts'
import { kernels } from '../../src/crypto/primitives/kernels.ts'
import { noble } from '../../src/crypto/primitives/noble.ts'
import { macOf } from '../../src/crypto/primitives/primitives.ts'
import { makeScratch, type Scratch } from '../../src/crypto/primitives/scratch.ts'
import { aesSource, sha1Source } from '../../tools/kernels.ts'

/** `size` octets that look random and are the same in every run. */
const noise = (size: number, seed: number): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(size))

/** Keys, each of which gets as many blocks. */
const KEYS = 500
const BLOCKS = 1000
const MILLION = 1_000_000
/** Milliseconds that half a million blocks may take on a machine that does something else, too. */
const PATIENCE = 60_000

/** Random inputs, each with a key of its own; `KERB_INPUTS=1000000` in the environment makes them a million. */
const INPUTS = Number(process.env['KERB_INPUTS'] ?? 1000)
const pool = Buffer.alloc(32 << 10)
const area = makeScratch(16 * 34)

/** Encrypts and decrypts `text`, whose first block is the IV, three times; throws where one differs. */
function expectSameAes(key: Buffer, text: Buffer) {
  const name = `aes-${key.length * 8}-cbc`
  const wanted = {
    encrypt: createCipheriv(name, key, text.subarray(0, 16)).setAutoPadding(false).update(text.subarray(16)),
    decrypt: createDecipheriv(name, key, text.subarray(0, 16)).setAutoPadding(false).update(text.subarray(16)),
  }
  using kernel = new KernelAes(key)
  using reference = noble.aes(key)
  for (const cipher of [kernel, reference])
    for (const way of ['encrypt', 'decrypt'] as const) {
      area.octets.set(text)
      cipher[way](area, 16, text.length)
      if (!wanted[way].equals(area.octets.subarray(16, text.length)))
        expect.fail(`${way} with the key ${key.toString('hex')} of ${text.toString('hex')}`)
    }
}

/** Hashes `text`, signs it with `key` and stretches `key` with it, three times; throws where one differs. */
function expectSameSha1(key: Buffer, text: Buffer) {
  const digest = createHash('sha1').update(text).digest()
  const mac = createHmac('sha1', key).update(text).digest()
  const stretched = pbkdf2Sync(key, text, 2, 37, 'sha1')
  for (const provider of [kernels, noble]) {
    using keyed = provider.hmac('sha1', key)
    if (
      !digest.equals(provider.hash('sha1', text)) ||
      !mac.equals(macOf(keyed, text, 20)) ||
      !stretched.equals(provider.pbkdf2('sha1', key, text, 2, 37))
    )
      expect.fail(`${provider.name}: SHA-1 with the key ${key.toString('hex')} of ${text.toString('hex')}`)
  }
}

describe('the kernels', () => {
  test('are what tools/kernels.ts writes', async () => {
    await expect(aesSource()).toMatchFileSnapshot('../../src/crypto/kernels/aestable.ts')
    await expect(sha1Source()).toMatchFileSnapshot('../../src/crypto/kernels/sha1table.ts')
  })

  test.each([16, 32])(
    'encrypt and decrypt half a million random blocks as @noble and OpenSSL do, keys of %i octets',
    (size) => {
      for (let i = 0; i < KEYS; i++) {
        const key = noise(size, i & 255).map((octet) => octet ^ (i >> 8))
        const text = noise(16 * (BLOCKS + 1), (i * 7) & 255)
        const name = `aes-${size * 8}-cbc`
        const sealed = createCipheriv(name, key, text.subarray(0, 16)).setAutoPadding(false).update(text.subarray(16))
        const opened = createDecipheriv(name, key, text.subarray(0, 16)).setAutoPadding(false).update(text.subarray(16))
        const through = (act: (area: Scratch, from: number, to: number) => void) => {
          const area = makeScratch(text.length)
          area.octets.set(text)
          act(area, 16, text.length)
          return area.octets.subarray(16)
        }
        using kernel = new KernelAes(key)
        using reference = noble.aes(key)
        for (const cipher of [kernel, reference]) {
          expect(sealed.equals(through((area, from, to) => cipher.encrypt(area, from, to)))).toBe(true)
          expect(opened.equals(through((area, from, to) => cipher.decrypt(area, from, to)))).toBe(true)
        }
      }
    },
    PATIENCE,
  )

  test('hash a million random blocks as @noble and OpenSSL do', () => {
    const data = noise(64 * MILLION, 3)
    const digest = createHash('sha1').update(data).digest('hex')
    expect(toHex(sha1(data))).toBe(digest)
    expect(toHex(noble.hash('sha1', data))).toBe(digest)
  })

  test('chain a million random digests as OpenSSL does', () => {
    const made = pbkdf2Sha1(noise(24, 5), noise(16, 6), MILLION / 2, 20)
    expect(toHex(made)).toBe(pbkdf2Sync(noise(24, 5), noise(16, 6), MILLION / 2, 20, 'sha1').toString('hex'))
  })

  test('sign messages of every length up to 1,000, with keys of every length up to 100', () => {
    const data = noise(1000, 8)
    for (let size = 0; size <= data.length; size++) {
      const key = noise(size % 101, 9)
      const mac = new HmacSha1(key)
      mac.begin()
      mac.update(data, size >> 1, size)
      mac.update(data, 0, size >> 1)
      const made = new Uint8Array(20)
      mac.finish(made, 0, 20)
      const wanted = createHmac('sha1', key)
        .update(data.subarray(size >> 1, size))
        .update(data.subarray(0, size >> 1))
      expect(toHex(made)).toBe(wanted.digest('hex'))
    }
  })

  test(
    `agree with @noble and OpenSSL on ${INPUTS} random inputs`,
    () => {
      for (let i = 0; i < INPUTS; i++) {
        // Sixteen inputs of 32 KiB of random octets: a key, an IV, a text and its size are cut out anywhere.
        if (i % 16 === 0) randomFillSync(pool)
        const place = pool.readUInt16LE(2 * (i % 16)) % 16384
        const size = 16 * (1 + (pool[place]! & 31))
        const text = pool.subarray(place + 64, place + 64 + 16 + size)
        const key = pool.subarray(place + 1, place + (i & 1 ? 17 : 33))
        expectSameAes(key, text)
        expectSameSha1(key.subarray(0, pool[place + 33]! % 33), text.subarray(pool[place + 34]! & 31))
      }
    },
    PATIENCE + 5 * INPUTS,
  )

  test('a key disposed of is of no use, and its memory serves another', () => {
    const area = makeScratch(32)
    const first = new KernelAes(new Uint8Array(32).fill(1))
    first.decrypt(area, 16, 32)
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    using second = new KernelAes(new Uint8Array(16).fill(2))
    using third = new KernelAes(new Uint8Array(16).fill(3))
    const blocks = [second, third, second].map((cipher) => {
      area.octets.fill(0)
      cipher.encrypt(area, 16, 32)
      return toHex(area.octets)
    })
    expect(blocks[2]).toBe(blocks[0])
    expect(blocks[1]).not.toBe(blocks[0])
    expect(() => first.encrypt(area, 16, 32)).toThrow(TypeError)
  })
})
