/** Tickets as KRB-CRED files, which Windows tools call kirbi: RFC 4120 §5.8, the encrypted part in the clear. @module */
import { decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { EncKrbCredPart, KrbCred, type KrbCredInfo } from '../krb5/messages/session.ts'
import { Ticket } from '../krb5/messages/ticket.ts'
import { principalNameOf, principalOf } from '../krb5/names.ts'
import type { CcacheEntry } from './ccacheentry.ts'
import { StoreError } from './error.ts'
import { StoredKey } from './storedkey.ts'

/** The enctype that says that nothing is encrypted. */
const NULL_ENCTYPE = 0
/** More tickets than any such file has. */
const MAX_TICKETS = 1024

/** The tickets of a KRB-CRED file, in its order. Throws {@link StoreError}, also when the keys in it are encrypted. */
export function parseKirbi(octets: Uint8Array): CcacheEntry[] {
  const { tickets, encPart } = decoded(() => decode(KrbCred, octets))
  if (encPart.etype !== NULL_ENCTYPE)
    throw new StoreError('kirbi', `its keys are encrypted (etype ${encPart.etype}) for somebody else`)
  const { ticketInfo } = decoded(() => decode(EncKrbCredPart, encPart.cipher))
  if (ticketInfo.length !== tickets.length || tickets.length > MAX_TICKETS)
    throw new StoreError('kirbi', `it has ${tickets.length} tickets and ${ticketInfo.length} keys`)
  return tickets.map((ticket, i) => entryFrom(ticket, ticketInfo[i]!))
}

/** A KRB-CRED file of these tickets, whose keys anybody who reads it has. What the format cannot say is left out. */
export function formatKirbi(entries: readonly CcacheEntry[]): Uint8Array {
  const tickets = entries.map(({ ticket }) => decoded(() => decode(Ticket, ticket)))
  const cipher = encode(EncKrbCredPart, { ticketInfo: entries.map(infoOf) })
  return encode(KrbCred, { tickets, encPart: { etype: NULL_ENCTYPE, cipher } })
}

/** The ticket names its service itself; the information's own name, and all but the key, are optional (RFC 4120 §5.8.1). */
function entryFrom(ticket: Ticket, info: KrbCredInfo): CcacheEntry {
  if (!info.pname || !info.prealm) throw new StoreError('kirbi', 'it does not tell whose the ticket is')
  const { keytype, keyvalue } = info.key
  const { authtime = info.starttime ?? 0, starttime = 0, endtime = 0, renewTill = 0 } = info
  return {
    client: principalOf(info.pname, info.prealm),
    server: principalOf(info.sname ?? ticket.sname, info.srealm ?? ticket.realm),
    key: new StoredKey(keytype, keyvalue),
    ...{ authtime, starttime, endtime, renewTill },
    isSkey: false,
    flags: info.flags ?? new Set(),
    addresses: info.caddr ?? [],
    authorizationData: [],
    ticket: encode(Ticket, ticket),
    secondTicket: new Uint8Array(0),
  }
}

function infoOf(entry: CcacheEntry): KrbCredInfo {
  const { client, server, key, flags, authtime, starttime, endtime, renewTill, addresses } = entry
  return {
    key: { keytype: key.keytype, keyvalue: key.octets() },
    prealm: client.realm,
    pname: principalNameOf(client),
    flags,
    ...(authtime ? { authtime } : {}),
    ...(starttime ? { starttime } : {}),
    ...(endtime ? { endtime } : {}),
    ...(renewTill ? { renewTill } : {}),
    srealm: server.realm,
    sname: principalNameOf(server),
    ...(addresses.length ? { caddr: addresses } : {}),
  }
}

function decoded<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new StoreError('kirbi', cause.message, { cause })
  }
}
