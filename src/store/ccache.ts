/** Credential caches: MIT's FILE format, versions 1 to 4. @module */

import { decode, encode } from '../asn1/codec.ts'
import { BoundsError, OctetReader, OctetWriter } from '../bytes/cursor.ts'
import { concat } from '../bytes/index.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import type { Credential } from '../krb5/credential.ts'
import type { AuthorizationData, HostAddress, TicketFlags } from '../krb5/messages/basics.ts'
import { TicketFlags as TicketFlagsCodec } from '../krb5/messages/basics.ts'
import type { Principal } from '../krb5/names.ts'
import { StoreError } from './error.ts'
import { readData, readPrincipal, writeData, writePrincipal } from './records.ts'
import { StoredKey } from './storedkey.ts'

/** One credential as the file holds it. Times are seconds since the epoch, 0 where there is none. */
export interface CcacheEntry {
  readonly client: Principal
  readonly server: Principal
  readonly key: StoredKey
  readonly authtime: number
  readonly starttime: number
  readonly endtime: number
  readonly renewTill: number
  /** Whether the ticket is sealed with the session key of `secondTicket` (RFC 4120 §2.9.2). */
  readonly isSkey: boolean
  readonly flags: TicketFlags
  readonly addresses: readonly HostAddress[]
  readonly authorizationData: AuthorizationData
  readonly ticket: Uint8Array
  readonly secondTicket: Uint8Array
}

/** A credential cache. */
export interface Ccache {
  /** 1 to 4. */
  readonly version: number
  /** The KDC's clock less ours when the tickets came, in microseconds. */
  readonly clockOffset: number
  readonly principal: Principal
  readonly entries: readonly CcacheEntry[]
}

const MAGIC = 5
/** Header tag of the KDC's clock offset: seconds and microseconds, 32 bits each. */
const DELTA_TIME = 1
/** More addresses or authorization data than any ticket has. */
const MAX_LIST = 1024

/** Reads a cache. Throws {@link StoreError}, also for a last entry that was cut short. */
export function parseCcache(octets: Uint8Array): Ccache {
  const version = octets[1] ?? 0
  if (octets[0] !== MAGIC || version < 1 || version > 4)
    throw new StoreError('ccache', 'it does not begin with 05 01 to 05 04', { offset: 0 })
  // Versions 1 and 2 are in the byte order of the host that wrote them; hardly any was big-endian.
  const reader = new OctetReader(octets, { littleEndian: version < 3 })
  reader.octets(2)
  let offset = reader.offset
  try {
    const clockOffset = version === 4 ? readHeader(new OctetReader(reader.octets(reader.uint16()))) : 0
    const principal = readPrincipal(reader, version)
    const entries: CcacheEntry[] = []
    while (reader.remaining > 0) {
      offset = reader.offset
      entries.push(readEntry(reader, version))
    }
    return { version, clockOffset, principal, entries }
  } catch (cause) {
    if (!(cause instanceof BoundsError)) throw cause
    throw new StoreError('ccache', `an entry is damaged or cut short: ${cause.message}`, { offset, cause })
  }
}

/** A cache of version 4. */
export function formatCcache({ clockOffset, principal, entries }: Omit<Ccache, 'version'>): Uint8Array<ArrayBuffer> {
  const seconds = Math.floor(clockOffset / 1e6)
  const header = new OctetWriter()
    .uint16(DELTA_TIME)
    .uint16(8)
    .uint32(seconds)
    .uint32(clockOffset - seconds * 1e6)
    .finish()
  const start = new OctetWriter().uint8(MAGIC).uint8(4).uint16(header.length).octets(header)
  return concat(writePrincipal(start, principal).finish(), ...entries.map(formatCcacheEntry))
}

/** One entry as it is appended to a cache of version 4. */
export function formatCcacheEntry(entry: CcacheEntry): Uint8Array {
  const writer = new OctetWriter()
  writePrincipal(writer, entry.client)
  writePrincipal(writer, entry.server)
  writeData(writer.uint16(entry.key.keytype), entry.key.octets())
  writer.uint32(entry.authtime).uint32(entry.starttime).uint32(entry.endtime).uint32(entry.renewTill)
  writer.uint8(entry.isSkey ? 1 : 0).uint32(flagBits(entry.flags))
  writer.uint32(entry.addresses.length)
  for (const { addrType, address } of entry.addresses) writeData(writer.uint16(addrType), address)
  writer.uint32(entry.authorizationData.length)
  for (const { adType, adData } of entry.authorizationData) writeData(writer.uint16(adType), adData)
  writeData(writer, entry.ticket)
  return writeData(writer, entry.secondTicket).finish()
}

