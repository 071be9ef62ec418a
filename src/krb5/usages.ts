/**
 * Key usage numbers (RFC 4120 §7.5.1, RFC 4121 §2, RFC 6113 §6.2, RFC 3244, RFC 6560 §4.2, RFC 7751 §5, RFC 9588 §8, MS-SFU
 * §2.2, MS-PAC §2.8.1): the only place that has them.
 * @module
 */

/** Key usage numbers by what they protect. */
export const keyUsages = {
  paEncTimestamp: 1,
  ticket: 2,
  asRep: 3,
  tgsReqAuthDataSession: 4,
  tgsReqAuthDataSubkey: 5,
  tgsReqChecksum: 6,
  tgsReqAuthenticator: 7,
  tgsRepSession: 8,
  tgsRepSubkey: 9,
  apReqChecksum: 10,
  apReqAuthenticator: 11,
  apRep: 12,
  priv: 13,
  cred: 14,
  safe: 15,
  adKdcIssued: 19,
  acceptorSeal: 22,
  acceptorSign: 23,
  initiatorSeal: 24,
  initiatorSign: 25,
  /** What DES3 keys sign tokens of RFC 1964 with, of either kind and side. */
  des3Token: 23,
  /** RFC 4757 §7.2: the T that Windows has for GSS_GetMIC. */
  rc4Mic: 15,
  /** RFC 4757 §7.3: the T that Windows has for GSS_Wrap. */
  rc4Wrap: 13,
  forUser: 17,
  s4uUserRequest: 26,
  s4uUserReply: 27,
  /** MS-PAC §2.8.1: KERB_NON_KERB_CKSUM_SALT, as for PA-FOR-USER. */
  pacChecksum: 17,
  /** draft-ietf-kitten-iakerb-03 §4.1 */
  iakerbFinished: 42,
  otpRequest: 45,
  fastReqChecksum: 50,
  fastReq: 51,
  fastRep: 52,
  fastFinished: 53,
  encChallengeClient: 54,
  encChallengeKdc: 55,
  asReqChecksum: 56,
  paPkinitKx: 44,
  cammac: 64,
  spake: 65,
  /** MIT's number: nobody but the KDC that made a cookie reads it. */
  fxCookie: 513,
  /** MIT's number: nobody but the KDC that made a freshness token reads it (RFC 8070 §2.2). */
  asFreshness: 514,
} as const
