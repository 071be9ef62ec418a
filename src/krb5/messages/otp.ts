/** One-time passwords (RFC 6560 §4); its module has implicit tags. @module */
import type { Infer } from '../../asn1/codec.ts'
import { anyValue, flags, octetString, utf8String } from '../../asn1/primitives.ts'
import { implicit, optional, sequence, sequenceOf } from '../../asn1/structures.ts'
import { EncryptedData, Int32, KerberosOctets, KerberosTime } from './basics.ts'

/** RFC 6560 §4.1 */
export const OtpFlags = flags('OTPFlags', {
  reserved: 0, nextOtp: 1, combine: 2, collectPin: 3, doNotCollectPin: 4, mustEncryptNonce: 5, separatePinRequired: 6, checkDigit: 7,
})
export type OtpFlags = Infer<typeof OtpFlags>

/** RFC 6560 §4.1 */
export const OtpTokenInfo = sequence('OTP-TOKENINFO', {
  flags:            implicit(0, OtpFlags),
  vendor:           optional(implicit(1, utf8String)),
  challenge:        optional(implicit(2, octetString)),
  length:           optional(implicit(3, Int32)),
  format:           optional(implicit(4, Int32)),
  tokenId:          optional(implicit(5, octetString)),
  algId:            optional(implicit(6, octetString)),
  supportedHashAlg: optional(implicit(7, sequenceOf(anyValue))),
  iterationCount:   optional(implicit(8, Int32)),
})
export interface OtpTokenInfo extends Infer<typeof OtpTokenInfo> {}

/** RFC 6560 §4.1 */
export const PaOtpChallenge = sequence('PA-OTP-CHALLENGE', {
  nonce:     implicit(0, octetString),
  service:   optional(implicit(1, utf8String)),
  tokenInfo: implicit(2, sequenceOf(OtpTokenInfo)),
  salt:      optional(implicit(3, KerberosOctets)),
  s2kparams: optional(implicit(4, octetString)),
})
export interface PaOtpChallenge extends Infer<typeof PaOtpChallenge> {}

/** RFC 6560 §4.2 */
export const PaOtpRequest = sequence('PA-OTP-REQUEST', {
  flags:          implicit(0, OtpFlags),
  nonce:          optional(implicit(1, octetString)),
  encData:        implicit(2, EncryptedData),
  iterationCount: optional(implicit(4, Int32)),
  value:          optional(implicit(5, octetString)),
  pin:            optional(implicit(6, utf8String)),
  challenge:      optional(implicit(7, octetString)),
  time:           optional(implicit(8, KerberosTime)),
  counter:        optional(implicit(9, octetString)),
  format:         optional(implicit(10, Int32)),
  tokenId:        optional(implicit(11, octetString)),
  algId:          optional(implicit(12, octetString)),
  vendor:         optional(implicit(13, utf8String)),
})
export interface PaOtpRequest extends Infer<typeof PaOtpRequest> {}

/** RFC 6560 §4.2 */
export const PaOtpEncRequest = sequence('PA-OTP-ENC-REQUEST', {
  nonce: implicit(0, octetString),
})
