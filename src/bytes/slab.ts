/** Octets of a buffer that short arrays share. */
const SLAB = 32 * 1024
/** Longest array that shares one. */
const SHORT = 2048

/**
 * Memory that short arrays share, as octets and as words in the order of octets of the machine and in any order; all zero
 * until taken.
 */
export class Slab {
  readonly octets: Uint8Array
  readonly words: Int32Array
  readonly view: DataView
  #taken = 0

  constructor() {
    const buffer = new ArrayBuffer(SLAB)
    this.octets = new Uint8Array(buffer)
    this.words = new Int32Array(buffer)
    this.view = new DataView(buffer)
  }

  /** Whether `size` octets are free. A buffer that somebody transferred to another thread has none left. */
  holds(size: number): boolean {
    return this.octets.length - this.#taken >= size
  }

  /** The place of `size` octets that are nobody else's from now on; it is a multiple of eight. */
  take(size: number): number {
    const place = this.#taken
    this.#taken += (size + 7) & ~7
    return place
  }
}

let slab = new Slab()

/** A slab that has `size` octets free, at most {@link SHORT}: for what is no secret once it is left there. */
export function slabFor(size: number): Slab {
  if (!slab.holds(size)) slab = new Slab()
  return slab
}

/** The view of the slab in use if `octets` are all of it: one of its own costs V8 as much as hashing 64 octets. */
export const slabView = (octets: Uint8Array): DataView | undefined => (octets === slab.octets ? slab.view : undefined)

/**
 * `size` octets, all zero, for what is no secret: short ones are views of a buffer shared with others, as a typed array
 * with memory of its own costs V8 as much as encrypting a hundred octets.
 */
export function allocate(size: number): Uint8Array {
  if (size > SHORT) return new Uint8Array(size)
  const shared = slabFor(size)
  return new Uint8Array(shared.octets.buffer, shared.take(size), size)
}
