/** PACTYPE (MS-PAC §2.3): what a PAC is made of, and where in it. @module */
import { OctetReader } from '../../bytes/cursor.ts'
import { allocate } from '../../bytes/slab.ts'
import {
  type ClientInfo,
  type DelegationInfo,
  type DeviceInfo,
  decodeAttributes,
  decodeClientInfo,
  decodeRequestor,
  decodeUpnDns,
  delegationInfo,
  deviceInfo,
  encodeAttributes,
  encodeClientInfo,
  encodeRequestor,
  encodeUpnDns,
  type PacAttributes,
  type UpnDnsInfo,
} from './buffers.ts'
import { type ClaimsArray, decodeClaims, encodeClaims } from './claims.ts'
import { outward, PacError } from './error.ts'
import { type LogonInfo, logonInfo } from './logoninfo.ts'
import { deserialize, type Ndr, serialize } from './ndr.ts'
import { decodeSignature, type PacSignature, type SignatureKind, signatureTypes } from './signature.ts'

/** Most octets of a PAC that are read. */
const MAX_PAC = 1 << 20
/** Most buffers of one; MS-PAC knows 14. */
const MAX_BUFFERS = 64
const HEADER = 8
const ENTRY = 16
const BOUNDARY = 8

/** Types of the buffers of a PAC's content (MS-PAC §2.4). */
export const bufferTypes = {
  logonInfo: 1,
  credentials: 2,
  clientInfo: 10,
  delegation: 11,
  upnDns: 12,
  clientClaims: 13,
  deviceInfo: 14,
  deviceClaims: 15,
  attributes: 17,
  requestor: 18,
} as const

/** What a PAC says; signatures aside. */
export interface PacContent {
  readonly logonInfo?: LogonInfo
  /** PAC_CREDENTIAL_INFO (MS-PAC §2.6.1), encrypted with the AS reply key: kept as it is. */
  readonly credentials?: Uint8Array
  readonly clientInfo?: ClientInfo
  readonly delegation?: DelegationInfo
  readonly upnDns?: UpnDnsInfo
  readonly clientClaims?: readonly ClaimsArray[]
  readonly deviceInfo?: DeviceInfo
  readonly deviceClaims?: readonly ClaimsArray[]
  readonly attributes?: PacAttributes
  /** SID of the account that asked for the ticket-granting ticket. */
  readonly requestor?: string
}

/** PAC_INFO_BUFFER (MS-PAC §2.4) and what it points to. */
export interface PacBuffer {
  readonly type: number
  readonly octets: Uint8Array
}

/** A PAC that was read. None of it is to be believed before its signatures are verified. */
export interface Pac extends PacContent {
  readonly signatures: Partial<Readonly<Record<SignatureKind, PacSignature>>>
  /** All buffers in their order, with those of types that are not known here. */
  readonly buffers: readonly (PacBuffer & { readonly offset: number })[]
  readonly octets: Uint8Array
}

interface Row<T> {
  readonly decode: (octets: Uint8Array) => T
  readonly encode: (value: T) => Uint8Array
}
const ndr = <T>(structure: Ndr<T>): Row<T> => ({
  decode: (octets) => deserialize(structure, octets),
  encode: (value) => serialize(structure, value),
})
const same = (octets: Uint8Array) => octets

/** How each member is read and written, in the order that they are written in. */
const rows: { readonly [K in keyof Required<PacContent>]: Row<NonNullable<PacContent[K]>> } = {
  logonInfo: ndr(logonInfo),
  credentials: { decode: same, encode: same },
  clientInfo: { decode: decodeClientInfo, encode: encodeClientInfo },
  delegation: ndr(delegationInfo),
  upnDns: { decode: decodeUpnDns, encode: encodeUpnDns },
  clientClaims: { decode: decodeClaims, encode: encodeClaims },
  deviceInfo: ndr(deviceInfo),
  deviceClaims: { decode: decodeClaims, encode: encodeClaims },
  attributes: { decode: decodeAttributes, encode: encodeAttributes },
  requestor: { decode: decodeRequestor, encode: encodeRequestor },
}

