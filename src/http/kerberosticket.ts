import { type Authorization, type AuthorizationOptions, authorization } from './authorization.ts'

/** What a {@link KerberosTicket} is made of; the server always has to prove who it is. */
export type KerberosTicketOptions = Omit<AuthorizationOptions, 'targetName' | 'mutualAuthentication'>

/**
 * The proof of who sends one request, with the members that users of python-kerberos give it: `authHeader` goes out with
 * the request, `verifyResponse` takes the field of the answer. Disposing of it wipes the context; verifying does so, too.
 */
export class KerberosTicket implements Disposable {
  readonly #begin: () => Promise<Authorization>
  #attempt: Promise<Authorization> | undefined
  #used = false

  /** For a `service` as `HTTP@www.example.com` or `HTTP/www.example.com@EXAMPLE.COM`. Throws TypeError for one without a host. */
  constructor(service: string, options: KerberosTicketOptions) {
    const [, host] = /^[^@/]+[@/]([^@/]+)/.exec(service) ?? []
    if (host === undefined) throw new TypeError(`not a service at a host: ${service}; write HTTP@www.example.com`)
    const url = `http://${host.includes(':') ? `[${host}]` : host}/`
    this.#begin = () => authorization(url, { ...options, targetName: service, mutualAuthentication: 'required' })
  }

  /** The value of the Authorization field, the same each time it is asked for. Rejects with what the mechanism throws. */
  get authHeader(): Promise<string> {
    this.#attempt ??= this.#begin()
    return this.#attempt.then(({ header }) => header)
  }

  /**
   * Checks the WWW-Authenticate field of the response to the request, once. Rejects with MutualAuthenticationError where it
   * does not say that the service sent it, and with TypeError before the header was asked for and after the first response.
   */
  async verifyResponse(field: string | null | undefined): Promise<void> {
    if (!this.#attempt) throw new TypeError('there is nothing to verify before authHeader was sent')
    if (this.#used) throw new TypeError('this ticket verified a response already: make another for the next request')
    this.#used = true
    using attempt = await this.#attempt
    await attempt.verify(field)
  }

  [Symbol.dispose](): void {
    this.#used = true
    this.#attempt?.then(
      (attempt) => attempt[Symbol.dispose](),
      () => undefined,
    )
  }
}
