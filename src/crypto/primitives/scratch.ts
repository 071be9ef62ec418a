/** The one working area of the ciphers: texts are laid out in it, transformed in place and copied out. @module */
import { slabView } from '../../bytes/slab.ts'

/** Octets kept free for an initialization vector in front of the work: a block of AES. */
export const WORK = 16
/** Most octets that are transformed in one go: few calls for the builtin ciphers, and still within a core's cache. */
export const CHUNK = 32 * 1024
/** What the last go may hold besides: the two blocks that ciphertext stealing swaps. */
export const LIMIT = CHUNK + 32
/**
 * Most octets of a token that is made in one go, by a cipher that encrypts into memory of its own: a call for each piece and
 * a copy of what it gives cost up to a tenth more. A megabyte and what belongs to it; pages that nobody writes to cost none.
 */
export const WHOLE = 1024 * 1024 + 512
/** Two blocks at the end, for a block that has to be decrypted apart. */
export const SPARE = WORK + WHOLE + 16

/** Octets, and the same memory as words in the order of octets of the machine and in any order. */
export interface Scratch {
  readonly octets: Uint8Array
  readonly words: Int32Array
  readonly view: DataView
}

/** An area of `size` octets, all zero. */
export function makeScratch(size: number): Scratch {
  const buffer = new ArrayBuffer(size)
  return { octets: new Uint8Array(buffer), words: new Int32Array(buffer), view: new DataView(buffer) }
}

/** Shared by all that is synchronous; all zero between any two operations, so nothing of a text stays behind. */
export const scratch: Scratch = makeScratch(SPARE + 16)

/** The view of what texts are laid out in: of `octets` if they are the working area or the slab in use. */
export const viewOf = (octets: Uint8Array): DataView | undefined =>
  octets === scratch.octets ? scratch.view : slabView(octets)

/** Overwrites the work up to the octet `to`, and the initialization vector. */
export function wipe({ words }: Scratch, to: number): void {
  const end = (to + 3) >> 2
  if (end > 128) words.fill(0, 0, end)
  else for (let i = 0; i < end; i++) words[i] = 0
}

const littleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1

/** Turns the words from octet `from` up to `to` between the machine's order and little-endian: nothing on most. */
export function orderWords({ words }: Scratch, from: number, to: number): void {
  if (littleEndian) return
  for (let i = from >> 2; i < to >> 2; i++) {
    const word = words[i]!
    words[i] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
  }
}

/** The little-endian word at `offset`. */
export function wordAt(octets: Uint8Array, offset: number): number {
  return octets[offset]! | (octets[offset + 1]! << 8) | (octets[offset + 2]! << 16) | (octets[offset + 3]! << 24)
}
