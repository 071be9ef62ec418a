/** Key agreement on the curves of FIPS 186: node:crypto (OpenSSL) at the other end. */
import { createECDH, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/index.ts'
import { nistCurves } from '../../src/crypto/groups/elliptic.ts'

const openssl = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' } as const

describe.each(nistCurves.map((curve) => [curve.name, curve] as const))('%s', (name, curve) => {
  test('arrives where OpenSSL does, from points compressed and not', () => {
    const peer = createECDH(openssl[name])
    peer.generateKeys()
    using ours = curve.keyPair((size) => new Uint8Array(randomBytes(size)))
    const theirs = toHex(new Uint8Array(peer.computeSecret(ours.publicKey)))
    expect(ours.publicKey).toHaveLength(1 + 2 * curve.size)
    for (const form of ['compressed', 'uncompressed'] as const)
      expect(toHex(curve.sharedSecret(ours.privateKey, new Uint8Array(peer.getPublicKey(null, form))))).toBe(theirs)
    expect(theirs).toHaveLength(2 * curve.size)
  })

  test('refuses what is no point of it', () => {
    using ours = curve.keyPair((size) => new Uint8Array(randomBytes(size)))
    const off = ours.publicKey.slice()
    off[off.length - 1]! ^= 1
    for (const octets of [off, Uint8Array.of(0), new Uint8Array(0), ours.publicKey.slice(1)])
      expect(() => curve.sharedSecret(ours.privateKey, octets)).toThrow(RangeError)
  })

  test('overwrites the private key', () => {
    const pair = curve.keyPair((size) => new Uint8Array(randomBytes(size)))
    pair[Symbol.dispose]()
    expect(pair.privateKey.every((octet) => octet === 0)).toBe(true)
  })
})
