/** Configuration that caches keep among their tickets (MIT's krb5_cc_set_config; MIT's ccache file format). @module */
import { fromUtf8, utf8 } from '../bytes/index.ts'
import { nameTypes } from '../krb5/messages/codes.ts'
import { formatPrincipal, type Principal, ticketGrantingService } from '../krb5/names.ts'
import type { CcacheEntry } from './ccacheentry.ts'
import { CONFIG_REALM } from './records.ts'
import { StoredKey } from './storedkey.ts'

/** First component of the service's name in a configuration entry. */
const CONFIG_NAME = 'krb5_ccache_conf_data'

/**
 * The keys that MIT's library knows, and who they are about: `fast_avail`, `pa_type`, `pa_config_data` and `start_realm` what
 * a KDC was seen to do, `refresh_time` when to get tickets anew from the client keytab, `proxy_impersonator` the service
 * that the tickets were got by.
 */
export type CacheConfigKey =
  | 'fast_avail'
  | 'pa_type'
  | 'pa_config_data'
  | 'refresh_time'
  | 'proxy_impersonator'
  | 'start_realm'

/** One configuration entry. */
export interface CacheConfig {
  /** A {@link CacheConfigKey}, or somebody else's. */
  readonly key: string
  /** The service it is about, as text; undefined when it is about the whole cache. */
  readonly principal?: string
  readonly value: Uint8Array
}

/** What a configuration entry says; undefined for a ticket. */
export function configOf({ server, ticket }: Pick<CcacheEntry, 'server' | 'ticket'>): CacheConfig | undefined {
  if (server.realm !== CONFIG_REALM) return undefined
  const [, key = '', principal] = server.components
  return { key, value: ticket, ...(principal === undefined ? {} : { principal }) }
}

/** What a cache is configured to; undefined when it says nothing, or what is no text. `about` is a service. */
export function cacheConfig(
  { entries }: { readonly entries: readonly CcacheEntry[] },
  key: CacheConfigKey,
  about?: Principal,
): string | undefined {
  const principal = about && formatPrincipal(about)
  const found = entries.map(configOf).find((config) => config?.key === key && config.principal === principal)
  try {
    return found && fromUtf8(found.value)
  } catch {
    return undefined
  }
}

/** What a cache tells of the KDCs that its tickets are from. */
export interface SeenOfKdcs {
  /** The realm whose ticket-granting ticket is the first one: the client's, unless that is nobody's. */
  readonly startRealm: string
  /** Whether its KDCs speak FAST. */
  readonly fastAvailable: boolean
  /** The PA-DATA type of what proved the client there. */
  readonly preauthType: number | undefined
}

/** What kinit and the like kept beside the tickets of what KDCs do. */
export function seenOfKdcs(cache: {
  readonly principal: Principal
  readonly entries: readonly CcacheEntry[]
}): SeenOfKdcs {
  const startRealm = cacheConfig(cache, 'start_realm') ?? cache.principal.realm
  const about = ticketGrantingService(startRealm)
  const type = cacheConfig(cache, 'pa_type', about)
  return {
    startRealm,
    fastAvailable: cacheConfig(cache, 'fast_avail', about) === 'yes',
    preauthType: type !== undefined && /^\d{1,9}$/.test(type) ? Number(type) : undefined,
  }
}

/** The entry that configures a cache of `client`, to be added to it. `about` is a service. */
export function configEntry(client: Principal, key: CacheConfigKey, value: string, about?: Principal): CcacheEntry {
  const components = [CONFIG_NAME, key, ...(about ? [formatPrincipal(about)] : [])]
  return {
    client,
    server: { type: nameTypes.principal, components, realm: CONFIG_REALM },
    key: new StoredKey(0, new Uint8Array(0)),
    ...{ authtime: 0, starttime: 0, endtime: 0, renewTill: 0 },
    isSkey: false,
    flags: new Set(),
    addresses: [],
    authorizationData: [],
    ticket: utf8(value),
    secondTicket: new Uint8Array(0),
  }
}
