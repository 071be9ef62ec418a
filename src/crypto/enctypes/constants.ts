import { utf8 } from '../../bytes/index.ts'
import { nfold } from '../nfold.ts'
import type { Purpose } from './profile.ts'

/** A constant that keys are derived with, as it is and spread over a block of AES (RFC 3961 §5.1). */
export interface Constant {
  readonly octets: Uint8Array
  readonly folded: Uint8Array
}

/** The last octet of the constant for each purpose (RFC 3961 §5.3). */
const OCTET: Readonly<Record<Purpose, number>> = { encrypt: 0xaa, integrity: 0x55, checksum: 0x99 }
/** More usages than there are in Kerberos and GSS-API together. */
const MOST_KEPT = 1024

const constant = (octets: Uint8Array): Constant => ({ octets, folded: nfold(octets, 16) })
const kept = new Map<number, Constant>()

/** A key usage number and the octet that says what the derived key is for (RFC 3961 §5.3). */
export function usageConstant(usage: number, purpose: Purpose): Constant {
  const id = usage * 256 + OCTET[purpose]
  let found = kept.get(id)
  if (!found) {
    if (kept.size >= MOST_KEPT) kept.clear()
    found = constant(Uint8Array.of(usage >>> 24, usage >>> 16, usage >>> 8, usage, OCTET[purpose]))
    kept.set(id, found)
  }
  return found
}

/** What string-to-key derives with (RFC 3961 §5.3). */
export const KERBEROS: Constant = constant(utf8('kerberos'))
/** What the pseudo-random function derives with (RFC 3961 §5.3). */
export const PRF: Constant = constant(utf8('prf'))
