/** What can go wrong around HTTP Negotiate itself; what goes wrong inside of a context is a GssError. */
export type NegotiateCode =
  /** The response cannot be shown to come from the service that was meant. */
  | 'MUTUAL_AUTHENTICATION'
  /** The body cannot be sent a second time, which answering a challenge takes. */
  | 'BODY_NOT_REPLAYABLE'
  /** A redirect that leads nowhere, to no HTTP resource, to one with a user's name in it, or that the runtime hides. */
  | 'BAD_REDIRECT'
  /** The challenge asks for something else than Negotiate. */
  | 'NOT_OFFERED'
  /** The server asks for more legs than any mechanism has. */
  | 'TOO_MANY_LEGS'
  /** The connection broke under a request that carried a token; nobody knows what the server made of it. */
  | 'CONNECTION_LOST'
  /** The proxy does not let the user through. */
  | 'PROXY_REFUSED'
  /** An Authorization field that is no credentials of RFC 4559. */
  | 'BAD_CREDENTIALS'
  /** A context of several legs needs them all to come over one connection. */
  | 'NO_CONNECTION'
  /** A password that the KDC does not take. */
  | 'WRONG_PASSWORD'
  /** No KDC that proves itself says whether it is the right password. */
  | 'NO_KDC'
  /** More passwords than are looked at. */
  | 'BUSY'
  /** Not over TLS. */
  | 'INSECURE'
  /** It is known who that is, but that one may not. */
  | 'FORBIDDEN'

/** A failure of HTTP Negotiate (RFC 4559). The message never holds a token. */
export class NegotiateError extends Error {
  override readonly name: string = 'NegotiateError'
  readonly code: NegotiateCode

  constructor(code: NegotiateCode, what: string, options?: ErrorOptions) {
    super(`${code}: ${what}`, options)
    this.code = code
  }
}

/**
 * The server's last token is missing or does not verify, so nothing says that the response is from the service that was
 * meant (RFC 4559 §4.1). `cause` tells what the mechanism found.
 */
export class MutualAuthenticationError extends NegotiateError {
  override readonly name = 'MutualAuthenticationError'
  /** Where the response came from. */
  readonly url: string

  constructor(url: string, what: string, options?: ErrorOptions) {
    super('MUTUAL_AUTHENTICATION', `${url}: ${what}`, options)
    this.url = url
  }
}
