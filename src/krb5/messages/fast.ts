/** Flexible authentication secure tunnelling (RFC 6113 §5.4). @module */
import type { Infer } from '../../asn1/codec.ts'
import { flags, octetString } from '../../asn1/primitives.ts'
import { choice, encoded, explicit, field, optional, sequence } from '../../asn1/structures.ts'
import { Checksum, EncryptedData, EncryptionKey, Int32, KerberosTime, MethodData, Microseconds, Nonce, PrincipalName, Realm } from './basics.ts'
import { KdcReqBody } from './kdc.ts'

/** RFC 6113 §5.4.1 */
export const KrbFastArmor = sequence('KrbFastArmor', {
  armorType:  field(0, Int32),
  armorValue: field(1, octetString),
})
export interface KrbFastArmor extends Infer<typeof KrbFastArmor> {}

/** RFC 6113 §5.4.1: the only type of armor there is. */
export const FX_FAST_ARMOR_AP_REQUEST = 1

/** RFC 6113 §5.4.2 */
export const KrbFastArmoredReq = sequence('KrbFastArmoredReq', {
  armor:       optional(0, KrbFastArmor),
  reqChecksum: field(1, Checksum),
  encFastReq:  field(2, EncryptedData),
})
export interface KrbFastArmoredReq extends Infer<typeof KrbFastArmoredReq> {}

/** RFC 6113 §5.4.2 */
export const PaFxFastRequest = choice('PA-FX-FAST-REQUEST', { armored: explicit(0, KrbFastArmoredReq) })

/** RFC 6113 §5.4.2; bits 1 to 15 are critical. */
export const FastOptions = flags('FastOptions', { reserved: 0, hideClientNames: 1, kdcFollowReferrals: 16 })
export type FastOptions = Infer<typeof FastOptions>

/** RFC 6113 §5.4.2 */
export const KrbFastReq = sequence('KrbFastReq', {
  fastOptions: field(0, FastOptions),
  padata:      field(1, MethodData),
  reqBody:     field(2, encoded(KdcReqBody)),
})
export interface KrbFastReq extends Infer<typeof KrbFastReq> {}

/** RFC 6113 §5.4.3 */
export const KrbFastArmoredRep = sequence('KrbFastArmoredRep', {
  encFastRep: field(0, EncryptedData),
})

/** RFC 6113 §5.4.3 */
export const PaFxFastReply = choice('PA-FX-FAST-REPLY', { armored: explicit(0, KrbFastArmoredRep) })

/** RFC 6113 §5.4.3 */
export const KrbFastFinished = sequence('KrbFastFinished', {
  timestamp:      field(0, KerberosTime),
  usec:           field(1, Microseconds),
  crealm:         field(2, Realm),
  cname:          field(3, PrincipalName),
  ticketChecksum: field(4, Checksum),
})
export interface KrbFastFinished extends Infer<typeof KrbFastFinished> {}

/** RFC 6113 §5.4.3 */
export const KrbFastResponse = sequence('KrbFastResponse', {
  padata:        field(0, MethodData),
  strengthenKey: optional(1, EncryptionKey),
  finished:      optional(2, KrbFastFinished),
  nonce:         field(3, Nonce),
})
export interface KrbFastResponse extends Infer<typeof KrbFastResponse> {}