/** Reads a PAC: offsets within it, on their boundaries, nothing overlapping, nothing twice. Throws PacError. */
export function decodePac(octets: Uint8Array): Pac {
  const buffers = readBuffers(octets)
  const content: Record<string, unknown> = {}
  const signatures: Partial<Record<SignatureKind, PacSignature>> = {}
  for (const { type, octets } of buffers) {
    const member = memberNames.get(type)
    const signature = signatureNames.get(type)
    try {
      if (member) content[member] = rows[member].decode(octets)
      if (signature) signatures[signature] = decodeSignature(octets)
    } catch (error) {
      throw outward(member ?? `${signature} signature`, error)
    }
  }
  return { ...content, signatures, buffers, octets }
}

const namesOf = <K extends string>(types: Readonly<Record<K, number>>): ReadonlyMap<number, K> =>
  new Map((Object.keys(types) as K[]).map((name) => [types[name], name]))
const memberNames = namesOf(bufferTypes)
const signatureNames = namesOf(signatureTypes)

function readBuffers(octets: Uint8Array): Pac['buffers'] {
  if (octets.length > MAX_PAC) throw new PacError(`${octets.length} octets; at most ${MAX_PAC} are read`)
  const reader = new OctetReader(octets, { littleEndian: true })
  try {
    const [count, version] = [reader.uint32(), reader.uint32()]
    if (version !== 0) throw new PacError(`version ${version}`, { offset: 4 })
    if (count > MAX_BUFFERS) throw new PacError(`${count} buffers; at most ${MAX_BUFFERS} are read`, { offset: 0 })
    const buffers = Array.from({ length: count }, () => {
      const [type, size, offset] = [reader.uint32(), reader.uint32(), reader.uint64()]
      return { type, offset: Number(offset), octets: slice(octets, type, size, offset, HEADER + ENTRY * count) }
    })
    refuseOverlap(buffers)
    return buffers
  } catch (error) {
    throw outward('', error, reader.offset)
  }
}

function slice(octets: Uint8Array, type: number, size: number, offset: bigint, begin: number): Uint8Array {
  const end = offset + BigInt(size)
  if (offset < begin || end > octets.length || offset % BigInt(BOUNDARY) !== 0n)
    throw new PacError(`buffer of type ${type} lies at ${offset} to ${end}, the PAC has ${octets.length} octets`)
  return octets.subarray(Number(offset), Number(end))
}

function refuseOverlap(buffers: Pac['buffers']): void {
  const types = new Set(buffers.map(({ type }) => type))
  if (types.size !== buffers.length) throw new PacError('two buffers of one type')
  const sorted = [...buffers].sort((a, b) => a.offset - b.offset)
  sorted.forEach((buffer, i) => {
    const before = sorted[i - 1]
    if (before && before.offset + before.octets.length > buffer.offset)
      throw new PacError(`buffers of types ${before.type} and ${buffer.type} overlap`, { offset: buffer.offset })
  })
}

/** The buffers of a PAC's content, in the order of Windows. Throws TypeError and RangeError for what does not fit them. */
export function encodeContent(content: PacContent): readonly PacBuffer[] {
  const buffers: PacBuffer[] = []
  for (const name of names) if (content[name] !== undefined) buffers.push(encodeMember(name, content[name]))
  return buffers
}

const names = Object.keys(rows) as (keyof PacContent)[]

function encodeMember<K extends keyof PacContent>(name: K, value: NonNullable<PacContent[K]>): PacBuffer {
  const row: Row<NonNullable<PacContent[K]>> = rows[name]
  return { type: bufferTypes[name], octets: row.encode(value) }
}

/** Puts buffers one behind the other, and tells where each of them begins. */
export function joinBuffers(buffers: readonly PacBuffer[]): {
  readonly octets: Uint8Array
  readonly offsets: ReadonlyMap<number, number>
} {
  let end = HEADER + ENTRY * buffers.length
  const offsets = new Map<number, number>()
  for (const { type, octets } of buffers) {
    offsets.set(type, end)
    end += Math.ceil(octets.length / BOUNDARY) * BOUNDARY
  }
  const joined = allocate(end)
  putUint32(joined, 0, buffers.length)
  let entry = HEADER
  for (const { type, octets } of buffers) {
    const offset = offsets.get(type)!
    putUint32(joined, entry, type)
    putUint32(joined, entry + 4, octets.length)
    putUint32(joined, entry + 8, offset)
    joined.set(octets, offset)
    entry += ENTRY
  }
  return { octets: joined, offsets }
}

/** Little-endian and by hand: a view of an array that short costs as much as signing it. */
function putUint32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value
  octets[at + 1] = value >>> 8
  octets[at + 2] = value >>> 16
  octets[at + 3] = value >>> 24
}
