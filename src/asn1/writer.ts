import { allocate } from '../bytes/slab.ts'

/** Octets of the first buffer: most Kerberos messages fit. */
const FIRST_SIZE = 2048
/** A buffer that grew larger than this is let go after use. */
const KEPT_SIZE = 65_536

/**
 * Writes an encoding from its last octet to its first, so that every length is known when its turn comes: contents
 * first, then {@link Writer.header}. One buffer that grows at its front; what it held is overwritten when it is left.
 */
export class Writer {
  #octets = new Uint8Array(FIRST_SIZE)
  #at = FIRST_SIZE

  /** Octets written so far. */
  get written(): number {
    return this.#octets.length - this.#at
  }

  /** One octet (the low eight bits of `value`) in front of what is written. */
  octet(value: number): void {
    if (this.#at === 0) this.#grow(1)
    this.#octets[--this.#at] = value
  }

  /** `octets` in front of what is written. */
  write(octets: Uint8Array): void {
    const size = octets.length
    if (size > this.#at) this.#grow(size)
    this.#at -= size
    this.#octets.set(octets, this.#at)
  }

  /** Identifier and length in front of the last `size` octets written, which are the contents. */
  header(identifier: number, size: number): void {
    if (size < 0x80) this.octet(size)
    else this.#longLength(size)
    this.octet(identifier)
  }

  #longLength(size: number): void {
    let count = 0
    for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) {
      this.octet(rest)
      count++
    }
    this.octet(0x80 | count)
  }

  /** All that was written, as a view that {@link clear} overwrites. */
  view(): Uint8Array {
    return this.#octets.subarray(this.#at)
  }

  /** All that was written, in an array of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#octets.slice(this.#at)
  }

  /** As {@link finish}, for what is no secret and soon gone: what is short is a view of a buffer that holds others, too. */
  finishShort(): Uint8Array {
    const octets = allocate(this.written)
    octets.set(this.view())
    return octets
  }

  /** Forgets and overwrites what was written: it may have been keys. */
  clear(): void {
    this.#octets.fill(0, this.#at)
    if (this.#octets.length > KEPT_SIZE) this.#octets = new Uint8Array(FIRST_SIZE)
    this.#at = this.#octets.length
  }

  #grow(size: number): void {
    const written = this.written
    const larger = new Uint8Array(Math.max(2 * this.#octets.length, written + size))
    larger.set(this.#octets.subarray(this.#at), larger.length - written)
    this.#octets.fill(0, this.#at)
    this.#octets = larger
    this.#at = larger.length - written
  }
}
