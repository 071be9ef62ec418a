/** Octets of a buffer that short arrays share. */
const SLAB = 32 * 1024
/** Longest array that shares one. */
const SHORT = 2048

let slab = new ArrayBuffer(SLAB)
let taken = 0

/**
 * `size` octets, all zero, for what is no secret: short ones are views of a buffer shared with others, as a typed array
 * with memory of its own costs V8 as much as encrypting a hundred octets.
 */
export function allocate(size: number): Uint8Array {
  if (size > SHORT) return new Uint8Array(size)
  // A buffer that somebody transferred to another thread has no octets left.
  if (slab.byteLength - taken < size) {
    slab = new ArrayBuffer(SLAB)
    taken = 0
  }
  const part = new Uint8Array(slab, taken, size)
  taken += (size + 7) & ~7
  return part
}
