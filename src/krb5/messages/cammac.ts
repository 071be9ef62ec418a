/** The container of authorization data that the KDC signs (RFC 7751), and the indicators in it (RFC 8129). @module */
import type { Infer } from '../../asn1/codec.ts'
import { utf8String } from '../../asn1/primitives.ts'
import { field, optional, sequence, sequenceOf } from '../../asn1/structures.ts'
import { AuthorizationData, Checksum, Int32, PrincipalName, SequenceNumber } from './basics.ts'

/** RFC 7751 §3 */
export const VerifierMac = sequence('Verifier-MAC', {
  identifier: optional(0, PrincipalName),
  kvno:       optional(1, SequenceNumber),
  enctype:    optional(2, Int32),
  mac:        field(3, Checksum),
})
export interface VerifierMac extends Infer<typeof VerifierMac> {}

/** RFC 7751 §3; Verifier is an extensible CHOICE of which there is one so far, without a tag of its own. */
export const AdCammac = sequence('AD-CAMMAC', {
  elements:       field(0, AuthorizationData),
  kdcVerifier:    optional(1, VerifierMac),
  svcVerifier:    optional(2, VerifierMac),
  otherVerifiers: optional(3, sequenceOf(VerifierMac)),
})
export interface AdCammac extends Infer<typeof AdCammac> {}

/** RFC 8129 §3 */
export const AdAuthenticationIndicator = sequenceOf(utf8String)
