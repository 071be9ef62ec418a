/** The krb5 element of credentials as MIT's library exports it: JSON, with keys in the clear. @module */
import { fromBase64, fromUtf8, toBase64, utf8 } from '../../bytes/index.ts'
import { formatPrincipal, type Principal, parsePrincipal } from '../../krb5/names.ts'
import { type CcacheEntry, ticketFlagBits, ticketFlagsOf } from '../../store/ccacheentry.ts'
import { StoredKey } from '../../store/storedkey.ts'
import type { Usage } from '../credentials.ts'
import { GssError } from '../error.ts'

/** A krb5 credential as data: where its tickets and keys are, or the tickets themselves. */
export interface ExportedCredential {
  readonly usage: Usage
  /** Undefined for an acceptor that takes whatever it has a key for. */
  readonly name: Principal | undefined
  /** The service that acts in the name of `name` (S4U2Proxy). */
  readonly impersonator?: Principal | undefined
  /** Whether the login is IAKERB's, and has yet to come. */
  readonly iakerb: boolean
  readonly keytab?: string | undefined
  readonly rcache?: string | undefined
  /** The name of a ccache, or what is in one that only its program sees. */
  readonly ccache?: string | CachedTickets | undefined
  readonly clientKeytab?: string | undefined
  readonly hasTicketGrantingTicket: boolean
  /** Seconds since the epoch; 0 for none. */
  readonly endtime: number
  readonly refreshTime: number
  /** Numbers of the only enctypes to use; undefined for any. */
  readonly enctypes?: readonly number[] | undefined
  readonly password?: string | undefined
}

/** What a ccache holds. */
export interface CachedTickets {
  readonly client: Principal
  readonly entries: readonly CcacheEntry[]
}

const MAGIC = 'K5C1'
/** GSS_C_BOTH, GSS_C_INITIATE and GSS_C_ACCEPT. */
const usages: readonly Usage[] = ['both', 'initiate', 'accept']
/** Members of the credential, and of a ticket in it. */
const MEMBERS = 14
const TICKET_MEMBERS = 13
/** Most members of any other list. */
const MAX_MEMBERS = 4096

/** The token; its octets are to be kept as keys are. */
export function formatCredential(credential: ExportedCredential): Uint8Array {
  const { name, impersonator, keytab, rcache, ccache, clientKeytab, enctypes, password } = credential
  const members = [
    usages.indexOf(credential.usage),
    name ? [formatPrincipal(name), null, null] : null,
    impersonator ? formatPrincipal(impersonator) : null,
    name === undefined,
    credential.iakerb,
    keytab ?? null,
    rcache ?? null,
    typeof ccache === 'object'
      ? [formatPrincipal(ccache.client), ...ccache.entries.map(ticketMembers)]
      : (ccache ?? null),
    clientKeytab ?? null,
    credential.hasTicketGrantingTicket,
    credential.endtime,
    credential.refreshTime,
    enctypes ?? null,
    password ?? null,
  ]
  return utf8(JSON.stringify([MAGIC, members]))
}

function ticketMembers(entry: CcacheEntry): readonly unknown[] {
  const { client, server, key, addresses, authorizationData } = entry
  const octets = key.octets()
  const keyvalue = toBase64(octets)
  octets.fill(0)
  return [
    ...[formatPrincipal(client), formatPrincipal(server), [key.keytype, keyvalue]],
    ...[entry.authtime, entry.starttime, entry.endtime, entry.renewTill, entry.isSkey, ticketFlagBits(entry.flags) | 0],
    addresses.length > 0 ? addresses.map(({ addrType, address }) => [addrType, toBase64(address)]) : null,
    ...[toBase64(entry.ticket), toBase64(entry.secondTicket)],
    authorizationData.length > 0 ? authorizationData.map(({ adType, adData }) => [adType, toBase64(adData)]) : null,
  ]
}

/** Reads such a token; the keys are the caller's to dispose of. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN. */
export function parseCredential(token: Uint8Array): ExportedCredential {
  try {
    const [magic, members] = list(JSON.parse(fromUtf8(token)), 2)
    // later versions write a 15th
    const read = list(members).slice(0, MEMBERS)
    if (magic !== MAGIC || read.length < MEMBERS) throw new TypeError(`it does not begin with ${MAGIC}`)
    const [usage, name, impersonator, , iakerb, keytab, rcache, ccache, clientKeytab, granting, ...rest] = read
    const [endtime, refreshTime, enctypes, password] = rest
    const isFor = usages[whole(usage)]
    if (!isFor) throw new TypeError(`there is no usage ${usage}`)
    return {
      usage: isFor,
      name: optional(name, (value) => principal(list(value, 3)[0])),
      impersonator: optional(impersonator, principal),
      iakerb: truth(iakerb),
      keytab: optional(keytab, text),
      rcache: optional(rcache, text),
      ccache: optional(ccache, (value) => (typeof value === 'string' ? value : cachedTickets(list(value)))),
      clientKeytab: optional(clientKeytab, text),
      hasTicketGrantingTicket: truth(granting),
      endtime: whole(endtime),
      refreshTime: whole(refreshTime),
      enctypes: optional(enctypes, (value) => list(value).map(whole)),
      password: optional(password, text),
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause
    // what JSON's parser says may quote a key
    const why = cause.name === 'SyntaxError' ? 'it is no JSON' : cause.message
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `not exported krb5 credentials: ${why}`)
  }
}

function cachedTickets([client, ...tickets]: readonly unknown[]): CachedTickets {
  return { client: principal(client), entries: tickets.map((ticket) => entryFrom(list(ticket, TICKET_MEMBERS))) }
}

function entryFrom(members: readonly unknown[]): CcacheEntry {
  const [client, server, key, authtime, starttime, endtime, renewTill, isSkey, flags, addresses, ...rest] = members
  const [ticket, secondTicket, authorizationData] = rest
  const { type, data } = typed(key)
  return {
    client: principal(client),
    server: principal(server),
    authtime: whole(authtime),
    starttime: whole(starttime),
    endtime: whole(endtime),
    renewTill: whole(renewTill),
    isSkey: truth(isSkey),
    flags: ticketFlagsOf(whole(flags)),
    addresses: (optional(addresses, list) ?? [])
      .map(typed)
      .map((pair) => ({ addrType: pair.type, address: pair.data })),
    ticket: octets(ticket),
    secondTicket: octets(secondTicket),
    authorizationData: (optional(authorizationData, list) ?? [])
      .map(typed)
      .map((pair) => ({ adType: pair.type, adData: pair.data })),
    key: new StoredKey(type, data),
  }
}

/** `[type, octets]` */
function typed(value: unknown): { readonly type: number; readonly data: Uint8Array } {
  const [type, data] = list(value, 2)
  return { type: whole(type), data: octets(data) }
}

const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === null ? undefined : read(value)

function list(value: unknown, size?: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_MEMBERS || (size !== undefined && value.length !== size))
    throw new TypeError(`a list${size === undefined ? '' : ` of ${size}`} is missing`)
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value.includes('\0')) throw new TypeError('a text is missing')
  return value
}

function whole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new TypeError('a whole number is missing')
  return value
}

function truth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError('true or false is missing')
  return value
}

const octets = (value: unknown): Uint8Array => fromBase64(text(value))

const principal = (value: unknown): Principal => parsePrincipal(text(value))
