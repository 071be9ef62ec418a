/** How Kerberos messages are cut out of a stream: RFC 4120 §7.2.2. @module */

/** The largest reply that is taken: some hundred times a ticket with a large PAC. */
export const MAX_REPLY = 8 * 1024 * 1024

/** Octets of the length in front of a message on a stream (RFC 4120 §7.2.2); the DNS has two (RFC 1035 §4.2.2). */
const LENGTH = 4

/** Puts the length in front, in 4 octets unless said. */
export function framed(message: Uint8Array, lengthSize: 2 | 4 = LENGTH): Uint8Array {
  const frame = new Uint8Array(lengthSize + message.length)
  const view = new DataView(frame.buffer)
  if (lengthSize === 2) view.setUint16(0, message.length)
  else view.setUint32(0, message.length)
  frame.set(message, lengthSize)
  return frame
}

/** The high bit of a length that is a record mark: the last fragment of its record (RFC 5531 §11). */
const LAST_FRAGMENT = 0x8000_0000

/** Puts a record mark in front: the length of one fragment, which is the last. */
export function marked(message: Uint8Array): Uint8Array {
  const frame = framed(message)
  frame[0]! |= LAST_FRAGMENT >>> 24
  return frame
}

/** A stream that holds no Kerberos message. */
export class FramingError extends Error {
  override readonly name = 'FramingError'
}

/** Octets set aside at first for a message, whatever length it announces. */
const FIRST_ROOM = 16 * 1024

/**
 * Gathers messages from a stream, however it is cut. Never holds more than one message within `limit`, nor much more of
 * it than has come: an announced length costs its announcer's peer nothing.
 */
export class Unframer {
  readonly #limit: number
  readonly #length: Uint8Array
  readonly #records: boolean
  /** Octets of the length that have come. */
  #known = 0
  /** Octets of the message that is being gathered; undefined while its length is not known. */
  #announced: number | undefined
  #message = new Uint8Array(0)
  #filled = 0

  /** With the size of the length, or `record` for RPC's marks, where a record has one fragment. */
  constructor(limit: number, framing: 2 | 4 | 'record' = LENGTH) {
    this.#limit = limit
    this.#records = framing === 'record'
    this.#length = new Uint8Array(framing === 'record' ? LENGTH : framing)
  }

  /** Whether a message has begun and not ended. */
  get begun(): boolean {
    return this.#known > 0
  }

  /** How far the message that is being gathered has come, in words: `3 of 1200 octets`. */
  get progress(): string {
    return this.#announced === undefined
      ? `${this.#known} of the ${this.#length.length} octets of its length`
      : `${this.#filled} of ${this.#announced} octets`
  }

  /**
   * Takes what came; gives the messages that are whole now. Throws {@link FramingError} for a length above the limit,
   * with its reserved high bit or without.
   */
  push(octets: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = []
    for (let at = 0; at < octets.length; ) {
      if (this.#announced === undefined) {
        this.#length[this.#known++] = octets[at++]!
        if (this.#known === this.#length.length) this.#begin()
      } else at += this.#gather(octets.subarray(at), this.#announced)
      if (this.#announced === this.#filled) messages.push(this.#end())
    }
    return messages
  }

  #begin(): void {
    const written = this.#length.reduce((value, octet) => value * 256 + octet, 0)
    if (this.#records && written < LAST_FRAGMENT) throw new FramingError('a record comes in several fragments')
    const length = this.#records ? written - LAST_FRAGMENT : written
    if (length > this.#limit)
      throw new FramingError(`a message of ${length} octets is announced, ${this.#limit} are the limit`)
    this.#announced = length
    this.#message = new Uint8Array(Math.min(length, FIRST_ROOM))
  }

  /** Takes what belongs to the message; gives how many octets that were. */
  #gather(octets: Uint8Array, announced: number): number {
    const part = octets.subarray(0, announced - this.#filled)
    const filled = this.#filled + part.length
    if (filled > this.#message.length) {
      const room = new Uint8Array(Math.min(announced, Math.max(filled, 2 * this.#message.length)))
      room.set(this.#message)
      this.#message = room
    }
    this.#message.set(part, this.#filled)
    this.#filled = filled
    return part.length
  }

  #end(): Uint8Array {
    const message = this.#message
    this.#message = new Uint8Array(0)
    this.#announced = undefined
    this.#known = this.#filled = 0
    return message
  }
}
