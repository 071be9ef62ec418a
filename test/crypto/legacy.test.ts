import { createCipheriv, createDecipheriv, getCiphers } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equal, fromHex, toHex } from '../../src/bytes/index.ts'
import { PlainBlockMode } from '../../src/crypto/legacy/blockmode.ts'
import { Camellia } from '../../src/crypto/legacy/camellia.ts'
import { Cmac } from '../../src/crypto/legacy/cmac.ts'
import { desKeys, TripleDes } from '../../src/crypto/legacy/des.ts'
import { md4 } from '../../src/crypto/legacy/md4.ts'
import { Rc4 } from '../../src/crypto/legacy/rc4.ts'
import { noble } from '../../src/crypto/primitives/noble.ts'
import { type BlockMode, macOf } from '../../src/crypto/primitives/primitives.ts'
import { makeScratch } from '../../src/crypto/primitives/scratch.ts'
import { vectors } from '../support/vectors.ts'

const primitives = vectors<{
  rc4: { key: string; keystream_first_16: string }[]
  camellia: { key: string; plaintext: string; ciphertext: string }[]
  cmac: { cipher: 'aes128' | 'camellia128'; key: string; message: string; mac: string }[]
}>('primitives')

/** `text` in CBC mode after `iv`. */
function cbc(cipher: BlockMode, iv: Uint8Array, text: Uint8Array, direction: 'encrypt' | 'decrypt'): Uint8Array {
  const area = makeScratch(iv.length + text.length)
  area.octets.set(iv)
  area.octets.set(text, iv.length)
  cipher[direction](area, iv.length, iv.length + text.length)
  return area.octets.slice(iv.length)
}

const octets = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const blocks = (size: number) =>
  fc.integer({ min: 0, max: 9 }).chain((count) => fc.uint8Array({ minLength: count * size, maxLength: count * size }))

describe('MD4', () => {
  test.each(vectors<{ md4: { input: string; digest: string }[] }>('rfc4757_rc4_hmac').md4)(
    'of $input is $digest (RFC 1320 §A.5)',
    ({ input, digest }) => expect(toHex(md4(fromHex(input)))).toBe(digest),
  )
})

describe('RC4', () => {
  test.each(primitives.rc4)('with the key $key starts with $keystream_first_16 (RFC 6229)', (vector) => {
    using keyed = new Rc4(fromHex(vector.key))
    const stream = new Uint8Array(16)
    keyed.apply(stream, 0, 5, stream, 0)
    keyed.apply(stream, 5, 16, stream, 5)
    expect(toHex(stream)).toBe(vector.keystream_first_16)
  })
})

describe('Camellia', () => {
  test.each(primitives.camellia)('with the key $key (RFC 3713 §A)', ({ key, plaintext, ciphertext }) => {
    using cipher = new Camellia(fromHex(key))
    const block = fromHex(plaintext)
    cipher.encryptBlock(block, 0)
    expect(toHex(block)).toBe(ciphertext)
    cipher.decryptBlock(block, 0)
    expect(toHex(block)).toBe(plaintext)
  })
  test.each([16, 32])("with keys of %i octets is OpenSSL's", (size) => {
    const name = `camellia-${size * 8}-cbc`
    expect(getCiphers()).toContain(name)
    fc.assert(
      fc.property(octets(size), octets(16), blocks(16), (key, iv, text) => {
        using cipher = new PlainBlockMode(new Camellia(key))
        const sealed = createCipheriv(name, key, iv).setAutoPadding(false).update(text)
        return equal(cbc(cipher, iv, text, 'encrypt'), sealed) && equal(cbc(cipher, iv, sealed, 'decrypt'), text)
      }),
      { numRuns: 300 },
    )
  })
})

describe('triple DES', () => {
  test("is OpenSSL's", () => {
    expect(getCiphers()).toContain('des-ede3-cbc')
    fc.assert(
      fc.property(octets(21), octets(8), blocks(8), (seed, iv, text) => {
        const key = desKeys(seed)
        using cipher = new PlainBlockMode(new TripleDes(key))
        const sealed = createCipheriv('des-ede3-cbc', key, iv).setAutoPadding(false).update(text)
        const opened = createDecipheriv('des-ede3-cbc', key, iv).setAutoPadding(false).update(sealed)
        return (
          equal(opened, text) &&
          equal(cbc(cipher, iv, text, 'encrypt'), sealed) &&
          equal(cbc(cipher, iv, sealed, 'decrypt'), text)
        )
      }),
      { numRuns: 300 },
    )
  })
  test('keys have odd parity and are never weak (RFC 3961 §6.2)', () => {
    expect(toHex(desKeys(new Uint8Array(7)))).toBe('01010101010101f1')
    expect(toHex(desKeys(new Uint8Array(7).fill(0xff)))).toBe('fefefefefefefe0e')
  })
})

describe('CMAC', () => {
  test.each(primitives.cmac)('over $cipher of $message (RFC 4493 §4)', ({ cipher, key, message, mac }) => {
    const mode = cipher === 'aes128' ? noble.aes(fromHex(key)) : new PlainBlockMode(new Camellia(fromHex(key)))
    using keyed = new Cmac(mode)
    expect(toHex(macOf(keyed, fromHex(message), 16))).toBe(mac)
    keyed.begin()
    keyed.update(fromHex(`ff${message}`), 1, 1 + message.length / 2)
    const cut = new Uint8Array(9)
    keyed.finish(cut, 1, 8)
    expect(toHex(cut)).toBe(`00${mac.slice(0, 16)}`)
  })
})

describe('single DES is not spoken, but its parts are (RFC 3961 §A.2)', () => {
  const cases = vectors<{
    vectors: { password: string; salt: string; fan_fold: string; intermediate_key: string; key: string }[]
  }>('rfc3961_des_string2key').vectors
  /** A key of `octets`, whose lowest bits do not count: seven octets of seed hold the others. */
  const keyOf = (octets: Uint8Array) =>
    desKeys(octets.slice(0, 7).map((octet, i) => (octet & 0xfe) | ((octets[7]! >> (i + 1)) & 1)))
  test.each(cases)('$fan_fold becomes $intermediate_key', ({ fan_fold, intermediate_key }) =>
    expect(toHex(keyOf(fromHex(fan_fold)))).toBe(intermediate_key),
  )
  test.each(cases)('$password and $salt become $key', ({ password, salt, intermediate_key, key }) => {
    // Triple DES with one key three times is DES; the last block of CBC, which begins with the key, becomes the key.
    const once = fromHex(intermediate_key)
    const text = fromHex(password + salt)
    const padded = new Uint8Array(Math.ceil(text.length / 8) * 8)
    padded.set(text)
    using cipher = new PlainBlockMode(new TripleDes(Uint8Array.of(...once, ...once, ...once)))
    expect(toHex(keyOf(cbc(cipher, once, padded, 'encrypt').slice(-8)))).toBe(key)
  })
})
