import type { Infer } from '../../asn1/codec.ts'
import { application, field, fixed, optional, sequence } from '../../asn1/structures.ts'
import {
  ApOptions, AuthorizationData, Checksum, EncryptedData, EncryptionKey, Int32, KerberosTime, Microseconds, PrincipalName, Realm, SequenceNumber,
} from './basics.ts'
import { Ticket } from './ticket.ts'

/** RFC 4120 §5.5.1 */
export const ApReq = application(14, sequence('AP-REQ', {
  pvno:          fixed(0, Int32, 5),
  msgType:       fixed(1, Int32, 14),
  apOptions:     field(2, ApOptions),
  ticket:        field(3, Ticket),
  authenticator: field(4, EncryptedData),
}))
export interface ApReq extends Infer<typeof ApReq> {}

/** RFC 4120 §5.5.1 */
export const Authenticator = application(2, sequence('Authenticator', {
  authenticatorVno:  fixed(0, Int32, 5),
  crealm:            field(1, Realm),
  cname:             field(2, PrincipalName),
  cksum:             optional(3, Checksum),
  cusec:             field(4, Microseconds),
  ctime:             field(5, KerberosTime),
  subkey:            optional(6, EncryptionKey),
  seqNumber:         optional(7, SequenceNumber),
  authorizationData: optional(8, AuthorizationData),
}))
export interface Authenticator extends Infer<typeof Authenticator> {}

/** RFC 4120 §5.5.2 */
export const ApRep = application(15, sequence('AP-REP', {
  pvno:    fixed(0, Int32, 5),
  msgType: fixed(1, Int32, 15),
  encPart: field(2, EncryptedData),
}))
export interface ApRep extends Infer<typeof ApRep> {}

/** RFC 4120 §5.5.2 */
export const EncApRepPart = application(27, sequence('EncAPRepPart', {
  ctime:     field(0, KerberosTime),
  cusec:     field(1, Microseconds),
  subkey:    optional(2, EncryptionKey),
  seqNumber: optional(3, SequenceNumber),
}))
export interface EncApRepPart extends Infer<typeof EncApRepPart> {}
