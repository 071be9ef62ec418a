/**
 * Cursors over binary formats: files, tokens and RPC records. (DER has a reader of its own in `asn1`.)
 * @module
 */

/** A read past the end, or a length no honest writer would give. */
export class BoundsError extends RangeError {
  override readonly name = 'BoundsError'
}

/** Reads integers and runs of octets from front to back; nothing is copied. Every method throws {@link BoundsError}. */
export class OctetReader {
  readonly #octets: Uint8Array
  readonly #view: DataView
  readonly #little: boolean
  #at = 0

  constructor(octets: Uint8Array, { littleEndian = false }: { readonly littleEndian?: boolean } = {}) {
    this.#octets = octets
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
    this.#little = littleEndian
  }

  /** Where the next read starts, in octets from the beginning. */
  get offset(): number {
    return this.#at
  }

  /** Octets not yet read. */
  get remaining(): number {
    return this.#octets.length - this.#at
  }

  /** Unsigned, 8 bits. */
  uint8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  /** Unsigned, 16 bits. */
  uint16(): number {
    return this.#view.getUint16(this.#take(2), this.#little)
  }

  /** Unsigned, 32 bits. */
  uint32(): number {
    return this.#view.getUint32(this.#take(4), this.#little)
  }

  /** Signed, 32 bits. */
  int32(): number {
    return this.#view.getInt32(this.#take(4), this.#little)
  }

  /** Unsigned, 64 bits. */
  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.#little)
  }

  /** The next `size` octets, as a view of the input. */
  octets(size: number): Uint8Array {
    const start = this.#take(size)
    return this.#octets.subarray(start, start + size)
  }

  /** Everything left. */
  rest(): Uint8Array {
    return this.octets(this.remaining)
  }

  #take(size: number): number {
    if (!Number.isInteger(size) || size < 0 || size > this.remaining)
      throw new BoundsError(`${size} octets wanted at offset ${this.#at}, ${this.remaining} left`)
    const start = this.#at
    this.#at += size
    return start
  }
}

/** Octets of a writer's first buffer: V8 keeps arrays of up to so many on its heap, where they cost next to nothing. */
const FIRST_SIZE = 64

/** Builds a binary format from front to back in one buffer that grows. */
export class OctetWriter {
  #octets = new Uint8Array(FIRST_SIZE)
  #at = 0
  readonly #little: boolean

  constructor({ littleEndian = false }: { readonly littleEndian?: boolean } = {}) {
    this.#little = littleEndian
  }

  /** Octets written so far. */
  get length(): number {
    return this.#at
  }

  /** Unsigned or signed, 8 bits. */
  uint8(value: number): this {
    const at = this.#grow(1)
    this.#octets[at] = value
    return this
  }

  /** Unsigned or signed, 16 bits. */
  uint16(value: number): this {
    this.#put(value, 2)
    return this
  }

  /** Unsigned or signed, 32 bits. */
  uint32(value: number): this {
    this.#put(value, 4)
    return this
  }

  /** Unsigned, 64 bits. */
  uint64(value: bigint): this {
    const [low, high] = [Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n))]
    this.#put(this.#little ? low : high, 4)
    this.#put(this.#little ? high : low, 4)
    return this
  }

  /** `octets` as they are. */
  octets(octets: Uint8Array): this {
    const at = this.#grow(octets.length)
    this.#octets.set(octets, at)
    return this
  }

  /** All that was written, in an array of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#octets.slice(0, this.#at)
  }

  #put(value: number, size: number): void {
    const at = this.#grow(size)
    for (let i = 0; i < size; i++) this.#octets[this.#little ? at + i : at + size - 1 - i] = value >>> (8 * i)
  }

  #grow(size: number): number {
    const start = this.#at
    this.#at += size
    if (this.#at > this.#octets.length) {
      const larger = new Uint8Array(Math.max(this.#at, 4 * this.#octets.length))
      larger.set(this.#octets)
      this.#octets.fill(0)
      this.#octets = larger
    }
    return start
  }
}
