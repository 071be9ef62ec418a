/** SPAKE pre-authentication (RFC 9588 §5). @module */
import type { Infer } from '../../asn1/codec.ts'
import { octetString } from '../../asn1/primitives.ts'
import { choice, explicit, field, optional, sequence, sequenceOf } from '../../asn1/structures.ts'
import { EncryptedData, Int32 } from './basics.ts'

/** RFC 9588 §5.1 */
export const SpakeSupport = sequence('SPAKESupport', {
  groups: field(0, sequenceOf(Int32)),
})

/** RFC 9588 §5.2 */
export const SpakeSecondFactor = sequence('SPAKESecondFactor', {
  type: field(0, Int32),
  data: optional(1, octetString),
})
export interface SpakeSecondFactor extends Infer<typeof SpakeSecondFactor> {}

/** RFC 9588 §5.2 */
export const SpakeChallenge = sequence('SPAKEChallenge', {
  group:   field(0, Int32),
  pubkey:  field(1, octetString),
  factors: field(2, sequenceOf(SpakeSecondFactor)),
})
export interface SpakeChallenge extends Infer<typeof SpakeChallenge> {}

/** RFC 9588 §5.3 */
export const SpakeResponse = sequence('SPAKEResponse', {
  pubkey: field(0, octetString),
  factor: field(1, EncryptedData),
})
export interface SpakeResponse extends Infer<typeof SpakeResponse> {}

/** RFC 9588 §5 */
export const PaSpake = choice('PA-SPAKE', {
  support:   explicit(0, SpakeSupport),
  challenge: explicit(1, SpakeChallenge),
  response:  explicit(2, SpakeResponse),
  encdata:   explicit(3, EncryptedData),
})
