import type { Infer } from '../../asn1/codec.ts'
import { application, choice, encoded, field, fixed, optional, sequence, sequenceOf } from '../../asn1/structures.ts'
import {
  EncryptedData, EncryptionKey, HostAddresses, Int32, KdcOptions, KerberosTime, MethodData, Nonce, PaData, PrincipalName, Realm, TicketFlags,
} from './basics.ts'
import { KrbErrorMessage } from './error.ts'
import { Ticket } from './ticket.ts'

/** RFC 4120 §5.4.1 */
export const KdcReqBody = sequence('KDC-REQ-BODY', {
  kdcOptions:           field(0, KdcOptions),
  cname:                optional(1, PrincipalName),
  realm:                field(2, Realm),
  sname:                optional(3, PrincipalName),
  from:                 optional(4, KerberosTime),
  till:                 field(5, KerberosTime),
  rtime:                optional(6, KerberosTime),
  nonce:                field(7, Nonce),
  etype:                field(8, sequenceOf(Int32)),
  addresses:            optional(9, HostAddresses),
  encAuthorizationData: optional(10, EncryptedData),
  additionalTickets:    optional(11, sequenceOf(Ticket)),
})
export interface KdcReqBody extends Infer<typeof KdcReqBody> {}

const kdcReq = (msgType: number) => sequence('KDC-REQ', {
  pvno:    fixed(1, Int32, 5),
  msgType: fixed(2, Int32, msgType),
  padata:  optional(3, sequenceOf(PaData)),
  reqBody: field(4, encoded(KdcReqBody)),
})

/** RFC 4120 §5.4.1 */
export const AsReq = application(10, kdcReq(10))
/** RFC 4120 §5.4.1 */
export const TgsReq = application(12, kdcReq(12))
export interface KdcReq extends Infer<typeof AsReq> {}

const kdcRep = (name: string, msgType: number) => sequence(name, {
  pvno:    fixed(0, Int32, 5),
  msgType: fixed(1, Int32, msgType),
  padata:  optional(2, sequenceOf(PaData)),
  crealm:  field(3, Realm),
  cname:   field(4, PrincipalName),
  ticket:  field(5, Ticket),
  encPart: field(6, EncryptedData),
})

/** RFC 4120 §5.4.2 */
export const AsRep = application(11, kdcRep('AS-REP', 11))
/** RFC 4120 §5.4.2 */
export const TgsRep = application(13, kdcRep('TGS-REP', 13))
export interface KdcRep extends Infer<typeof AsRep> {}

/** RFC 4120 §5.4.2 */
export const LastReq = sequenceOf(sequence('LastReq', {
  lrType:  field(0, Int32),
  lrValue: field(1, KerberosTime),
}))

const encKdcRepPart = sequence('EncKDCRepPart', {
  key:             field(0, EncryptionKey),
  lastReq:         field(1, LastReq),
  nonce:           field(2, Nonce),
  keyExpiration:   optional(3, KerberosTime),
  flags:           field(4, TicketFlags),
  authtime:        field(5, KerberosTime),
  starttime:       optional(6, KerberosTime),
  endtime:         field(7, KerberosTime),
  renewTill:       optional(8, KerberosTime),
  srealm:          field(9, Realm),
  sname:           field(10, PrincipalName),
  caddr:           optional(11, HostAddresses),
  encryptedPaData: optional(12, MethodData), // RFC 6806 §11
})
export interface EncKdcRepPart extends Infer<typeof encKdcRepPart> {}

/** RFC 4120 §5.4.2; some KDCs send the tag of the TGS's part here, so both are read. */
export const EncAsRepPart = application([25, 26], encKdcRepPart)
/** RFC 4120 §5.4.2 */
export const EncTgsRepPart = application(26, encKdcRepPart)

/** What answers an AS-REQ (RFC 4120 §3.1.2). */
export const AsAnswer = choice('AS-REP or KRB-ERROR', { reply: AsRep, error: KrbErrorMessage })
/** What answers a TGS-REQ (RFC 4120 §3.3.2). */
export const TgsAnswer = choice('TGS-REP or KRB-ERROR', { reply: TgsRep, error: KrbErrorMessage })
