/** Files of captured packets: pcap as tcpdump writes it, pcapng as Wireshark does; what is in them is frames of a link. @module */
import { BoundsError, OctetReader } from '../bytes/cursor.ts'

/** One captured frame. */
export interface Frame {
  /** LINKTYPE_ number of its link, as tcpdump.org registers them. */
  readonly linkType: number
  /** Microseconds since the epoch; undefined where the file does not say. */
  readonly time: number | undefined
  readonly octets: Uint8Array
}

/** Most frames of one file. */
const MAX_FRAMES = 100_000
/** Most links that one file describes. */
const MAX_LINKS = 256

/** Magic numbers of pcap: the unit of its fractions of seconds, in microseconds. */
const pcapUnits: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1],
  [0xa1b23c4d, 1e-3],
])
const PCAP_HEADER = 24
/** Type of the block that begins every section of pcapng; the same in either byte order. */
const SECTION = 0x0a0d0d0a
const BYTE_ORDER = 0x1a2b3c4d
/** The other blocks of pcapng that matter. */
const blocks = { link: 1, oldPacket: 2, simplePacket: 3, packet: 6 } as const
/** A block's type and its size, and the size again at its end. */
const BLOCK_FRAME = 12
/** Option of a link: the resolution of its times. */
const TIME_RESOLUTION = 9

/** Whether octets begin like a file of captured packets. */
export const isCapture = (octets: Uint8Array): boolean =>
  octets.length >= BLOCK_FRAME && (wordOf(octets, false) === SECTION || pcapOrder(octets) !== undefined)

/** The frames of such a file, up to where it ends or is damaged: then it throws BoundsError. */
export function* framesOf(octets: Uint8Array): Generator<Frame, void> {
  let left = MAX_FRAMES
  for (const frame of wordOf(octets, false) === SECTION ? pcapngFrames(octets) : pcapFrames(octets)) {
    if (left-- === 0) throw new BoundsError(`more than ${MAX_FRAMES} frames`)
    yield frame
  }
}

const wordOf = (octets: Uint8Array, littleEndian: boolean): number => new OctetReader(octets, { littleEndian }).uint32()

/** Which byte order a pcap file has: that of the machine that wrote it. */
function pcapOrder(octets: Uint8Array): { readonly littleEndian: boolean } | undefined {
  return [true, false]
    .map((littleEndian) => ({ littleEndian }))
    .find(({ littleEndian }) => pcapUnits.has(wordOf(octets, littleEndian)))
}

function* pcapFrames(octets: Uint8Array): Generator<Frame, void> {
  const order = pcapOrder(octets)!
  const reader = new OctetReader(octets, order)
  const unit = pcapUnits.get(reader.uint32())!
  reader.octets(PCAP_HEADER - 8)
  // The upper bits tell of a checksum behind each frame, which Ethernet's own lengths leave out anyway.
  const linkType = reader.uint32() & 0xffff
  while (reader.remaining > 0) {
    const [seconds, fraction, size] = [reader.uint32(), reader.uint32(), reader.uint32()]
    reader.uint32()
    yield { linkType, time: seconds * 1e6 + fraction * unit, octets: reader.octets(size) }
  }
}

interface Link {
  readonly linkType: number
  /** Ticks of its clock in a second. */
  readonly ticks: number
}

function* pcapngFrames(octets: Uint8Array): Generator<Frame, void> {
  let littleEndian = false
  let links: Link[] = []
  for (let at = 0; at < octets.length; ) {
    const rest = octets.subarray(at)
    if (rest.length < BLOCK_FRAME) throw new BoundsError(`a block of ${rest.length} octets at ${at}`)
    if (wordOf(rest, false) === SECTION) {
      littleEndian = wordOf(rest.subarray(8), true) === BYTE_ORDER
      links = []
    }
    const reader = new OctetReader(rest, { littleEndian })
    const [type, size] = [reader.uint32(), reader.uint32()]
    if (size < BLOCK_FRAME || size % 4 !== 0) throw new BoundsError(`a block of ${size} octets at ${at}`)
    const body = new OctetReader(reader.octets(size - BLOCK_FRAME), { littleEndian })
    at += size
    if (type === blocks.link) {
      if (links.length === MAX_LINKS) throw new BoundsError(`more than ${MAX_LINKS} links`)
      links.push(linkOf(body))
    } else {
      const frame = frameOf(type, body, links)
      if (frame) yield frame
    }
  }
}

function linkOf(body: OctetReader): Link {
  const linkType = body.uint16()
  body.octets(6)
  let ticks = 1e6
  while (body.remaining >= 4) {
    const [code, size] = [body.uint16(), body.uint16()]
    if (code === 0) break
    const value = body.octets(size)
    body.octets(Math.min(-size & 3, body.remaining))
    if (code === TIME_RESOLUTION && value[0] !== undefined) ticks = (value[0] & 0x80 ? 2 : 10) ** (value[0] & 0x7f)
  }
  return { linkType, ticks }
}

function frameOf(type: number, body: OctetReader, links: readonly Link[]): Frame | undefined {
  if (type === blocks.simplePacket) {
    const size = body.uint32()
    return { linkType: links[0]?.linkType ?? -1, time: undefined, octets: body.octets(Math.min(size, body.remaining)) }
  }
  if (type !== blocks.packet && type !== blocks.oldPacket) return undefined
  // The older block counts what was dropped beside its link.
  const link = type === blocks.packet ? body.uint32() : body.uint16()
  if (type === blocks.oldPacket) body.uint16()
  const { linkType, ticks } = links[link] ?? { linkType: -1, ticks: 1e6 }
  const [high, low, size] = [body.uint32(), body.uint32(), body.uint32()]
  body.uint32()
  return { linkType, time: ((high * 2 ** 32 + low) / ticks) * 1e6, octets: body.octets(size) }
}
