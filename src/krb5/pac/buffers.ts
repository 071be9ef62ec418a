/** The buffers of a PAC whose layout is not NDR, and the two smaller ones that are (MS-PAC §2.6 to §2.15). @module */
import { OctetReader, OctetWriter } from '../../bytes/cursor.ts'
import { PacError } from './error.ts'
import { type FileTime, fileTimeOf, ticksOf } from './filetime.ts'
import { sidAndAttributes } from './logoninfo.ts'
import { counted, type NdrValue, pointer, struct } from './ndr.ts'
import { groupMembership, rpcSid, uint32, unicodeString } from './ndrtypes.ts'
import { readSid, writeSid } from './sid.ts'
import { readUtf16, writeUtf16 } from './utf16.ts'

const reading = (octets: Uint8Array) => new OctetReader(octets, { littleEndian: true })
const writing = () => new OctetWriter({ littleEndian: true })

/** PAC_CLIENT_INFO (MS-PAC §2.7): the ticket's client, and the time when it authenticated itself. */
export interface ClientInfo {
  readonly authtime: FileTime
  readonly name: string
}

/** Reads PAC_CLIENT_INFO. Throws PacError and BoundsError. */
export function decodeClientInfo(octets: Uint8Array): ClientInfo {
  const reader = reading(octets)
  return { authtime: fileTimeOf(reader.uint64()), name: readUtf16(reader, reader.uint16()) }
}

/** Writes PAC_CLIENT_INFO. */
export function encodeClientInfo({ authtime, name }: ClientInfo): Uint8Array {
  const writer = writing()
    .uint64(ticksOf(authtime))
    .uint16(2 * name.length)
  writeUtf16(writer, name)
  return writer.finish()
}

/** UPN_DNS_INFO (MS-PAC §2.10). */
export interface UpnDnsInfo {
  readonly upn: string
  readonly dnsDomainName: string
  /** The account has no user principal name; this one was made of its account name and the domain's. */
  readonly constructed: boolean
  /** Undefined before Windows of November 2021. */
  readonly samName?: string
  /** Comes with the name. */
  readonly sid?: string
}

const CONSTRUCTED = 1
const EXTENDED = 2

/** Reads UPN_DNS_INFO. Throws PacError and BoundsError. */
export function decodeUpnDns(octets: Uint8Array): UpnDnsInfo {
  const reader = reading(octets)
  const part = () => ({ size: reader.uint16(), offset: reader.uint16() })
  const [upn, dns] = [part(), part()]
  const flags = reader.uint32()
  const extended = (flags & EXTENDED) !== 0
  const more = extended ? { samName: part(), sid: part() } : undefined
  const header = reader.offset
  const at = <T>({ size, offset }: ReturnType<typeof part>, read: (part: OctetReader) => T): T => {
    if (size > 0 && (offset < header || offset + size > octets.length))
      throw new PacError(`${size} octets at ${offset} of ${octets.length}`, { path: 'upnDns', offset })
    return read(reading(octets.subarray(offset, offset + size)))
  }
  const text = (part: OctetReader) => readUtf16(part, part.remaining)
  return {
    upn: at(upn, text),
    dnsDomainName: at(dns, text),
    constructed: (flags & CONSTRUCTED) !== 0,
    ...(more ? { samName: at(more.samName, text), sid: at(more.sid, (part) => readSid(part)) } : {}),
  }
}

/** Writes UPN_DNS_INFO, each part at a multiple of eight octets. Throws RangeError when it is too long for its offsets. */
export function encodeUpnDns({ upn, dnsDomainName, constructed, samName, sid }: UpnDnsInfo): Uint8Array {
  const text = (value: string) => {
    const writer = writing()
    writeUtf16(writer, value)
    return writer.finish()
  }
  const extended = samName !== undefined && sid !== undefined
  const parts = [text(upn), text(dnsDomainName)]
  if (extended) {
    const binary = writing()
    writeSid(binary, sid)
    parts.push(text(samName), binary.finish())
  }
  const offsets: number[] = []
  let end = extended ? 24 : 16
  for (const part of parts) {
    offsets.push(end)
    end += Math.ceil(part.length / 8) * 8
  }
  if (end > 0xffff) throw new RangeError('names of more than 65535 octets do not fit into UPN_DNS_INFO')
  const writer = writing()
  const place = (i: number) => writer.uint16(parts[i]!.length).uint16(offsets[i]!)
  place(0)
  place(1).uint32((constructed ? CONSTRUCTED : 0) | (extended ? EXTENDED : 0))
  if (extended) {
    place(2)
    place(3)
  }
  for (const [i, part] of parts.entries()) writer.octets(new Uint8Array(offsets[i]! - writer.length)).octets(part)
  return writer.octets(new Uint8Array(end - writer.length)).finish()
}

/** PAC_ATTRIBUTES_INFO (MS-PAC §2.14): how the PAC came into the ticket-granting ticket. */
export interface PacAttributes {
  /** The client asked for it. */
  readonly requested: boolean
  /** The client said nothing either way. */
  readonly implicit: boolean
}

const FLAG_BITS = 2
const REQUESTED = 1
const IMPLICIT = 2

/** Reads PAC_ATTRIBUTES_INFO. Throws BoundsError. */
export function decodeAttributes(octets: Uint8Array): PacAttributes {
  const reader = reading(octets)
  const flags = reader.uint32() > 0 ? reader.uint32() : 0
  return { requested: (flags & REQUESTED) !== 0, implicit: (flags & IMPLICIT) !== 0 }
}

/** Writes PAC_ATTRIBUTES_INFO. */
export const encodeAttributes = ({ requested, implicit }: PacAttributes): Uint8Array =>
  writing()
    .uint32(FLAG_BITS)
    .uint32((requested ? REQUESTED : 0) | (implicit ? IMPLICIT : 0))
    .finish()

/** Reads PAC_REQUESTOR (MS-PAC §2.15): the SID of whoever asked for the ticket-granting ticket. Throws PacError and BoundsError. */
export const decodeRequestor = (octets: Uint8Array): string => readSid(reading(octets))

/** Writes PAC_REQUESTOR. Throws TypeError for no SID. */
export function encodeRequestor(sid: string): Uint8Array {
  const writer = writing()
  writeSid(writer, sid)
  return writer.finish()
}

/** S4U_DELEGATION_INFO (MS-PAC §2.9) */
export const delegationInfo = struct({ target: unicodeString, transited: counted(unicodeString) })
/** The service that a ticket was delegated to, and the services that did it, the first of them first. */
export interface DelegationInfo extends NdrValue<typeof delegationInfo> {}

/** PAC_DEVICE_INFO (MS-PAC §2.12) */
export const deviceInfo = struct({
  userId: uint32,
  primaryGroupId: uint32,
  accountDomainId: pointer(rpcSid),
  accountGroupIds: counted(groupMembership),
  extraSids: counted(sidAndAttributes),
  domainGroups: counted(struct({ domainId: pointer(rpcSid), groupIds: counted(groupMembership) })),
})
/** The device that a user logged on at, as its domain knows it. */
export interface DeviceInfo extends NdrValue<typeof deviceInfo> {}
