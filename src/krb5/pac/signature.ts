/** PAC_SIGNATURE_DATA (MS-PAC §2.8) @module */
import { OctetReader } from '../../bytes/cursor.ts'
import { checksumTypeById } from '../../crypto/checksums.ts'
import { PacError } from './error.ts'

/** Types of the buffers that hold signatures. */
export const signatureTypes = { server: 6, kdc: 7, ticket: 16, full: 19 } as const
/**
 * `server` covers the PAC and is made with the key of the service, the others with the key of the ticket-granting service:
 * `kdc` covers the server's signature, `ticket` the ticket around the PAC, `full` the PAC.
 */
export type SignatureKind = keyof typeof signatureTypes

/** A signature. */
export interface PacSignature {
  /** Checksum type number. */
  readonly type: number
  readonly checksum: Uint8Array
  /** Which read-only domain controller signed; undefined for all others. */
  readonly rodcIdentifier?: number
}

/** Octets before the checksum: its type. */
export const SIGNATURE_HEADER = 4
const RODC_IDENTIFIER = 2

/** Reads a signature, whose checksum must be of its type's size to the octet. Throws PacError and BoundsError. */
export function decodeSignature(octets: Uint8Array): PacSignature {
  const reader = new OctetReader(octets, { littleEndian: true })
  const type = reader.int32()
  const size = checksumTypeById(type)?.size ?? reader.remaining
  const checksum = reader.octets(size)
  if (reader.remaining === 0) return { type, checksum }
  if (reader.remaining !== RODC_IDENTIFIER)
    throw new PacError(`${octets.length} octets for a checksum of ${size}`, { offset: reader.offset })
  return { type, checksum, rodcIdentifier: reader.uint16() }
}

/** Writes what {@link decodeSignature} reads. */
export function encodeSignature({ type, checksum, rodcIdentifier }: PacSignature): Uint8Array<ArrayBuffer> {
  const end = SIGNATURE_HEADER + checksum.length
  // by hand: a view of an array that short costs as much as the rest of it
  const octets = new Uint8Array(rodcIdentifier === undefined ? end : end + RODC_IDENTIFIER)
  for (let i = 0; i < SIGNATURE_HEADER; i++) octets[i] = type >>> (8 * i)
  octets.set(checksum, SIGNATURE_HEADER)
  if (rodcIdentifier === undefined) return octets
  octets[end] = rodcIdentifier
  octets[end + 1] = rodcIdentifier >>> 8
  return octets
}
