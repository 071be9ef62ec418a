/**
 * Diffie-Hellman modulo a safe prime, as PKINIT agrees on keys with (RFC 4556 §3.2.3.1). The numbers are BigInts: their
 * arithmetic takes time that depends a little on the values, and they cannot be overwritten, so a key pair serves one
 * exchange. @module
 */
import { toHex } from '../../bytes/index.ts'
import type { Random } from '../random.ts'
import { MODP_1024, MODP_2048, MODP_4096 } from './modptable.ts'

/** A private exponent and what the peer is sent of it; disposing of it overwrites the exponent's octets. */
export interface ModpKeyPair extends Disposable {
  /** Big-endian, for {@link ModpGroup.sharedSecret} of the same group. */
  readonly privateKey: Uint8Array
  /** Big-endian, as many octets as the prime has. */
  readonly publicKey: Uint8Array
}

/** What the table below says of a group. */
interface Row {
  /** As the RFCs number it. */
  readonly number: number
  readonly prime: bigint
  /** Octets of the prime, of public keys and of shared secrets. */
  readonly size: number
  /** Octets of private exponents: twice the strength of the group and more (RFC 3526 §8). */
  readonly exponentSize: number
}

/** One group: a safe prime p = 2q + 1, and the generator 2 of the squares, which are q many. */
export class ModpGroup implements Row {
  readonly number: number
  readonly prime: bigint
  readonly generator = 2n
  /** The number of elements that 2 generates, q. */
  readonly order: bigint
  readonly size: number
  readonly exponentSize: number

  constructor({ number, prime, size, exponentSize }: Row) {
    this.number = number
    this.prime = prime
    this.order = prime >> 1n
    this.size = size
    this.exponentSize = exponentSize
  }

  /** A fresh key pair. */
  keyPair(random: Random): ModpKeyPair {
    const privateKey = new Uint8Array(random(this.exponentSize))
    if (privateKey.length !== this.exponentSize)
      throw new TypeError(`the random source gave ${privateKey.length} octets, ${this.exponentSize} were wanted`)
    // The top bit makes every exponent as long as the others, and none of them 0.
    privateKey[0]! |= 0x80
    const publicKey = toOctets(power(this.generator, privateKey, this.prime), this.size)
    return { privateKey, publicKey, [Symbol.dispose]: () => void privateKey.fill(0) }
  }

  /**
   * What both sides arrive at, big-endian and padded with zeros to the size of the prime (RFC 4556 §3.2.3.1); the caller
   * overwrites it. `peerPublic` is big-endian. Throws RangeError when it is no element of the group that 2 generates.
   */
  sharedSecret(privateKey: Uint8Array, peerPublic: Uint8Array): Uint8Array {
    return toOctets(power(this.#validated(peerPublic), privateKey, this.prime), this.size)
  }

  /**
   * Full validation of a public key: 1 < y < p - 1 and y^q = 1 modulo p (SP 800-56A §5.6.2.3.1, RFC 2631 §2.1.5). As
   * p = 2q + 1, y^q is the Legendre symbol (Euler's criterion), which is found a hundred times as fast.
   */
  #validated(octets: Uint8Array): bigint {
    const start = octets.findIndex((octet) => octet !== 0)
    if (start < 0 || octets.length - start > this.size)
      throw new RangeError(`a public key of group ${this.number} has at most ${this.size} octets and is not 0`)
    const y = toNumber(octets.subarray(start))
    if (y <= 1n || y >= this.prime - 1n)
      throw new RangeError(`the public key is not between 1 and the prime of group ${this.number}, less 1`)
    if (jacobi(y, this.prime) !== 1)
      throw new RangeError(`the public key is not in the subgroup of order q of group ${this.number}`)
    return y
  }
}

/** Groups 14 and 16 (RFC 3526 §3, §5); the second costs eight times as much and is for who asks for it. */
export const modpGroups: readonly ModpGroup[] = [
  new ModpGroup({ number: 14, prime: MODP_2048, size: 256, exponentSize: 40 }),
  new ModpGroup({ number: 16, prime: MODP_4096, size: 512, exponentSize: 60 }),
]

/**
 * The group of {@link modpGroups} with that prime and generator. Throws RangeError that says why for any other: what is
 * not in the table could be anything, and group 2 (RFC 2409 §6.2), which RFC 4556 still asks for, is within reach of
 * who can spend enough.
 */
export function modpGroupOf(prime: bigint, generator: bigint): ModpGroup {
  const found = modpGroups.find((group) => group.prime === prime && group.generator === generator)
  if (found) return found
  throw new RangeError(
    prime === MODP_1024
      ? 'Diffie-Hellman group 2, of 1024 bits, is too weak: group 14 or 16 is wanted'
      : 'unknown Diffie-Hellman parameters: group 14 or 16 is wanted',
  )
}

const toNumber = (octets: Uint8Array): bigint => BigInt(`0x${toHex(octets)}`)

function toOctets(number: bigint, size: number): Uint8Array {
  const octets = new Uint8Array(size)
  const digits = number.toString(16).padStart(2 * size, '0')
  for (let i = 0; i < size; i++) octets[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  return octets
}

/** `base` to the big-endian `exponent` modulo `modulus`, four bits at a time, whatever they are. */
function power(base: bigint, exponent: Uint8Array, modulus: bigint): bigint {
  const powers = [1n]
  for (let i = 1; i < 16; i++) powers.push((powers[i - 1]! * base) % modulus)
  let result = 1n
  const step = (digit: number) => {
    for (let i = 0; i < 4; i++) result = (result * result) % modulus
    result = (result * powers[digit]!) % modulus
  }
  for (const octet of exponent) {
    step(octet >> 4)
    step(octet & 15)
  }
  return result
}

/** The Jacobi symbol of `a` over the odd `n`, by the law of reciprocity; over a prime that is the Legendre symbol. */
function jacobi(a: bigint, n: bigint): -1 | 0 | 1 {
  let symbol: -1 | 1 = 1
  let [top, bottom] = [a % n, n]
  while (top !== 0n) {
    const twos = trailingZeros(top)
    const remainder = Number(bottom & 7n)
    if (twos & 1 && (remainder === 3 || remainder === 5)) symbol = symbol === 1 ? -1 : 1
    top >>= BigInt(twos)
    if (top & bottom & 2n) symbol = symbol === 1 ? -1 : 1
    ;[top, bottom] = [bottom % top, top]
  }
  return bottom === 1n ? symbol : 0
}

/** How often 2 divides `number`, which is not 0. */
function trailingZeros(number: bigint): number {
  let count = 0
  while (!((number >> BigInt(count)) & 0xffffn)) count += 16
  while (!((number >> BigInt(count)) & 1n)) count++
  return count
}
