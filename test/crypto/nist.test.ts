/**
 * What NIST publishes for implementations to be tested with, through every provider: FIPS 180-4's examples, the modes of
 * SP 800-38A, and the known answers of AESAVS (CAVP).
 */
import { createCipheriv } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../src/bytes/index.ts'
import type { HashName, Primitives } from '../../src/crypto/primitives/primitives.ts'
import { makeScratch, WORK } from '../../src/crypto/primitives/scratch.ts'
import { providers } from './providers.ts'

const ZERO = '00'.repeat(16)

/** AES-CBC of `text` after `iv`, one way or the other. */
function cbc(provider: Primitives, way: 'encrypt' | 'decrypt', key: string, iv: string, text: string): string {
  const octets = fromHex(text)
  const area = makeScratch(WORK + octets.length)
  area.octets.set(fromHex(iv), WORK - 16)
  area.octets.set(octets, WORK)
  using cipher = provider.aes(fromHex(key))
  cipher[way](area, WORK, WORK + octets.length)
  return toHex(area.octets.subarray(WORK))
}

/** SP 800-38A §F.2.1, §F.2.5 */
const modes = {
  iv: '000102030405060708090a0b0c0d0e0f',
  text:
    '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
    '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
  keys: [
    [
      '2b7e151628aed2a6abf7158809cf4f3c',
      '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2' +
        '73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7',
    ],
    [
      '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
      'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d' +
        '39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b',
    ],
  ],
} as const

/** AESAVS §B, GFSbox: texts under a key of zeros, by the key's octets. */
const gfsbox: readonly (readonly [number, string, string])[] = [
  [16, 'f34481ec3cc627bacd5dc3fb08f273e6', '0336763e966d92595a567cc9ce537f5e'],
  [16, '9798c4640bad75c7c3227db910174e72', 'a9a1631bf4996954ebc093957b234589'],
  [16, '96ab5c2ff612d9dfaae8c31f30c42168', 'ff4f8391a6a40ca5b25d23bedd44a597'],
  [16, '6a118a874519e64e9963798a503f1d35', 'dc43be40be0e53712f7e2bf5ca707209'],
  [16, 'cb9fceec81286ca3e989bd979b0cb284', '92beedab1895a94faa69b632e5cc47ce'],
  [16, 'b26aeb1874e47ca8358ff22378f09144', '459264f4798f6a78bacb89c15ed3d601'],
  [16, '58c8e00b2631686d54eab84b91f0aca1', '08a4e2efec8a8e3312ca7460b9040bbf'],
  [32, '014730f80ac625fe84f026c60bfd547d', '5c9d844ed46f9885085e5d6a4f94c7d7'],
  [32, '0b24af36193ce4665f2825d7b4749c98', 'a9ff75bd7cf6613d3731c77c3b6d0c04'],
  [32, '761c1fe41a18acf20d241650611d90f1', '623a52fcea5d443e48d9181ab32c7421'],
  [32, '8a560769d605868ad80d819bdba03771', '38f2c7ae10612415d27ca190d27da8b4'],
  [32, '91fbef2d15a97816060bee1feaa49afe', '1bc704f1bce135ceb810341b216d7abe'],
]

/** AESAVS §D, §E: `size` octets that begin with `ones` bits of one. */
const leadingOnes = (size: number, ones: number): string =>
  toHex(Uint8Array.from({ length: size }, (_, i) => (0xff00 >> Math.max(0, Math.min(8, ones - 8 * i))) & 0xff))

/** FIPS 180-4's examples (and RFC 1321 §A.5's for MD5). */
const TWO_BLOCKS = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'
const FOUR_WORDS =
  'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu'
const digests: readonly (readonly [HashName, string, string])[] = [
  ['md5', '', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['md5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['sha1', '', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
  ['sha1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['sha1', TWO_BLOCKS, '84983e441c3bd26ebaae4aa1f95129e5e54670f1'],
  ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['sha256', TWO_BLOCKS, '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'],
  ['sha384', 'abc', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'],
  [
    'sha384',
    FOUR_WORDS,
    '09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039',
  ],
  [
    'sha512',
    'abc',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
]

describe.each(providers)('$name', (provider) => {
  test.each(modes.keys)('AES-CBC with the key %s (SP 800-38A §F.2)', (key, sealed) => {
    expect(cbc(provider, 'encrypt', key, modes.iv, modes.text)).toBe(sealed)
    expect(cbc(provider, 'decrypt', key, modes.iv, sealed)).toBe(modes.text)
  })
  test.each(gfsbox)('AES with a key of %i zeros of %s (AESAVS §B)', (size, text, sealed) => {
    const key = '00'.repeat(size)
    expect(cbc(provider, 'encrypt', key, ZERO, text)).toBe(sealed)
    expect(cbc(provider, 'decrypt', key, ZERO, sealed)).toBe(text)
  })
  test.each([16, 32])('AES with every variable text and key of AESAVS §D, §E, keys of %i octets', (size) => {
    const cases = [
      ...Array.from({ length: 128 }, (_, i) => ['00'.repeat(size), leadingOnes(16, i + 1)] as const),
      ...Array.from({ length: 8 * size }, (_, i) => [leadingOnes(size, i + 1), ZERO] as const),
    ]
    for (const [key, text] of cases) {
      // The answers are those of OpenSSL, which NIST has validated.
      const sealed = createCipheriv(`aes-${8 * size}-ecb`, fromHex(key), null)
        .update(fromHex(text))
        .toString('hex')
      expect(cbc(provider, 'encrypt', key, ZERO, text)).toBe(sealed)
      expect(cbc(provider, 'decrypt', key, ZERO, sealed)).toBe(text)
    }
  })
  test.each(digests)('%s of "%s"', (hash, text, digest) => expect(toHex(provider.hash(hash, utf8(text)))).toBe(digest))
  test('SHA-1 of a million times "a"', () =>
    expect(toHex(provider.hash('sha1', new Uint8Array(1e6).fill(0x61)))).toBe(
      '34aa973cd4c4daa4f61eeb2bdbad27316534016f',
    ))
})
