/** Major status codes (RFC 2743 §1.2.1.1, numbers of RFC 2744 §3.9.1) and what they mean. */
export const majorCodes = {
  GSS_S_BAD_MECH: { number: 1 << 16, meaning: 'the mechanism is not available' },
  GSS_S_BAD_NAME: { number: 2 << 16, meaning: 'the name is not valid' },
  GSS_S_BAD_NAMETYPE: { number: 3 << 16, meaning: 'the name is of a type this mechanism does not take' },
  GSS_S_BAD_BINDINGS: { number: 4 << 16, meaning: 'the channel bindings are not those of the peer' },
  GSS_S_BAD_STATUS: { number: 5 << 16, meaning: 'the status value is not valid' },
  GSS_S_BAD_SIG: { number: 6 << 16, meaning: 'the integrity check of a token failed' },
  GSS_S_NO_CRED: { number: 7 << 16, meaning: 'no credentials' },
  GSS_S_NO_CONTEXT: { number: 8 << 16, meaning: 'the context is not established' },
  GSS_S_DEFECTIVE_TOKEN: { number: 9 << 16, meaning: 'the token is malformed' },
  GSS_S_DEFECTIVE_CREDENTIAL: { number: 10 << 16, meaning: 'the credentials are malformed' },
  GSS_S_CREDENTIALS_EXPIRED: { number: 11 << 16, meaning: 'the credentials have expired' },
  GSS_S_CONTEXT_EXPIRED: { number: 12 << 16, meaning: 'the context has expired' },
  GSS_S_FAILURE: { number: 13 << 16, meaning: 'the mechanism failed' },
  GSS_S_BAD_QOP: { number: 14 << 16, meaning: 'the quality of protection is not supported' },
  GSS_S_UNAUTHORIZED: { number: 15 << 16, meaning: 'the operation is not permitted' },
  GSS_S_UNAVAILABLE: { number: 16 << 16, meaning: 'the operation is not available' },
  GSS_S_DUPLICATE_ELEMENT: { number: 17 << 16, meaning: 'the credential element exists already' },
  GSS_S_NAME_NOT_MN: { number: 18 << 16, meaning: 'the name is not a mechanism name' },
  GSS_S_DUPLICATE_TOKEN: { number: 2, meaning: 'the token was received before' },
  GSS_S_OLD_TOKEN: { number: 4, meaning: 'the token is too old to tell whether it was received before' },
  GSS_S_UNSEQ_TOKEN: { number: 8, meaning: 'the token is later than the one expected next' },
  GSS_S_GAP_TOKEN: { number: 16, meaning: 'a token before this one is missing' },
  /** python-gssapi's EncryptionNotUsed: not a status of RFC 2743. */
  ENCRYPTION_NOT_USED: { number: 0, meaning: 'confidentiality was requested, but the message was not encrypted' },
} as const

/** A major status by name. */
export type MajorCode = keyof typeof majorCodes

/** What a token that is genuine may have against it all the same (RFC 2743 §1.2.3, "supplementary"). */
export type SupplementaryCode = 'GSS_S_DUPLICATE_TOKEN' | 'GSS_S_OLD_TOKEN' | 'GSS_S_UNSEQ_TOKEN' | 'GSS_S_GAP_TOKEN'

/** How a {@link GssError} came about. */
export interface GssErrorDetails extends ErrorOptions {
  /** What the mechanism calls the reason, such as `KRB_AP_ERR_REPEAT`. */
  readonly minor?: string
  /** A token to send to the peer all the same, so that it learns why (RFC 2743 §1.2.9). */
  readonly token?: Uint8Array | undefined
}

/** A GSS-API call that did not succeed. `major` is RFC 2743's status, `minor` the mechanism's own word for the reason. */
export class GssError extends Error {
  override readonly name = 'GssError'
  readonly major: MajorCode
  readonly minor: string | undefined
  readonly token: Uint8Array | undefined

  constructor(major: MajorCode, what = '', { minor, token, ...options }: GssErrorDetails = {}) {
    super(`${major}: ${what || majorCodes[major].meaning}`, options)
    this.major = major
    this.minor = minor
    this.token = token
  }
}
