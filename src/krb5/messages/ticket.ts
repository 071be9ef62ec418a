import type { Infer } from '../../asn1/codec.ts'
import { octetString } from '../../asn1/primitives.ts'
import { application, field, fixed, optional, sequence } from '../../asn1/structures.ts'
import { AuthorizationData, EncryptedData, EncryptionKey, HostAddresses, Int32, KerberosTime, PrincipalName, Realm, TicketFlags } from './basics.ts'

/** RFC 4120 §5.3 */
export const Ticket = application(1, sequence('Ticket', {
  tktVno:  fixed(0, Int32, 5),
  realm:   field(1, Realm),
  sname:   field(2, PrincipalName),
  encPart: field(3, EncryptedData),
}))
export interface Ticket extends Infer<typeof Ticket> {}

/** RFC 4120 §5.3 */
export const TransitedEncoding = sequence('TransitedEncoding', {
  trType:   field(0, Int32),
  contents: field(1, octetString),
})
export interface TransitedEncoding extends Infer<typeof TransitedEncoding> {}

/** RFC 4120 §5.3 */
export const EncTicketPart = application(3, sequence('EncTicketPart', {
  flags:             field(0, TicketFlags),
  key:               field(1, EncryptionKey),
  crealm:            field(2, Realm),
  cname:             field(3, PrincipalName),
  transited:         field(4, TransitedEncoding),
  authtime:          field(5, KerberosTime),
  starttime:         optional(6, KerberosTime),
  endtime:           field(7, KerberosTime),
  renewTill:         optional(8, KerberosTime),
  caddr:             optional(9, HostAddresses),
  authorizationData: optional(10, AuthorizationData),
}))
export interface EncTicketPart extends Infer<typeof EncTicketPart> {}
