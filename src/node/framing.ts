/** Octets of the length in front of a message on a stream (RFC 4120 §7.2.2). */
const LENGTH = 4

/** Puts the length in front. */
export function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH + message.length)
  new DataView(frame.buffer).setUint32(0, message.length)
  frame.set(message, LENGTH)
  return frame
}

/** A stream that holds no Kerberos message. */
export class FramingError extends Error {
  override readonly name = 'FramingError'
}

/** Gathers messages from a stream, however it is cut; never holds more than one message within `limit`. */
export class Unframer {
  readonly #limit: number
  readonly #length = new Uint8Array(LENGTH)
  /** Octets of the length that have come. */
  #known = 0
  #message: Uint8Array | undefined
  #filled = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How far the message that is being gathered has come, in words: `3 of 1200 octets`. */
  get progress(): string {
    return this.#message
      ? `${this.#filled} of ${this.#message.length} octets`
      : `${this.#known} of the ${LENGTH} octets of its length`
  }

  /** Takes what came; gives the messages that are whole now. Throws {@link FramingError} for a length above the limit. */
  push(octets: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = []
    for (let at = 0; at < octets.length; ) {
      if (!this.#message) {
        this.#length[this.#known++] = octets[at++]!
        if (this.#known === LENGTH) this.#begin()
      } else {
        const part = octets.subarray(at, at + this.#message.length - this.#filled)
        this.#message.set(part, this.#filled)
        this.#filled += part.length
        at += part.length
      }
      if (this.#message && this.#filled === this.#message.length) {
        messages.push(this.#message)
        this.#message = undefined
        this.#known = 0
      }
    }
    return messages
  }

  #begin(): void {
    const length = new DataView(this.#length.buffer).getUint32(0)
    if (length > this.#limit)
      throw new FramingError(`a message of ${length} octets is announced, ${this.#limit} are the limit`)
    this.#message = new Uint8Array(length)
    this.#filled = 0
  }
}
