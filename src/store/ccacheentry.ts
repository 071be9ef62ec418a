/** One credential of a cache: how versions 1 to 4 of the file format, and KCM, write it (MIT's ccache file format). @module */
import { decode, encode } from '../asn1/codec.ts'
import { BoundsError, type OctetReader, OctetWriter } from '../bytes/cursor.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import type { Credential } from '../krb5/credential.ts'
import type { AuthorizationData, HostAddress, TicketFlags } from '../krb5/messages/basics.ts'
import { TicketFlags as TicketFlagsCodec } from '../krb5/messages/basics.ts'
import { type Principal, samePrincipal } from '../krb5/names.ts'
import { CONFIG_REALM, readData, readPrincipal, writeData, writePrincipal } from './records.ts'
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

/** More addresses or authorization data than any ticket has. */
const MAX_LIST = 1024

/** One entry as it is appended to a cache of version 4. */
export function formatCcacheEntry(entry: CcacheEntry): Uint8Array {
  const writer = new OctetWriter()
  writePrincipal(writer, entry.client)
  writePrincipal(writer, entry.server)
  writeData(writer.uint16(entry.key.keytype), entry.key.octets())
  writer.uint32(entry.authtime).uint32(entry.starttime).uint32(entry.endtime).uint32(entry.renewTill)
  writer.uint8(entry.isSkey ? 1 : 0).uint32(ticketFlagBits(entry.flags))
  writer.uint32(entry.addresses.length)
  for (const { addrType, address } of entry.addresses) writeData(writer.uint16(addrType), address)
  writer.uint32(entry.authorizationData.length)
  for (const { adType, adData } of entry.authorizationData) writeData(writer.uint16(adType), adData)
  writeData(writer, entry.ticket)
  return writeData(writer, entry.secondTicket).finish()
}

/** The ticket to work with; undefined for configuration and for keys of enctypes that are not allowed. */
export function credentialOf(entry: CcacheEntry, enctypes: readonly Enctype[]): Credential | undefined {
  const key = entry.server.realm === CONFIG_REALM ? undefined : entry.key.key(enctypes)
  if (!key) return undefined
  const { client, server, ticket, flags, authtime, starttime, endtime, renewTill, addresses, authorizationData } = entry
  const { isSkey, secondTicket } = entry
  return {
    ...{ client, server, key, ticket, flags, authtime, endtime },
    starttime: starttime || authtime,
    ...(renewTill ? { renewTill } : {}),
    ...(addresses.length ? { addresses } : {}),
    ...(authorizationData.length ? { authorizationData } : {}),
    ...(isSkey ? { secondTicket } : {}),
  }
}

/** The inverse of {@link credentialOf}. */
export function entryOf({
  key,
  renewTill = 0,
  addresses = [],
  authorizationData = [],
  secondTicket,
  ...credential
}: Credential): CcacheEntry {
  const { client, server, ticket, flags, authtime, starttime, endtime } = credential
  const rest = { isSkey: secondTicket !== undefined, secondTicket: secondTicket ?? new Uint8Array(0) }
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

/** Reads one entry; its octets are copied. Throws BoundsError. */
export function readEntry(reader: OctetReader, version: number): CcacheEntry {
  const client = readPrincipal(reader, version)
  const server = readPrincipal(reader, version)
  const keytype = reader.uint16()
  if (version === 3) reader.uint16() // the enctype once more
  const key = new StoredKey(keytype, readData(reader))
  const [authtime, starttime, endtime, renewTill] = [reader.uint32(), reader.uint32(), reader.uint32(), reader.uint32()]
  const isSkey = reader.uint8() !== 0
  const flags = ticketFlagsOf(reader.uint32())
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

/** Whether the one would be used wherever the other is: same client, same service, sealed alike. */
export const sameEntry = (a: CcacheEntry, b: CcacheEntry): boolean =>
  samePrincipal(a.server, b.server) && samePrincipal(a.client, b.client) && a.isSkey === b.isSkey

/** authtime of an entry that was removed in place; its endtime is 0. */
const REMOVED = 0xffffffff
/** The realm that a removed configuration entry gets, so that readers who do not know about removal pass over it. */
const REMOVED_CONFIG_REALM = 'X-RMED-CONF:'

/** Whether MIT (1.18 and later) or we removed the entry in place: it is there no more. */
export const isRemoved = ({ authtime, endtime }: CcacheEntry): boolean => authtime === REMOVED && endtime === 0

/** What stays of an entry that is removed in place: as many octets, which {@link isRemoved} tells. */
export function removedEntry(entry: CcacheEntry): CcacheEntry {
  const realm = entry.server.realm === CONFIG_REALM ? REMOVED_CONFIG_REALM : entry.server.realm
  return { ...entry, server: { ...entry.server, realm }, authtime: REMOVED, endtime: 0 }
}

function readList<T>(reader: OctetReader, item: (type: number, data: Uint8Array) => T): T[] {
  const count = reader.uint32()
  if (count > MAX_LIST) throw new BoundsError(`a list of ${count} items`)
  return Array.from({ length: count }, () => item((reader.uint16() << 16) >> 16, readData(reader).slice()))
}

/** The flags of a ticket in 32 bits, the first one highest, as C has them: the same bits as in DER. */
export const ticketFlagsOf = (bits: number): TicketFlags =>
  decode(TicketFlagsCodec, Uint8Array.of(3, 5, 0, bits >>> 24, bits >>> 16, bits >>> 8, bits))

/** The 32 bits of a ticket's flags, the first one highest. */
export function ticketFlagBits(flags: TicketFlags): number {
  const der = encode(TicketFlagsCodec, flags)
  return new DataView(der.buffer, der.byteOffset).getUint32(3)
}
