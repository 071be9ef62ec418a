/** The MODP groups of PKINIT, with Node's OpenSSL as the oracle: it has the same groups under names of its own. */
import { createDiffieHellman, getDiffieHellman, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import { modpGroupOf, modpGroups } from '../../../src/crypto/groups/modp.ts'
import { MODP_1024 } from '../../../src/crypto/groups/modptable.ts'

const random = (size: number) => new Uint8Array(randomBytes(size))
const toNumber = (octets: Uint8Array) => BigInt(`0x${toHex(octets)}`)
const toOctets = (number: bigint, size: number) => fromHex(number.toString(16).padStart(2 * size, '0'))

/** Square and multiply, bit by bit, as every textbook has it. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (bit === '1') result = (result * base) % modulus
  }
  return result
}

describe.each(modpGroups)('group $number', (group) => {
  const openssl = () => createDiffieHellman(Buffer.from(toOctets(group.prime, group.size)), 2)

  test('is the one of RFC 3526, whose prime is safe', () => {
    expect(toHex(toOctets(group.prime, group.size))).toBe(getDiffieHellman(`modp${group.number}`).getPrime('hex'))
    expect(group.order).toBe((group.prime - 1n) / 2n)
    expect(openssl().verifyError).toBe(0)
    expect(power(group.generator, group.order, group.prime)).toBe(1n)
  })

  test('agrees with OpenSSL on a secret', () => {
    for (let i = 0; i < 10; i++) {
      const peer = openssl()
      peer.generateKeys()
      using pair = group.keyPair(random)
      expect(pair.publicKey.length).toBe(group.size)
      const ours = group.sharedSecret(pair.privateKey, peer.getPublicKey())
      const theirs = peer.computeSecret(pair.publicKey)
      expect(toHex(ours)).toBe(theirs.toString('hex').padStart(2 * group.size, '0'))
      expect(ours.length).toBe(group.size)
    }
  })

  test('derives the public key that OpenSSL derives, whatever the exponent', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: group.exponentSize, maxLength: group.exponentSize }), (seed) => {
        using pair = group.keyPair(() => seed)
        const peer = openssl()
        peer.setPrivateKey(Buffer.from(pair.privateKey))
        peer.generateKeys()
        expect(toNumber(pair.publicKey)).toBe(toNumber(peer.getPublicKey()))
      }),
      { numRuns: 10 },
    ))

  test('pads a secret that happens to be short (RFC 4556 §3.2.3.1)', () => {
    // 4 is a square, and 4^3 is short.
    const secret = group.sharedSecret(Uint8Array.of(3), Uint8Array.of(4))
    expect(toHex(secret)).toBe('40'.padStart(2 * group.size, '0'))
  })

  test('reads a public key with zeros in front, as an INTEGER of DER has them', () => {
    using pair = group.keyPair(random)
    const padded = new Uint8Array([0, ...pair.publicKey])
    expect(group.sharedSecret(pair.privateKey, padded)).toEqual(group.sharedSecret(pair.privateKey, pair.publicKey))
  })

  test.each([
    ['nothing', () => new Uint8Array(0)],
    ['0', () => new Uint8Array(group.size)],
    ['1', () => Uint8Array.of(1)],
    ['p - 1', () => toOctets(group.prime - 1n, group.size)],
    ['p', () => toOctets(group.prime, group.size)],
    ['p + 4', () => toOctets(group.prime + 4n, group.size)],
    ['too many octets', () => new Uint8Array(group.size + 1).fill(1)],
    ['a megabyte', () => new Uint8Array(1 << 20).fill(1)],
    ['p - 4, no square', () => toOctets(group.prime - 4n, group.size)],
  ])('refuses %s as a public key', (_, publicKey) =>
    expect(() => group.sharedSecret(Uint8Array.of(3), publicKey())).toThrow(RangeError),
  )

  test('refuses just what y^q = 1 modulo p refuses (SP 800-56A §5.6.2.3.1)', () => {
    const agree = (y: bigint) => group.sharedSecret(Uint8Array.of(1), toOctets(y, group.size))
    for (let i = 0; i < 3; i++) {
      const y = toNumber(random(group.size)) % group.prime
      const isMember = power(y, group.order, group.prime) === 1n
      // As p is 3 modulo 4, of y and -y one is a square.
      const [member, other] = isMember ? [y, group.prime - y] : [group.prime - y, y]
      expect(toNumber(agree(member))).toBe(member)
      expect(() => agree(other)).toThrow(/subgroup/)
    }
  })

  test('overwrites the private key, and takes no exponent that is too short', () => {
    const pair = group.keyPair(random)
    pair[Symbol.dispose]()
    expect(pair.privateKey.every((octet) => octet === 0)).toBe(true)
    expect(() => group.keyPair((size) => new Uint8Array(size - 1))).toThrow(TypeError)
  })

  test('is found by its parameters', () => {
    expect(modpGroupOf(group.prime, 2n)).toBe(group)
    expect(() => modpGroupOf(group.prime, 3n)).toThrow(/unknown/)
    expect(() => modpGroupOf(group.prime - 2n, 2n)).toThrow(RangeError)
  })
})

test('group 2 is recognised, and refused (RFC 2409 §6.2)', () => {
  expect(MODP_1024.toString(16)).toBe(getDiffieHellman('modp2').getPrime('hex'))
  expect(() => modpGroupOf(MODP_1024, 2n)).toThrow(/group 2.* too weak/)
})
