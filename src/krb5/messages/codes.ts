/** Numbers that RFC 4120 §7.5 and the IANA registry give names to. @module */

/** Message types, which are also application tags (RFC 4120 §7.5.7). */
export const messageTypes = { asReq: 10, asRep: 11, tgsReq: 12, tgsRep: 13, apReq: 14, apRep: 15, safe: 20, priv: 21, cred: 22, error: 30 } as const

/** Name types (RFC 4120 §6.2, RFC 6111 §3, RFC 6806 §5, MS-KILE §3.1.5.2). */
export const nameTypes = {
  unknown: 0, principal: 1, serviceInstance: 2, serviceHost: 3, serviceXhost: 4, uid: 5, x500Principal: 6, smtpName: 7,
  enterprise: 10, wellknown: 11, serviceHostDomain: 12, msPrincipal: -128, msPrincipalAndId: -129, entPrincipalAndId: -130,
} as const
/** The name of a name type. */
export type NameType = keyof typeof nameTypes

/** Pre-authentication data types (RFC 4120 §7.5.2 and the IANA registry). */
export const paTypes = {
  tgsReq: 1, encTimestamp: 2, pwSalt: 3, etypeInfo: 11, pkAsReq: 16, pkAsRep: 17, etypeInfo2: 19, svrReferralInfo: 20, pacRequest: 128,
  forUser: 129, s4uX509User: 130, asChecksum: 132, fxCookie: 133, fxFast: 136, fxError: 137, encryptedChallenge: 138, otpChallenge: 141,
  otpRequest: 142, otpPinChange: 144, pkinitKx: 147, asFreshness: 150, spake: 151, reqEncPaRep: 149, pacOptions: 167, supportedEnctypes: 165,
} as const

/** Authorization data types (RFC 4120 §7.5.4, RFC 6113, RFC 7751, MS-KILE). */
export const adTypes = {
  ifRelevant: 1, kdcIssued: 4, andOr: 5, mandatoryForKdc: 8, initialVerifiedCas: 9, fxArmor: 71, authenticationStrength: 70,
  fxFastUsed: 72, authIndicator: 97, win2kPac: 128, etypeNegotiation: 129, tokenRestrictions: 141, apOptions: 143, targetPrincipal: 144,
  cammac: 96,
} as const

/** Address types (RFC 4120 §7.5.3). */
export const addressTypes = { ipv4: 2, ipv6: 24, directional: 3, netbios: 20, addrport: 256, ipport: 257 } as const

/** Transited encoding types (RFC 4120 §7.5.5). */
export const transitedTypes = { domainX500Compress: 1 } as const

/** Last-request types (RFC 4120 §5.4.2). */
export const lastReqTypes = { none: 0, lastInitialTgt: 1, lastInitial: 2, newestTgt: 3, lastRenewal: 4, lastRequest: 5, passwordExpires: 6, accountExpires: 7 } as const

/** Checksum types that are not one enctype's own (RFC 4121 §4.1.1). */
export const GSS_CHECKSUM_TYPE = 0x8003
