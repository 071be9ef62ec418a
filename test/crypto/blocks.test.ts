import { describe, expect, test } from 'vitest'
import { equal, fromHex, toHex } from '../../src/bytes/index.ts'
import { Blocks } from '../../src/crypto/enctypes/blocks.ts'
import type { BlockMode } from '../../src/crypto/primitives/primitives.ts'
import { CHUNK, LIMIT, SPARE, scratch, WHOLE } from '../../src/crypto/primitives/scratch.ts'
import { vectors } from '../support/vectors.ts'
import { providers } from './providers.ts'

const octets = (size: number, seed: number) => Uint8Array.from({ length: size }, (_, i) => (i * seed + (i >> 8)) & 0xff)

const blocksOf = (cipher: BlockMode) => new Blocks(cipher, true)

const references = new Map<string, Uint8Array>()

/** What @noble makes of it, once for all providers. */
function reference(key: Uint8Array, confounder: Uint8Array, text: Uint8Array): Uint8Array {
  const name = `${key.length}/${text.length}`
  let made = references.get(name)
  if (!made) {
    using noble = blocksOf(providers[0]!.aes(key))
    made = noble.seal(confounder, [text], 0, 16 + text.length)
    references.set(name, made)
  }
  return made
}

describe.each(providers)('ciphertext stealing over $name', (provider) => {
  test.each(vectors<{ vectors: { key: string; input: string; output: string }[] }>('rfc3962_cts').vectors)(
    'of $input (RFC 3962 §B)',
    ({ key, input, output }) => {
      using cipher = blocksOf(provider.aes(fromHex(key)))
      const target = cipher.seal(fromHex(input), [], 0, output.length / 2)
      expect(toHex(target)).toBe(output)
      expect(toHex(cipher.open(target, target.length))).toBe(input)
    },
  )

  // Where a piece ends and another begins, and whatever the tail: RFC 3962 §5 knows no pieces.
  const sizes = [0, 1008, CHUNK, LIMIT, 2 * CHUNK, 2 * CHUNK + 32, 5 * CHUNK].flatMap((size) =>
    [-33, -32, -17, -16, -15, -1, 0, 1, 15, 16, 17, 31, 32, 33].map((more) => size + more).filter((n) => n >= 0),
  )
  // What a cipher makes in one go that has memory of its own for it, and what is too long for that.
  const long = [WHOLE - 34, WHOLE - 17, WHOLE - 16, WHOLE - 15, WHOLE + CHUNK + 17]
  test.each([16, 32])('goes on from piece to piece with keys of %i octets', (keySize) => {
    const key = octets(keySize, 7)
    const mode = provider.aes(key)
    using cipher = blocksOf(mode)
    for (const size of mode.encrypted ? [...sizes, ...long] : sizes) {
      const confounder = octets(16, 3)
      const text = octets(size, 5)
      const whole = cipher.seal(confounder, [text], 0, 16 + size)
      const cut = Math.floor(size / 3)
      const parts = [text.subarray(0, cut), { signOnly: text }, text.subarray(cut, cut), text.subarray(cut)]
      const parted = cipher.seal(confounder, parts, 3, 31 + size)
      expect(Buffer.compare(parted.subarray(3, 19 + size), whole)).toBe(0)
      expect(toHex(parted.subarray(0, 3)) + toHex(parted.subarray(19 + size))).toBe('00'.repeat(15))
      expect(Buffer.compare(cipher.open(parted.subarray(3), whole.length).subarray(16), text)).toBe(0)
      expect(Buffer.compare(cipher.open(whole, whole.length).subarray(16), text)).toBe(0)
      expect(Buffer.compare(whole, reference(key, confounder, text))).toBe(0)
    }
  })

  test('seals short texts side by side, and leaves none of them in the memory that they share', () => {
    const key = octets(32, 9)
    using cipher = blocksOf(provider.aes(key))
    const text = (size: number) => new Uint8Array(size).fill(0xa5)
    const sealed = Array.from({ length: 300 }, (_, size) =>
      cipher.seal(octets(16, 3), [text(size), { signOnly: text(size) }], size % 17, 44 + size),
    )
    for (const [size, token] of sealed.entries()) {
      const from = size % 17
      expect(equal(cipher.open(token.subarray(from), 16 + size).subarray(16), text(size))).toBe(true)
      expect(toHex(token.subarray(0, from)) + toHex(token.subarray(from + 16 + size))).toBe('00'.repeat(28))
      expect(Buffer.from(token.buffer).includes(Buffer.from(text(16)))).toBe(false)
    }
  })

  test('leaves nothing in the working area', () => {
    using cipher = blocksOf(provider.aes(octets(32, 9)))
    for (const size of [16, 17, 100, LIMIT, LIMIT + 1, 3 * CHUNK + 5, WHOLE - 28, WHOLE + 1]) {
      const target = cipher.seal(octets(16, 3), [octets(size - 16, 5)], 16, 28 + size)
      expect(scratch.octets.every((octet) => octet === 0)).toBe(true)
      cipher.open(target.subarray(16), size)
      expect(scratch.octets.every((octet) => octet === 0)).toBe(true)
    }
    expect(scratch.octets.length).toBe(SPARE + 16)
  })
})
