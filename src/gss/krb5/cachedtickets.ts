/** The tickets of credentials as a ccache holds them, with what MIT's library keeps beside them, and back. @module */
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Credential } from '../../krb5/credential.ts'
import {
  formatPrincipal,
  type Principal,
  parsePrincipal,
  samePrincipal,
  ticketGrantingService,
} from '../../krb5/names.ts'
import { cacheConfig, configEntry, seenOfKdcs } from '../../store/cacheconfig.ts'
import type { CacheContents } from '../../store/ccache.ts'
import { type CcacheEntry, credentialOf, entryOf } from '../../store/ccacheentry.ts'
import type { InitiatorParts } from './parts.ts'

/** What of an element goes into a ccache. */
export interface HeldTickets extends Pick<InitiatorParts, 'evidence' | 'startRealm' | 'fastAvailable'> {
  readonly client: Principal
  readonly tickets: readonly Credential[]
}

/** The entries of a ccache, their keys the caller's to dispose of. */
export function cacheEntries({ client, tickets, evidence, startRealm, fastAvailable }: HeldTickets): CcacheEntry[] {
  const realm = startRealm ?? client.realm
  const about = ticketGrantingService(realm)
  return [
    ...(fastAvailable ? [configEntry(client, 'fast_avail', 'yes', about)] : []),
    ...(evidence ? [configEntry(client, 'proxy_impersonator', formatPrincipal(evidence.server))] : []),
    ...(evidence || realm === client.realm ? [] : [configEntry(client, 'start_realm', realm)]),
    ...tickets.map(entryOf),
  ]
}

/**
 * What initiates by a ccache's tickets that are good at `now` (seconds since the epoch, by the KDC's clock); a service that
 * got them in the client's name (S4U2Self) acts in it. The keys are copies.
 */
export function initiatorParts(
  contents: Pick<CacheContents, 'principal' | 'entries' | 'clockOffset'>,
  enctypes: readonly Enctype[],
  now: number,
): InitiatorParts {
  const { principal: client, entries, clockOffset } = contents
  const tickets = entries.flatMap((entry) => credentialOf(entry, enctypes) ?? []).filter(({ endtime }) => endtime > now)
  const { startRealm, fastAvailable } = seenOfKdcs(contents)
  const impersonator = impersonatorOf(contents)
  const evidence =
    impersonator &&
    tickets.find((ticket) => samePrincipal(ticket.client, client) && samePrincipal(ticket.server, impersonator))
  const held = { client, tickets, clockOffset, fastAvailable }
  return evidence ? { ...held, evidence, startRealm: impersonator.realm } : { ...held, startRealm }
}

function impersonatorOf(contents: Pick<CacheContents, 'entries'>): Principal | undefined {
  const name = cacheConfig(contents, 'proxy_impersonator')
  try {
    return name === undefined ? undefined : parsePrincipal(name)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
