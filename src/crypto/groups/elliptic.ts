/**
 * Groups of points on elliptic curves, for the key agreement of PKINIT (RFC 5349) and for SPAKE (RFC 9588). Scalars are
 * BigInts: they cannot be overwritten, so a key pair serves one exchange. @module
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import type { Random } from '../random.ts'

/** A private scalar and what the peer is sent of it; disposing of it overwrites the scalar's octets. */
export interface EllipticKeyPair extends Disposable {
  /** Big-endian, for {@link NistCurve.sharedSecret} of the same curve. */
  readonly privateKey: Uint8Array
  /** The point, uncompressed (SEC 1 §2.3.3). */
  readonly publicKey: Uint8Array
}

/** One of the curves of FIPS 186 that have a cofactor of 1. */
export interface NistCurve {
  readonly name: 'P-256' | 'P-384' | 'P-521'
  /** Octets of a coordinate, of private keys and of shared secrets. */
  readonly size: number
  /** A fresh key pair. */
  keyPair(random: Random): EllipticKeyPair
  /**
   * The x coordinate that both sides arrive at (SEC 1 §3.3.1), big-endian; the caller overwrites it. `peerPublic` is a
   * point of SEC 1, compressed or not. Throws RangeError when it is not one of the curve, or is the point at infinity.
   */
  sharedSecret(privateKey: Uint8Array, peerPublic: Uint8Array): Uint8Array
}

/** The group that SPAKE calculates in: points to and from octets, and the arithmetic of RFC 9588 §4.1. */
export interface PointGroup {
  /** Octets of a scalar. */
  readonly size: number
  /** A scalar other than zero, times the cofactor, in the group's own order of octets. */
  scalar(random: Random): Uint8Array
  /** `scalar` times the generator, plus `factor` times `point`. */
  blind(scalar: Uint8Array, factor: Uint8Array, point: Uint8Array): Uint8Array
  /**
   * `scalar` times what is left of `blinded` without `factor` times `point`. Throws RangeError when `blinded` is not a
   * point of the group, or when the identity comes out.
   */
  unblind(scalar: Uint8Array, factor: Uint8Array, point: Uint8Array, blinded: Uint8Array): Uint8Array
}

/** What is used of a point of @noble/curves. */
interface Point<P> {
  add(other: P): P
  subtract(other: P): P
  multiply(scalar: bigint): P
  clearCofactor(): P
  is0(): boolean
  isSmallOrder(): boolean
  assertValidity(): void
  toBytes(compressed?: boolean): Uint8Array
}

/** What is used of a curve of @noble/curves. */
interface Points<P extends Point<P>> {
  readonly BASE: P
  readonly ZERO: P
  readonly Fn: { readonly ORDER: bigint; readonly BYTES: number; create(scalar: bigint): bigint }
  CURVE(): { readonly h: bigint }
  fromBytes(octets: Uint8Array): P
}

/** The curves that certificates and PKINIT use. */
export const nistCurves: readonly NistCurve[] = [nist('P-256', p256), nist('P-384', p384), nist('P-521', p521)]

/** RFC 9588 §4.1: points are compressed (SEC 1 §2.3.3), scalars big-endian. */
export const [p256Points, p384Points, p521Points] = [
  points(p256.Point, false),
  points(p384.Point, false),
  points(p521.Point, false),
]
/** RFC 9588 §4.1: points as in RFC 8032 §5.1.2, scalars little-endian. */
export const edwards25519Points = points(ed25519.Point, true)

function nist(name: NistCurve['name'], curve: typeof p256): NistCurve {
  const size = curve.lengths.secretKey!
  return {
    name,
    size,
    keyPair(random) {
      const seed = random(curve.lengths.seed!)
      const privateKey = curve.utils.randomSecretKey(seed)
      seed.fill(0)
      const publicKey = curve.getPublicKey(privateKey, false)
      return { privateKey, publicKey, [Symbol.dispose]: () => void privateKey.fill(0) }
    },
    sharedSecret(privateKey, peerPublic) {
      const peer = pointOf(curve.Point, peerPublic, name)
      return curve.getSharedSecret(privateKey, peer.toBytes(true), true).slice(1)
    },
  }
}

function points<P extends Point<P>>(curve: Points<P>, littleEndian: boolean): PointGroup {
  const { Fn, BASE, ZERO } = curve
  // Not BASE itself: its table of multiples takes longer to make than a login has use of it.
  const generator = curve.fromBytes(BASE.toBytes())
  const cofactor = curve.CURVE().h
  const size = Fn.BYTES
  const number = (octets: Uint8Array) => numberOf(littleEndian ? Uint8Array.from(octets).reverse() : octets)
  const octetsOf = (scalar: bigint) => {
    const octets = Uint8Array.from({ length: size }, (_, at) => Number((scalar >> BigInt(8 * (size - 1 - at))) & 0xffn))
    return littleEndian ? octets.reverse() : octets
  }
  const times = (point: P, scalar: bigint) => {
    const reduced = Fn.create(scalar)
    return reduced === 0n ? ZERO : point.multiply(reduced)
  }
  return {
    size,
    scalar(random) {
      // eight octets more than the order has make the remainder as good as uniform (FIPS 186-5 §A.2.1)
      const seed = random(size + 8)
      const scalar = (numberOf(seed) % (Fn.ORDER - 1n)) + 1n
      seed.fill(0)
      return octetsOf(scalar * cofactor)
    },
    blind: (scalar, factor, point) =>
      times(generator, number(scalar))
        .add(times(pointOf(curve, point), number(factor)))
        .toBytes(),
    unblind(scalar, factor, point, blinded) {
      const rest = pointOf(curve, blinded).subtract(times(pointOf(curve, point), number(factor)))
      const result = times(rest.clearCofactor(), number(scalar) / cofactor)
      if (result.is0()) throw new RangeError('the public key gives away the shared secret')
      return result.toBytes()
    },
  }
}

/** Reads a point and validates that it is one (SEC 1 §3.2.2.1). Throws RangeError. */
function pointOf<P extends Point<P>>(curve: Points<P>, octets: Uint8Array, name = 'the curve'): P {
  try {
    const point = curve.fromBytes(octets)
    point.assertValidity()
    if (!point.is0() && !point.isSmallOrder()) return point
  } catch (cause) {
    throw new RangeError(`the public key is not a point of ${name}`, { cause })
  }
  throw new RangeError(`the public key is a point of ${name} with too small an order`)
}

const numberOf = (octets: Uint8Array): bigint => octets.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n)
