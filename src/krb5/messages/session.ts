/** Messages that travel between client and service under a session key: RFC 4120 §5.6 to §5.8. @module */
import type { Infer } from '../../asn1/codec.ts'
import { octetString } from '../../asn1/primitives.ts'
import { application, encoded, field, fixed, optional, sequence, sequenceOf } from '../../asn1/structures.ts'
import {
  Checksum, EncryptedData, EncryptionKey, HostAddress, HostAddresses, Int32, KerberosTime, Microseconds, Nonce, PrincipalName, Realm,
  SequenceNumber, TicketFlags,
} from './basics.ts'
import { Ticket } from './ticket.ts'

/** RFC 4120 §5.6.1 */
export const KrbSafeBody = sequence('KRB-SAFE-BODY', {
  userData:  field(0, octetString),
  timestamp: optional(1, KerberosTime),
  usec:      optional(2, Microseconds),
  seqNumber: optional(3, SequenceNumber),
  sAddress:  field(4, HostAddress),
  rAddress:  optional(5, HostAddress),
})
export interface KrbSafeBody extends Infer<typeof KrbSafeBody> {}

/** RFC 4120 §5.6.1 */
export const KrbSafe = application(20, sequence('KRB-SAFE', {
  pvno:     fixed(0, Int32, 5),
  msgType:  fixed(1, Int32, 20),
  safeBody: field(2, encoded(KrbSafeBody)),
  cksum:    field(3, Checksum),
}))
export interface KrbSafe extends Infer<typeof KrbSafe> {}

/** RFC 4120 §5.7.1 */
export const KrbPriv = application(21, sequence('KRB-PRIV', {
  pvno:    fixed(0, Int32, 5),
  msgType: fixed(1, Int32, 21),
  encPart: field(3, EncryptedData),
}))
export interface KrbPriv extends Infer<typeof KrbPriv> {}

/** RFC 4120 §5.7.1 */
export const EncKrbPrivPart = application(28, sequence('EncKrbPrivPart', {
  userData:  field(0, octetString),
  timestamp: optional(1, KerberosTime),
  usec:      optional(2, Microseconds),
  seqNumber: optional(3, SequenceNumber),
  sAddress:  field(4, HostAddress),
  rAddress:  optional(5, HostAddress),
}))
export interface EncKrbPrivPart extends Infer<typeof EncKrbPrivPart> {}

/** RFC 4120 §5.8.1 */
export const KrbCred = application(22, sequence('KRB-CRED', {
  pvno:    fixed(0, Int32, 5),
  msgType: fixed(1, Int32, 22),
  tickets: field(2, sequenceOf(Ticket)),
  encPart: field(3, EncryptedData),
}))
export interface KrbCred extends Infer<typeof KrbCred> {}

/** RFC 4120 §5.8.1 */
export const KrbCredInfo = sequence('KrbCredInfo', {
  key:       field(0, EncryptionKey),
  prealm:    optional(1, Realm),
  pname:     optional(2, PrincipalName),
  flags:     optional(3, TicketFlags),
  authtime:  optional(4, KerberosTime),
  starttime: optional(5, KerberosTime),
  endtime:   optional(6, KerberosTime),
  renewTill: optional(7, KerberosTime),
  srealm:    optional(8, Realm),
  sname:     optional(9, PrincipalName),
  caddr:     optional(10, HostAddresses),
})
export interface KrbCredInfo extends Infer<typeof KrbCredInfo> {}

/** RFC 4120 §5.8.1 */
export const EncKrbCredPart = application(29, sequence('EncKrbCredPart', {
  ticketInfo: field(0, sequenceOf(KrbCredInfo)),
  nonce:      optional(1, Nonce),
  timestamp:  optional(2, KerberosTime),
  usec:       optional(3, Microseconds),
  sAddress:   optional(4, HostAddress),
  rAddress:   optional(5, HostAddress),
}))
export interface EncKrbCredPart extends Infer<typeof EncKrbCredPart> {}
