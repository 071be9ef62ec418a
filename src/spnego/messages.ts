/** Messages of RFC 4178 and MS-SPNG: schemas alone. All tags are explicit (RFC 4178 §4). @module */
import type { Infer } from '../asn1/codec.ts'
import { anyValue, enumerated, generalString, objectIdentifier, octetString } from '../asn1/primitives.ts'
import { choice, encoded, explicit, field, optional, sequence, sequenceOf } from '../asn1/structures.ts'

/** RFC 4178 §4.1: mechanisms in decreasing preference. Its encoding is what a mechListMIC proves (§5 a). */
export const MechTypeList = sequenceOf(objectIdentifier)

/** RFC 4178 §4.2.1 */
export const NegTokenInit = sequence('NegTokenInit', {
  mechTypes: field(0, encoded(MechTypeList)),
  /** Left from RFC 2478, and ignored. */
  reqFlags: optional(1, anyValue),
  mechToken: optional(2, octetString),
  mechListMIC: optional(3, octetString),
})
export interface NegTokenInit extends Infer<typeof NegTokenInit> {}

/** MS-SPNG §2.2.1 */
export const NegHints = sequence('NegHints', {
  hintName: optional(0, generalString),
  hintAddress: optional(1, octetString),
})

/** MS-SPNG §2.2.1: what an acceptor that speaks first sends; the hints are where RFC 4178 has the MIC. */
export const NegTokenInit2 = sequence('NegTokenInit2', {
  mechTypes: field(0, encoded(MechTypeList)),
  reqFlags: optional(1, anyValue),
  mechToken: optional(2, octetString),
  negHints: optional(3, NegHints),
  mechListMIC: optional(4, octetString),
})
export interface NegTokenInit2 extends Infer<typeof NegTokenInit2> {}

/** RFC 4178 §4.2.2 */
export const NegState = enumerated('NegState', { acceptCompleted: 0, acceptIncomplete: 1, reject: 2, requestMic: 3 })
export type NegState = Infer<typeof NegState>

/** RFC 4178 §4.2.2 */
export const NegTokenResp = sequence('NegTokenResp', {
  negState: optional(0, NegState),
  supportedMech: optional(1, objectIdentifier),
  responseToken: optional(2, octetString),
  mechListMIC: optional(3, octetString),
})
export interface NegTokenResp extends Infer<typeof NegTokenResp> {}

/** RFC 4178 §4.2 */
export const NegotiationToken = choice('NegotiationToken', {
  negTokenInit: explicit(0, NegTokenInit),
  negTokenResp: explicit(1, NegTokenResp),
})

/** The same from an acceptor, whose NegTokenInit is Microsoft's (MS-SPNG §2.2.1). */
export const AcceptorNegotiationToken = choice('NegotiationToken', {
  negTokenInit2: explicit(0, NegTokenInit2),
  negTokenResp: explicit(1, NegTokenResp),
})
