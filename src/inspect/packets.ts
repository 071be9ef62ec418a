/** From frames to what UDP and TCP carry: the headers of link, network and transport. @module */
import { BoundsError, OctetReader } from '../bytes/cursor.ts'
import type { Frame } from './capture.ts'
import type { Fragments } from './fragments.ts'

/** What one packet carries, and between whom. */
export interface Packet {
  readonly protocol: 'UDP' | 'TCP'
  /** `10.0.0.1:53000`, `[2001:db8::1]:53000`. */
  readonly from: string
  readonly to: string
  readonly ports: readonly [from: number, to: number]
  readonly payload: Uint8Array
  /** TCP's alone: the number of the payload's first octet, and whether a connection begins. */
  readonly sequence: number
  readonly begins: boolean
}

/** LINKTYPE_ numbers (tcpdump.org): how long the headers are, and where they name the protocol above. */
const linkHeaders: Readonly<Record<number, { readonly size: number; readonly etherType?: number }>> = {
  0: { size: 4 }, // loopback of BSD
  1: { size: 14, etherType: 12 },
  101: { size: 0 }, // an IP packet alone
  108: { size: 4 }, // loopback of OpenBSD
  113: { size: 16, etherType: 14 }, // Linux, any interface
  228: { size: 0 },
  229: { size: 0 },
  276: { size: 20, etherType: 0 }, // Linux, any interface, second version
}
const vlanTypes: readonly number[] = [0x8100, 0x88a8]
/** Most tags of VLANs, and most extension headers of IPv6, that are passed over. */
const MAX_TAGS = 4
const MAX_EXTENSIONS = 8
const protocols: ReadonlyMap<number, Packet['protocol']> = new Map([
  [6, 'TCP'],
  [17, 'UDP'],
])
/** Extension headers that begin with the next one's number and their size (RFC 8200 §4). */
const extensions: readonly number[] = [0, 43, 60]
const FRAGMENT = 44
const MORE_FRAGMENTS = 0x2000
const FRAGMENT_OFFSET = 0x1fff
const SYN = 0x02

/**
 * What a frame carries, or the datagram that it is the last missing piece of; undefined for whatever is no UDP and no TCP,
 * for a piece that others are still missing to, and for headers that are cut off.
 */
export function packetOf({ linkType, octets }: Frame, fragments: Fragments): Packet | undefined {
  try {
    const packet = withoutLink(linkType, octets)
    const datagram = packet && (packet[0]! >> 4 === 4 ? fromIpv4(packet) : fromIpv6(packet))
    if (!datagram?.piece) return datagram && fromTransport(datagram)
    const { protocol, addresses, piece } = datagram
    const of = `${addresses.join(' > ')} ${protocol} ${piece.id}`
    const payload = fragments.add({ of, ...piece, octets: datagram.payload })
    return payload && fromTransport({ protocol, addresses, payload })
  } catch (error) {
    if (error instanceof BoundsError) return undefined
    throw error
  }
}

function withoutLink(linkType: number, octets: Uint8Array): Uint8Array | undefined {
  const link = linkHeaders[linkType]
  if (!link || octets.length <= link.size) return undefined
  let { size } = link
  if (linkType === 1)
    for (
      let tags = 0;
      tags < MAX_TAGS && vlanTypes.includes((octets[size - 2]! << 8) | (octets[size - 1] ?? 0));
      tags++
    )
      size += 4
  const packet = octets.subarray(size)
  // The version of IP stands in the packet itself: what names it before is not needed.
  return packet.length > 0 && [4, 6].includes(packet[0]! >> 4) ? packet : undefined
}

/** RFC 791 §3.1 or RFC 8200 §3, without what is behind its end. */
interface Datagram {
  readonly protocol: number
  readonly addresses: readonly [from: string, to: string]
  readonly payload: Uint8Array
  /** Of a datagram that was cut up: its number, where this belongs, and whether it ends there. */
  readonly piece?: { readonly id: number; readonly offset: number; readonly isLast: boolean }
}

function fromIpv4(packet: Uint8Array): Datagram | undefined {
  const reader = new OctetReader(packet)
  const headerSize = (reader.uint8() & 0xf) * 4
  reader.uint8()
  const size = reader.uint16()
  const id = reader.uint16()
  const cut = reader.uint16()
  reader.uint8()
  const protocol = reader.uint8()
  reader.uint16()
  const addresses = [reader.octets(4).join('.'), reader.octets(4).join('.')] as const
  // A card that cuts packets up itself leaves the size to be zero.
  const payload = packet.subarray(headerSize, size === 0 ? packet.length : size)
  if ((cut & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) === 0) return { protocol, addresses, payload }
  const piece = { id, offset: (cut & FRAGMENT_OFFSET) * 8, isLast: (cut & MORE_FRAGMENTS) === 0 }
  return { protocol, addresses, payload, piece }
}

function fromIpv6(packet: Uint8Array): Datagram | undefined {
  const reader = new OctetReader(packet)
  reader.uint32()
  const size = reader.uint16()
  let protocol = reader.uint8()
  reader.uint8()
  const addresses = [formatIpv6(reader.octets(16)), formatIpv6(reader.octets(16))] as const
  const payload = new OctetReader(size === 0 ? reader.rest() : reader.octets(Math.min(size, reader.remaining)))
  for (let i = 0; i < MAX_EXTENSIONS && extensions.includes(protocol); i++) {
    protocol = payload.uint8()
    payload.octets(8 * payload.uint8() + 6)
  }
  if (protocol !== FRAGMENT) return { protocol, addresses, payload: payload.rest() }
  // RFC 8200 §4.5: the offset is in the upper 13 bits, in eights, so that it stands there in octets.
  const next = payload.uint8()
  payload.uint8()
  const cut = payload.uint16()
  const piece = { id: payload.uint32(), offset: cut & ~7, isLast: (cut & 1) === 0 }
  return { protocol: next, addresses, payload: payload.rest(), piece }
}

const formatIpv6 = (octets: Uint8Array): string => {
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i]! << 8) | octets[2 * i + 1]!).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname
}

function fromTransport({ protocol: number, addresses, payload }: Datagram): Packet | undefined {
  const protocol = protocols.get(number)
  if (!protocol) return undefined
  const reader = new OctetReader(payload)
  const ports = [reader.uint16(), reader.uint16()] as const
  const [from, to] = [`${addresses[0]}:${ports[0]}`, `${addresses[1]}:${ports[1]}`]
  if (protocol === 'UDP') {
    const size = reader.uint16()
    return { protocol, from, to, ports, payload: payload.subarray(8, size || undefined), sequence: 0, begins: false }
  }
  const sequence = reader.uint32()
  reader.uint32()
  const [offset, flags] = [reader.uint8(), reader.uint8()]
  const begins = (flags & SYN) !== 0
  return { protocol, from, to, ports, payload: payload.subarray((offset >> 4) * 4), sequence, begins }
}
