/** Messages of IAKERB (draft-ietf-kitten-iakerb-03): schemas alone. @module */
import type { Infer } from '../../asn1/codec.ts'
import { octetString, utf8String } from '../../asn1/primitives.ts'
import { choice, field, optional, sequence } from '../../asn1/structures.ts'
import { Checksum } from './basics.ts'

/** The realm as the draft has it, or as MIT krb5 wrote it before 1.22. */
const TargetRealm = choice('target-realm', { utf8String, octetString })

/** draft-ietf-kitten-iakerb-03 §3 */
export const IakerbHeader = sequence('IAKERB-HEADER', {
  targetRealm: field(1, TargetRealm),
  cookie:      optional(2, octetString),
})
export interface IakerbHeader extends Infer<typeof IakerbHeader> {}

/** draft-ietf-kitten-iakerb-03 §4.1 */
export const IakerbFinished = sequence('IAKERB-FINISHED', {
  gssMic: field(1, Checksum),
})
