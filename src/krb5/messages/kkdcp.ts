/** The KDC proxy protocol of [MS-KKDCP]. @module */
import type { Infer } from '../../asn1/codec.ts'
import { octetString } from '../../asn1/primitives.ts'
import { field, optional, sequence } from '../../asn1/structures.ts'
import { Int32, Realm } from './basics.ts'

/** [MS-KKDCP] §2.2.2 */
export const KdcProxyMessage = sequence('KDC-PROXY-MESSAGE', {
  kerbMessage:   field(0, octetString),
  targetDomain:  optional(1, Realm),
  dclocatorHint: optional(2, Int32),
})
export interface KdcProxyMessage extends Infer<typeof KdcProxyMessage> {}
