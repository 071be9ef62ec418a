/** Where credentials go: into ccaches (RFC 5588). @module */
import type { Credentials } from '../gss/credentials.ts'
import { GssError } from '../gss/error.ts'
import { cacheEntries } from '../gss/krb5/cachedtickets.ts'
import { Krb5Credential } from '../gss/krb5/credential.ts'
import { mechanismOids, type Oid } from '../gss/oids.ts'
import { type Env, seconds } from '../krb5/env.ts'
import { formatPrincipal } from '../krb5/names.ts'
import { CONFIG_REALM } from '../store/records.ts'
import type { CredentialCache } from './caches/cache.ts'
import { type CredentialCaches, ownerOf } from './caches/caches.ts'

/** How tickets are stored (gss_store_cred_into, RFC 5588). */
export interface StoreOptions {
  /**
   * The name of the ccache. Unless said, the environment's; of a collection the cache of the client, or a new one, as a
   * login would choose.
   */
  readonly ccache?: string | undefined
  /** Whether tickets that are there and still good give way; false unless said. */
  readonly overwrite?: boolean | undefined
  /** Whether the cache becomes the primary of its collection; false unless said. */
  readonly setDefault?: boolean | undefined
}

/** What was stored (RFC 5588 §2). */
export interface Stored {
  readonly mechs: readonly Oid[]
  readonly usage: 'initiate'
  /** The full name of the ccache. */
  readonly ccache: string
}

/**
 * Writes the tickets of credentials, delegated ones for instance, into a ccache. Throws {@link GssError}
 * GSS_S_DUPLICATE_ELEMENT where tickets that are still good would have to give way, GSS_S_CREDENTIALS_EXPIRED for ones that
 * are not, GSS_S_NO_CRED without any, and StoreError.
 */
export async function store(
  { caches, env }: { readonly caches: CredentialCaches; readonly env: Pick<Env, 'now'> },
  credentials: Credentials,
  { ccache, overwrite = false, setDefault = false }: StoreOptions = {},
): Promise<Stored> {
  const element = credentials.element(mechanismOids.krb5)
  if (!(element instanceof Krb5Credential) || !element.client)
    throw new GssError('GSS_S_NO_CRED', 'there are no tickets in these credentials to be stored')
  const { client: principal, clockOffset, tickets } = element
  const now = seconds(env.now() + clockOffset)
  if (!tickets.some(({ endtime }) => endtime > now))
    throw new GssError('GSS_S_CREDENTIALS_EXPIRED', `all tickets of ${formatPrincipal(principal)} have expired`)
  const cache = ccache === undefined ? await caches.homeOf(principal) : await caches.resolve(ccache)
  if (!overwrite && (await holdsGood(cache, now)))
    throw new GssError('GSS_S_DUPLICATE_ELEMENT', `${cache.name} holds tickets that are still good: say overwrite`)
  const entries = cacheEntries({ ...element, client: principal, tickets })
  await cache.replace({ principal, clockOffset, entries })
  for (const { key } of entries) key[Symbol.dispose]()
  if (setDefault && caches.isInCollection(cache)) await caches.switchTo(cache)
  return { mechs: [element.mechanism], usage: 'initiate', ccache: cache.name }
}

async function holdsGood(cache: CredentialCache, now: number): Promise<boolean> {
  if (!(await ownerOf(cache))) return false
  const { entries } = await cache.read()
  for (const { key } of entries) key[Symbol.dispose]()
  return entries.some(({ endtime, server }) => endtime > now && server.realm !== CONFIG_REALM)
}
