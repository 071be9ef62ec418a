/** Logging in by the client keytab where tickets are wanted and there are none, or old ones (MIT's habit). @module */
import { KrbError, TransportError } from '../krb5/errors.ts'
import { type Principal, samePrincipal } from '../krb5/names.ts'
import { cacheConfig, configEntry } from '../store/cacheconfig.ts'
import type { CacheContents } from '../store/ccache.ts'
import type { CredentialCache } from './caches/cache.ts'
import type { Keytabs } from './keytabs.ts'
import { Login } from './login.ts'
import { logIn, type Machine } from './logins.ts'

/** What the client keytab serves. */
export interface Wanted {
  readonly cache: CredentialCache
  /** The name of the keytab. */
  readonly keytab: string
  /** The client that was asked for, or whose cache it is; the first one of the keytab unless said. */
  readonly client: Principal | undefined
}

/** Whether it is time for new tickets, though the ones in the cache are still good (refresh_time); `now` in seconds. */
export function isToRefresh(contents: CacheContents, now: number): boolean {
  const time = cacheConfig(contents, 'refresh_time')
  return time !== undefined && Number(time) <= now
}

/**
 * Logs in with a key of the client keytab and fills the cache; false where there is no such keytab, or no key of the
 * client in it. The cache tells when to do so again: at half the ticket's life. Throws KrbError, TransportError and StoreError.
 */
export async function logInByKeytab(
  machine: Machine & { readonly keytabs: Keytabs },
  { cache, keytab, client: named }: Wanted,
): Promise<boolean> {
  const client = await clientIn(machine, keytab, named)
  if (!client) return false
  using login = new Login(await logIn(machine, client, { keytab }), machine.caches)
  await login.save(cache.name)
  const { starttime, endtime } = login.ticket
  const refresh = String(Math.floor((starttime + endtime) / 2))
  await cache.add(configEntry(login.principal, 'refresh_time', refresh))
  return true
}

/** The same while the old tickets are still good: who cannot be reached now may be so later. */
export async function refreshByKeytab(...args: Parameters<typeof logInByKeytab>): Promise<boolean> {
  try {
    return await logInByKeytab(...args)
  } catch (error) {
    if (!(error instanceof KrbError || error instanceof TransportError)) throw error
    return false
  }
}

/** Whom a keytab has keys of: the client if there are some, or the first one if nobody is said. */
async function clientIn(
  { keytabs, env }: { readonly keytabs: Keytabs; readonly env: Machine['env'] },
  name: string,
  client: Principal | undefined,
): Promise<Principal | undefined> {
  try {
    const { entries } = await keytabs.resolve(name).read()
    const usable = new Set(env.enctypes.map(({ id }) => id))
    const principals = entries.filter(({ key }) => usable.has(key.keytype)).map(({ principal }) => principal)
    return client ? principals.find((principal) => samePrincipal(principal, client)) : principals[0]
  } catch (error) {
    if (error instanceof KrbError && error.code === 'NO_KEY') return undefined
    throw error
  }
}