/** The realm that marks an entry as configuration of the cache, no ticket (MIT's krb5_cc_set_config). */
export const CONFIG_REALM = 'X-CACHECONF:'

/** What a configuration entry says; undefined for a ticket. */
export function configOf({
  server,
  ticket,
}: CcacheEntry): { readonly key: string; readonly principal?: string; readonly value: Uint8Array } | undefined {
  if (server.realm !== CONFIG_REALM) return undefined
  const [, key = '', principal] = server.components
  return { key, value: ticket, ...(principal === undefined ? {} : { principal }) }
}

/** The ticket to work with; undefined for configuration and for keys of enctypes that are not allowed. */
export function credentialOf(entry: CcacheEntry, enctypes: readonly Enctype[]): Credential | undefined {
  const key = entry.server.realm === CONFIG_REALM ? undefined : entry.key.key(enctypes)
  if (!key) return undefined
  const { client, server, ticket, flags, authtime, starttime, endtime, renewTill, addresses, authorizationData } = entry
  return {
    ...{ client, server, key, ticket, flags, authtime, endtime },
    starttime: starttime || authtime,
    ...(renewTill ? { renewTill } : {}),
    ...(addresses.length ? { addresses } : {}),
    ...(authorizationData.length ? { authorizationData } : {}),
  }
}

/** The inverse of {@link credentialOf}. */
export function entryOf({
  key,
  renewTill = 0,
  addresses = [],
  authorizationData = [],
  ...credential
}: Credential): CcacheEntry {
  const { client, server, ticket, flags, authtime, starttime, endtime } = credential
  const rest = { isSkey: false, secondTicket: new Uint8Array(0) }
  return {
    client,
    server,
    ticket,
    flags,
    authtime,
    starttime,
    endtime,
    key: StoredKey.of(key),
    renewTill,
    addresses,
    authorizationData,
    ...rest,
  }
}

function readHeader(header: OctetReader): number {
  let clockOffset = 0
  while (header.remaining > 0) {
    const tag = header.uint16()
    const field = new OctetReader(header.octets(header.uint16()))
    if (tag === DELTA_TIME) clockOffset = field.int32() * 1e6 + field.int32()
  }
  return clockOffset
}

function readEntry(reader: OctetReader, version: number): CcacheEntry {
  const client = readPrincipal(reader, version)
  const server = readPrincipal(reader, version)
  const keytype = reader.uint16()
  if (version === 3) reader.uint16() // the enctype once more
  const key = new StoredKey(keytype, readData(reader))
  const [authtime, starttime, endtime, renewTill] = [reader.uint32(), reader.uint32(), reader.uint32(), reader.uint32()]
  const isSkey = reader.uint8() !== 0
  const flags = flagsFrom(reader.uint32())
  const addresses = readList(reader, (addrType, address) => ({ addrType, address }))
  const authorizationData = readList(reader, (adType, adData) => ({ adType, adData }))
  const ticket = readData(reader).slice()
  const secondTicket = readData(reader).slice()
  return {
    client,
    server,
    key,
    authtime,
    starttime,
    endtime,
    renewTill,
    isSkey,
    flags,
    addresses,
    authorizationData,
    ticket,
    secondTicket,
  }
}

function readList<T>(reader: OctetReader, item: (type: number, data: Uint8Array) => T): T[] {
  const count = reader.uint32()
  if (count > MAX_LIST) throw new BoundsError(`a list of ${count} items`)
  return Array.from({ length: count }, () => item((reader.uint16() << 16) >> 16, readData(reader).slice()))
}

/** Flags in 32 bits, the first one highest, as the file has them: the same bits as in DER. */
const flagsFrom = (bits: number): TicketFlags =>
  decode(TicketFlagsCodec, Uint8Array.of(3, 5, 0, bits >>> 24, bits >>> 16, bits >>> 8, bits))

function flagBits(flags: TicketFlags): number {
  const der = encode(TicketFlagsCodec, flags)
  return new DataView(der.buffer, der.byteOffset).getUint32(3)
}
