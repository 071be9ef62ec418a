/**
 * Groups of points on elliptic curves, for the key agreement of PKINIT (RFC 5349). Scalars are BigInts: they cannot be
 * overwritten, so a key pair serves one exchange. @module
 */
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

/** The curves that certificates and PKINIT use. */
export const nistCurves: readonly NistCurve[] = [nist('P-256', p256), nist('P-384', p384), nist('P-521', p521)]

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

/** Reads a point and validates that it is one (SEC 1 §3.2.2.1). Throws RangeError. */
function pointOf(curve: typeof p256.Point, octets: Uint8Array, name: string) {
  try {
    const point = curve.fromBytes(octets)
    point.assertValidity()
    if (!point.is0()) return point
  } catch (cause) {
    throw new RangeError(`the public key is not a point of ${name}`, { cause })
  }
  throw new RangeError(`the public key is the point of ${name} at infinity`)
}
