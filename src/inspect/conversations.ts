/** From packets to messages: what UDP carries one by one, and TCP in a stream with a size in front of each (RFC 4120 §7.2). @module */

import { Asn1Error } from '../asn1/error.ts'
import { Reader } from '../asn1/reader.ts'
import { concat } from '../bytes/index.ts'
import { parsePasswordFrame } from '../krb5/exchanges/passwordframe.ts'
import type { Packet } from './packets.ts'

/** Ports of the KDC, and of changing passwords. */
const PORTS: readonly number[] = [88, 464]
/** Octets in front of a message on TCP. */
const RECORD_MARK = 4
/** Longest message on TCP. */
const MAX_MESSAGE = 1 << 20
/** Most directions of connections that are followed at once: the oldest goes. */
const MAX_STREAMS = 4096
/** Most segments of one direction that wait for one before them. */
const MAX_WAITING = 256

/** One direction of a connection. */
interface Stream {
  /** Number of the octet that comes next. */
  next: number
  readonly waiting: Map<number, Uint8Array>
  parts: Uint8Array[]
  held: number
  /** Octets without which there is nothing to be had. */
  needed: number
  /** Why no more is read of it. */
  failure?: string
}

/** The messages of Kerberos in packets that come one after the other: on their ports, and on others where they look like it. */
export class Conversations {
  readonly #streams = new Map<string, Stream>()

  /** The messages that this packet completes; undefined where it has to do with none. */
  messagesOf(packet: Packet): readonly Uint8Array[] | undefined {
    const isOurs = packet.ports.some((port) => PORTS.includes(port))
    if (packet.protocol === 'TCP') return this.#segment(packet, isOurs)
    return packet.payload.length > 0 && (isOurs || isWhole(packet.payload)) ? [packet.payload] : undefined
  }

  /** What was begun and not ended, connection by connection. */
  *leftOver(): Generator<string, void> {
    for (const [name, { held, waiting, failure }] of this.#streams)
      if (failure !== undefined) yield `TCP ${name}: ${failure}`
      else if (waiting.size > 0) yield `TCP ${name}: segments were not captured, others came behind them`
      else if (held > 0) yield `TCP ${name}: ${held} octets of a message that was not captured to its end`
  }

  #segment(packet: Packet, isOurs: boolean): readonly Uint8Array[] | undefined {
    const { from, to, sequence, begins, payload } = packet
    const name = `${from} > ${to}`
    if (begins) this.#streams.delete(name)
    const next = (sequence + Number(begins)) >>> 0
    const stream = this.#streams.get(name) ?? (isOurs || beginsRecord(payload) ? this.#open(name, next) : undefined)
    if (!stream) return undefined
    arrive(stream, next, payload)
    return [...records(stream)]
  }

  #open(name: string, next: number): Stream {
    const stream = { next, waiting: new Map(), parts: [], held: 0, needed: RECORD_MARK }
    const [oldest] = this.#streams.keys()
    if (this.#streams.size >= MAX_STREAMS && oldest !== undefined) this.#streams.delete(oldest)
    this.#streams.set(name, stream)
    return stream
  }
}

/** Puts a segment where it belongs, and behind it those that waited for it; octets that were there before are passed over. */
function arrive(stream: Stream, sequence: number, payload: Uint8Array): void {
  if (payload.length === 0 || stream.failure !== undefined) return
  if (((sequence - stream.next) | 0) > 0) {
    if (stream.waiting.size < MAX_WAITING) stream.waiting.set(sequence, payload)
    return
  }
  append(stream, sequence, payload)
  for (let found = due(stream); found !== undefined; found = due(stream)) {
    append(stream, found, stream.waiting.get(found)!)
    stream.waiting.delete(found)
  }
}

/** The number of a segment whose turn it is. */
const due = ({ waiting, next }: Stream): number | undefined => [...waiting.keys()].find((at) => ((at - next) | 0) <= 0)

function append(stream: Stream, sequence: number, payload: Uint8Array): void {
  const fresh = payload.subarray(Math.min(payload.length, (stream.next - sequence) >>> 0))
  stream.parts.push(fresh)
  stream.held += fresh.length
  stream.next = (stream.next + fresh.length) >>> 0
}

function* records(stream: Stream): Generator<Uint8Array, void> {
  while (stream.held >= stream.needed && stream.failure === undefined) {
    const octets = concat(...stream.parts)
    const size = new DataView(octets.buffer).getUint32(0)
    if (size === 0 || size > MAX_MESSAGE) {
      stream.failure = `a message of ${size} octets, more than ${MAX_MESSAGE}, or no message at all`
      stream.parts = []
      return
    }
    const end = RECORD_MARK + size
    const whole = octets.length >= end
    if (whole) yield octets.subarray(RECORD_MARK, end)
    stream.parts = [whole ? octets.subarray(end) : octets]
    stream.held = octets.length - (whole ? end : 0)
    stream.needed = whole ? RECORD_MARK : end
  }
}

/** On whichever port: an element of an application's own class from the first octet to the last, or a frame of kpasswd. */
function isWhole(payload: Uint8Array): boolean {
  if (!isApplication(payload[0])) return parsePasswordFrame(payload) !== undefined
  try {
    const reader = new Reader(payload)
    reader.skip(payload.length)
    return reader.at === payload.length
  } catch (error) {
    if (error instanceof Asn1Error) return false
    throw error
  }
}

/** The same of a stream, of which there may be no more yet than how it begins; a frame of kpasswd begins with its size. */
function beginsRecord(payload: Uint8Array): boolean {
  if (payload.length < RECORD_MARK + 2) return false
  const view = new DataView(payload.buffer, payload.byteOffset)
  const size = view.getUint32(0)
  if (size <= RECORD_MARK || size > MAX_MESSAGE) return false
  return isApplication(payload[RECORD_MARK]) || view.getUint16(RECORD_MARK) === size
}

const isApplication = (octet = 0): boolean => (octet & 0xe0) === 0x60
