/** Pre-authentication data of RFC 4120 §5.2.7. @module */
import type { Infer } from '../../asn1/codec.ts'
import { octetString } from '../../asn1/primitives.ts'
import { field, optional, sequence, sequenceOf } from '../../asn1/structures.ts'
import { Int32, KerberosOctets, KerberosTime, Microseconds } from './basics.ts'

/** RFC 4120 §5.2.7.2 */
export const PaEncTsEnc = sequence('PA-ENC-TS-ENC', {
  patimestamp: field(0, KerberosTime),
  pausec:      optional(1, Microseconds),
})
export interface PaEncTsEnc extends Infer<typeof PaEncTsEnc> {}

/** RFC 4120 §5.2.7.4 */
export const EtypeInfo = sequenceOf(sequence('ETYPE-INFO-ENTRY', {
  etype: field(0, Int32),
  salt:  optional(1, octetString),
}))
export type EtypeInfo = Infer<typeof EtypeInfo>

/** RFC 4120 §5.2.7.5 */
export const EtypeInfo2 = sequenceOf(sequence('ETYPE-INFO2-ENTRY', {
  etype:     field(0, Int32),
  salt:      optional(1, KerberosOctets),
  s2kparams: optional(2, octetString),
}))
export type EtypeInfo2 = Infer<typeof EtypeInfo2>
