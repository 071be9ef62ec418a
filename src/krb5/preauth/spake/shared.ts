/** What both sides of SPAKE calculate (RFC 9588 §4, §6). @module */
import { concat, utf8 } from '../../../bytes/index.ts'
import { krbFxCf2, prfPlus } from '../../../crypto/derive.ts'
import type { PointGroup } from '../../../crypto/groups/elliptic.ts'
import { Key } from '../../../crypto/key.ts'
import { nobleHash } from '../../../crypto/primitives/noblehash.ts'
import { hashSizes } from '../../../crypto/primitives/primitives.ts'
import type { SpakeGroup } from './groups.ts'

/** Second factor types (RFC 9588 §10.2): none but the password. */
export const SF_NONE = 1

/** The multiplier that stands for the password (RFC 9588 §4.2), of `size` octets as scalars are; the caller overwrites it. */
export const multiplier = (initialKey: Key, { id }: SpakeGroup, { size }: Pick<PointGroup, 'size'>): Uint8Array =>
  prfPlus(initialKey, concat(utf8('SPAKEsecret'), uint32(id)), size)

/** The transcript before anything was said (RFC 9588 §6). */
export const emptyTranscript = ({ hash }: SpakeGroup): Uint8Array => new Uint8Array(hashSizes[hash])

/** The transcript with what was said since (RFC 9588 §6). */
export const transcribe = (transcript: Uint8Array, { hash }: SpakeGroup, ...said: readonly Uint8Array[]): Uint8Array =>
  nobleHash(hash, concat(transcript, ...said))

/** What keys are derived from (RFC 9588 §7). */
export interface SpakeResult {
  readonly group: SpakeGroup
  readonly initialKey: Key
  readonly multiplier: Uint8Array
  /** The point that both sides arrived at. */
  readonly shared: Uint8Array
  readonly transcript: Uint8Array
  /** DER of the KDC-REQ-BODY that the response came with. */
  readonly body: Uint8Array
}

/** K'[n] (RFC 9588 §7): 0 seals the reply, 1 the client's second factor. The caller's to wipe. */
export function derivedKey(n: number, { group, initialKey, multiplier, shared, transcript, body }: SpakeResult): Key {
  const { enctype } = initialKey
  const input = [
    utf8('SPAKEkey'),
    ...[uint32(group.id), uint32(enctype.id)],
    ...[multiplier, shared, transcript, body],
    uint32(n),
  ]
  const seed = new Uint8Array(enctype.seedSize)
  for (let at = 0, block = 1; at < seed.length; at += hashSizes[group.hash], block++) {
    const data = concat(...input, Uint8Array.of(block))
    seed.set(nobleHash(group.hash, data).subarray(0, seed.length - at), at)
    data.fill(0)
  }
  using key = Key.fromSeed(enctype, seed)
  seed.fill(0)
  return krbFxCf2(initialKey, key, 'SPAKE', 'keyderiv')
}

const uint32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
