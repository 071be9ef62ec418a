import type { Infer } from '../../asn1/codec.ts'
import { octetString } from '../../asn1/primitives.ts'
import { application, field, fixed, optional, sequence, sequenceOf } from '../../asn1/structures.ts'
import { Int32, KerberosString, KerberosTime, Microseconds, PrincipalName, Realm } from './basics.ts'

/** RFC 4120 §5.9.1 */
export const KrbErrorMessage = application(30, sequence('KRB-ERROR', {
  pvno:      fixed(0, Int32, 5),
  msgType:   fixed(1, Int32, 30),
  ctime:     optional(2, KerberosTime),
  cusec:     optional(3, Microseconds),
  stime:     field(4, KerberosTime),
  susec:     field(5, Microseconds),
  errorCode: field(6, Int32),
  crealm:    optional(7, Realm),
  cname:     optional(8, PrincipalName),
  realm:     field(9, Realm),
  sname:     field(10, PrincipalName),
  eText:     optional(11, KerberosString),
  eData:     optional(12, octetString),
}))
export interface KrbErrorMessage extends Infer<typeof KrbErrorMessage> {}

/** RFC 4120 §5.9.1 */
export const TypedData = sequenceOf(sequence('TYPED-DATA', {
  dataType:  field(0, Int32),
  dataValue: optional(1, octetString),
}))
export type TypedData = Infer<typeof TypedData>
