import type { Credentials } from '../gss/credentials.ts'
import { Krb5Credential } from '../gss/krb5/credential.ts'
import type { Credential } from '../krb5/credential.ts'
import type { Principal } from '../krb5/names.ts'
import { entryOf } from '../store/ccacheentry.ts'
import type { CredentialCaches } from './caches/caches.ts'

/** What a login came to. */
export interface LoginResult {
  readonly credential: Credential
  readonly clockOffset: number
  readonly keyExpiration?: number | undefined
  readonly kdc?: string | undefined
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

  readonly #caches: CredentialCaches

  constructor({ credential, clockOffset, keyExpiration, kdc }: LoginResult, caches: CredentialCaches) {
    this.#caches = caches
    this.principal = credential.client
    this.ticket = credential
    this.clockOffset = clockOffset
    this.passwordExpires = keyExpiration
    this.kdc = kdc
    this.credentials = Krb5Credential.credentials({
      initiate: { client: credential.client, tickets: [credential], clockOffset },
    })
  }

  /** Writes the ticket to a ccache that C programs use as well (`FILE:path`, `DIR:path`, `KCM:`), in place of what is there. */
  async save(name?: string): Promise<void> {
    const cache = await this.#caches.resolve(name)
    const { principal, clockOffset, ticket } = this
    await cache.replace({ principal, clockOffset, entries: [entryOf(ticket)] })
  }

  [Symbol.dispose](): void {
    this.credentials[Symbol.dispose]()
  }
}
