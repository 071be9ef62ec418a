import type { Credentials } from '../gss/credentials.ts'
import { Krb5Credential } from '../gss/krb5/credential.ts'
import type { Credential } from '../krb5/credential.ts'
import { type Principal, ticketGrantingService } from '../krb5/names.ts'
import { configEntry } from '../store/cacheconfig.ts'
import { type CcacheEntry, entryOf } from '../store/ccacheentry.ts'
import type { CredentialCaches } from './caches/caches.ts'

/** What a login came to. */
export interface LoginResult {
  readonly credential: Credential
  readonly clockOffset: number
  readonly keyExpiration?: number | undefined
  readonly kdc?: string | undefined
  /** The PA-DATA type of what proved the client (X-CACHECONF pa_type). */
  readonly preauthType?: number | undefined
  /** Whether the realm's KDCs speak FAST (X-CACHECONF fast_avail). */
  readonly fastAvailable?: boolean | undefined
}

/** Somebody who is logged in. Disposing of it wipes the tickets' keys. */
export class Login implements Disposable {
  /** As the KDC named it. */
  readonly principal: Principal
  /** To initiate contexts with; tickets bought on the way stay in it. */
  readonly credentials: Credentials
  /** The ticket-granting ticket. */
  readonly ticket: Credential
  /** The KDC's clock less ours, in microseconds. */
  readonly clockOffset: number
  /** When the password expires, in seconds since the epoch; undefined when the KDC does not tell. */
  readonly passwordExpires: number | undefined
  /** Who answered, as `host:port (TCP)`; undefined for a ticket out of a cache. */
  readonly kdc: string | undefined
  /** The PA-DATA type of what proved the client; undefined when the KDC wanted no proof, or a cache does not tell. */
  readonly preauthType: number | undefined
  /** Whether the realm's KDCs speak FAST: tickets are bought through it then. */
  readonly fastAvailable: boolean

  readonly #caches: CredentialCaches

  constructor(result: LoginResult, caches: CredentialCaches) {
    const { credential, clockOffset, keyExpiration, kdc, preauthType, fastAvailable = false } = result
    this.#caches = caches
    this.principal = credential.client
    this.ticket = credential
    this.clockOffset = clockOffset
    this.passwordExpires = keyExpiration
    this.kdc = kdc
    this.preauthType = preauthType
    this.fastAvailable = fastAvailable
    this.credentials = Krb5Credential.credentials({
      initiate: {
        client: credential.client,
        tickets: [credential],
        clockOffset,
        startRealm: credential.server.realm,
        fastAvailable,
      },
    })
  }

  /** Writes the ticket to a ccache that C programs use as well (`FILE:path`, `DIR:path`, `KCM:`), in place of what is there. */
  async save(name?: string): Promise<void> {
    const cache = await this.#caches.resolve(name)
    const { principal, clockOffset, ticket } = this
    await cache.replace({ principal, clockOffset, entries: [...this.#seen(), entryOf(ticket)] })
  }

  /** What MIT's library keeps beside a ticket of what the KDC was seen to do. */
  #seen(): CcacheEntry[] {
    const { principal, preauthType, fastAvailable } = this
    const { realm } = this.ticket.server
    const about = ticketGrantingService(realm)
    return [
      ...(fastAvailable ? [configEntry(principal, 'fast_avail', 'yes', about)] : []),
      ...(preauthType === undefined ? [] : [configEntry(principal, 'pa_type', String(preauthType), about)]),
      ...(realm === principal.realm ? [] : [configEntry(principal, 'start_realm', realm)]),
    ]
  }

  [Symbol.dispose](): void {
    this.credentials[Symbol.dispose]()
  }
}
