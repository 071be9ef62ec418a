/** Credential caches and keytabs, entry by entry. @module */
import { enctypeName } from '../crypto/enctypes/table.ts'
import { Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal } from '../krb5/names.ts'
import { configOf } from '../store/cacheconfig.ts'
import { type Ccache, parseCcache } from '../store/ccache.ts'
import type { CcacheEntry } from '../store/ccacheentry.ts'
import { StoreError } from '../store/error.ts'
import { type Keytab, parseKeytab } from '../store/keytab.ts'
import type { StoredKey } from '../store/storedkey.ts'
import { formatInstant, formatOctets, formatValue } from './names.ts'
import type { Outline } from './outline.ts'
import type { Scope } from './scope.ts'
import { secretText } from './walk.ts'

/** First octet of both, and their versions (MIT's file formats). */
const MAGIC = 5
const LAST_VERSION = 4

/** Explains a cache or a keytab if it is one; false for anything else. What is damaged is told to be so. */
export function explainFile(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  const version = octets[1] ?? 0
  if (octets[0] !== MAGIC || version < 1 || version > LAST_VERSION) return false
  const cache = parsed(() => parseCcache(octets))
  // Versions 1 and 2 are also those of keytabs: what reads as one is not the other.
  const keytab = version <= 2 ? parsed(() => parseKeytab(octets)) : undefined
  if (keytab && !(keytab instanceof StoreError)) explainKeytab(keytab, version, outline, scope)
  else if (!(cache instanceof StoreError)) explainCache(cache, outline, scope)
  else outline.fail([keytab?.message, cache.message].filter(Boolean).join('; or '))
  return true
}

function parsed<T>(parse: () => T): T | StoreError {
  try {
    return parse()
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
}

function explainKeytab({ entries }: Keytab, version: number, outline: Outline, scope: Scope): void {
  const line = outline.add('keytab', `version 0x50${version}, ${entries.length} entries`)
  for (const [i, { principal, kvno, timestamp, key }] of entries.entries()) {
    const inner = line.add(`[${i}]`, formatPrincipal(principal))
    inner.add('key version', String(kvno))
    inner.add('written', formatInstant(timestamp, true))
    explainKey('key', key, `the key of ${formatPrincipal(principal)}, version ${kvno}`, inner, scope)
  }
}

function explainCache({ version, clockOffset, principal, entries }: Ccache, outline: Outline, scope: Scope): void {
  const line = outline.add('credential cache', `version ${version}, ${entries.length} entries`)
  line.add('client', formatPrincipal(principal))
  if (clockOffset !== 0) line.add("the KDC's clock", `${clockOffset / 1e6} s ahead of ours`)
  for (const [i, entry] of entries.entries()) {
    const config = configOf(entry)
    if (config) {
      const about = config.principal === undefined ? '' : ` of ${config.principal}`
      line.add(`[${i}]`, `configuration ${config.key}${about}`).add('value', formatOctets(config.value))
    } else explainEntry(entry, line.add(`[${i}]`, formatPrincipal(entry.server)), scope)
  }
}

function explainEntry(entry: CcacheEntry, outline: Outline, scope: Scope): void {
  const { client, server, key, flags, addresses, authorizationData, isSkey, ticket, secondTicket } = entry
  outline.add('client', formatPrincipal(client))
  explainKey('session key', key, `the session key for ${formatPrincipal(server)}`, outline, scope)
  for (const time of ['authtime', 'starttime', 'endtime', 'renewTill'] as const)
    outline.add(time, formatInstant(entry[time], true))
  outline.add('flags', formatValue('flags', '', flags))
  for (const { addrType, address } of addresses)
    outline.add('address', `type ${formatValue('addrType', '', addrType)}, ${formatOctets(address)}`)
  for (const { adType, adData } of authorizationData)
    outline.add('authorization data', `type ${formatValue('adType', '', adType)}, ${formatOctets(adData)}`)
  if (isSkey) outline.add('sealed with', 'the session key of the second ticket')
  if (ticket.length > 0) scope.walk(Ticket, ticket, outline, 'ticket')
  if (secondTicket.length > 0) scope.walk(Ticket, secondTicket, outline, 'second ticket')
}

/** Learns the key, and says of which kind it is. */
function explainKey(label: string, key: StoredKey, origin: string, outline: Outline, scope: Scope): void {
  const { keytype } = key
  const keyvalue = key.octets()
  outline.add(label, `${enctypeName(keytype)}, ${secretText(keyvalue, scope)}`)
  scope.ring.learn({ keytype, keyvalue }, origin)
  keyvalue.fill(0)
}
