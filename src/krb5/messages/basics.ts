/** The types that RFC 4120 §5.2 builds everything else from. @module */
import type { Infer } from '../../asn1/codec.ts'
import { flags, generalizedTime, generalString, integer, octetString, primitive } from '../../asn1/primitives.ts'
import { field, mapped, optional, sequence, sequenceOf } from '../../asn1/structures.ts'

/** RFC 4120 §5.2.4 */
export const Int32 = integer('Int32', -(2 ** 31), 2 ** 31 - 1)
/** RFC 4120 §5.2.4 */
export const Microseconds = integer('Microseconds', 0, 999_999)
/** A UInt32 that old peers write as a signed number (RFC 4120 §5.3.2, "seq-number"); read as unsigned. */
export const SequenceNumber = mapped('UInt32', integer('UInt32', -(2 ** 31), 2 ** 32 - 1), (wire) => wire >>> 0, (value) => value)
/** RFC 4120 §5.4.1: a UInt32 that old peers write as a signed number; kept as it came, since it is only echoed. */
export const Nonce = integer('UInt32', -(2 ** 31), 2 ** 32 - 1)
/** RFC 4120 §5.2.1; UTF-8, as every deployed KDC sends it. */
export const KerberosString = generalString
/** RFC 4120 §5.2.1 where it need not be text: salts may hold any octets (RFC 8009 §4). */
export const KerberosOctets = primitive<Uint8Array>('KerberosString', 0x1b, (octets) => octets, (octets) => octets)
/** RFC 4120 §5.2.2 */
export const Realm = generalString
/** RFC 4120 §5.2.3, seconds since the Unix epoch. */
export const KerberosTime = generalizedTime

/** RFC 4120 §5.2.2 */
export const PrincipalName = sequence('PrincipalName', {
  nameType:   field(0, Int32),
  nameString: field(1, sequenceOf(KerberosString)),
})
export interface PrincipalName extends Infer<typeof PrincipalName> {}

/** RFC 4120 §5.2.5 */
export const HostAddress = sequence('HostAddress', {
  addrType: field(0, Int32),
  address:  field(1, octetString),
})
export interface HostAddress extends Infer<typeof HostAddress> {}

/** RFC 4120 §5.2.5 */
export const HostAddresses = sequenceOf(HostAddress)

/** RFC 4120 §5.2.6 */
export const AuthorizationData = sequenceOf(sequence('AuthorizationData', {
  adType: field(0, Int32),
  adData: field(1, octetString),
}))
export type AuthorizationData = Infer<typeof AuthorizationData>

/** RFC 4120 §5.2.7 */
export const PaData = sequence('PA-DATA', {
  padataType:  field(1, Int32),
  padataValue: field(2, octetString),
})
export interface PaData extends Infer<typeof PaData> {}

/** RFC 4120 §5.9.1: what e-data holds when the KDC asks for pre-authentication. */
export const MethodData = sequenceOf(PaData)

/** RFC 4120 §5.2.9 */
export const EncryptedData = sequence('EncryptedData', {
  etype:  field(0, Int32),
  kvno:   optional(1, SequenceNumber),
  cipher: field(2, octetString),
})
export interface EncryptedData extends Infer<typeof EncryptedData> {}

/** RFC 4120 §5.2.9 */
export const EncryptionKey = sequence('EncryptionKey', {
  keytype:  field(0, Int32),
  keyvalue: field(1, octetString),
})
export interface EncryptionKey extends Infer<typeof EncryptionKey> {}

/** RFC 4120 §5.2.9 */
export const Checksum = sequence('Checksum', {
  cksumtype: field(0, Int32),
  checksum:  field(1, octetString),
})
export interface Checksum extends Infer<typeof Checksum> {}

/** RFC 4120 §5.3; MS-SFU §2.2 adds nothing here; RFC 6806 §11 adds encPaRep, RFC 8062 §3 anonymous. */
export const TicketFlags = flags('TicketFlags', {
  reserved: 0, forwardable: 1, forwarded: 2, proxiable: 3, proxy: 4, mayPostdate: 5, postdated: 6, invalid: 7, renewable: 8,
  initial: 9, preAuthent: 10, hwAuthent: 11, transitedPolicyChecked: 12, okAsDelegate: 13, encPaRep: 15, anonymous: 16,
})
export type TicketFlags = Infer<typeof TicketFlags>

/** RFC 4120 §5.4.1; RFC 6806 §3 adds canonicalize, MS-SFU §2.2.3 cnameInAddlTkt, RFC 8062 §3 requestAnonymous. */
export const KdcOptions = flags('KDCOptions', {
  reserved: 0, forwardable: 1, forwarded: 2, proxiable: 3, proxy: 4, allowPostdate: 5, postdated: 6, renewable: 8, optHardwareAuth: 11,
  cnameInAddlTkt: 14, canonicalize: 15, requestAnonymous: 16, disableTransitedCheck: 26, renewableOk: 27, encTktInSkey: 28, renew: 30,
  validate: 31,
})
export type KdcOptions = Infer<typeof KdcOptions>

/** RFC 4120 §5.5.1 */
export const ApOptions = flags('APOptions', { reserved: 0, useSessionKey: 1, mutualRequired: 2 })
export type ApOptions = Infer<typeof ApOptions>
