/** What was wrong with a certificate, a key file or a signature. */
export type CmsFault =
  /** It cannot be read. */
  | 'malformed'
  /** The signature is not that of the certificate. */
  | 'signature'
  /** No path leads from the certificate to an anchor, or none that may be taken. */
  | 'untrusted'
  /** A certificate of the path is not valid yet, or no more. */
  | 'expired'
  | 'revoked'
  /** Revocation must be looked up, and no list tells. */
  | 'revocation-unknown'
  /** Content of another type than was asked for. */
  | 'content'
  /** An algorithm or a file format that is not accepted. */
  | 'unsupported'
  /** A key or a file does not open with this password. */
  | 'password'

/** A certificate, a key or signed data that is not accepted: `fault` says why, the message says which and what to do. */
export class CmsError extends Error {
  override readonly name = 'CmsError'
  readonly fault: CmsFault

  constructor(fault: CmsFault, what: string, options: ErrorOptions = {}) {
    super(what, options)
    this.fault = fault
  }
}
