import type { BlockMode, Mac } from '../primitives/primitives.ts'
import { makeScratch, type Scratch } from '../primitives/scratch.ts'

const BLOCK = 16

/** CMAC (NIST SP 800-38B, RFC 4493) over a cipher with blocks of 16 octets. */
export class Cmac implements Mac {
  readonly #cipher: BlockMode
  /** What the next block is chained to, and that block. */
  readonly #area: Scratch = makeScratch(2 * BLOCK)
  readonly #subkey: Uint8Array
  #held = 0

  /** Disposes of `cipher` with itself. */
  constructor(cipher: BlockMode) {
    this.#cipher = cipher
    cipher.encrypt(this.#area, BLOCK, 2 * BLOCK)
    this.#subkey = doubled(this.#area.octets.subarray(BLOCK))
    this.begin()
  }

  begin(): void {
    this.#area.octets.fill(0)
    this.#held = 0
  }

  update(data: Uint8Array, from: number, to: number): void {
    const { octets } = this.#area
    let held = this.#held
    for (let at = from; at < to; at++) {
      // The last block is treated apart, so a full one waits until there is more.
      if (held === BLOCK) {
        this.#chain()
        held = 0
      }
      octets[BLOCK + held++] = data[at]!
    }
    this.#held = held
  }

  finish(target: Uint8Array, offset: number, size: number): void {
    const { octets } = this.#area
    let last = this.#subkey
    if (this.#held < BLOCK) {
      octets[BLOCK + this.#held] = 0x80
      octets.fill(0, BLOCK + this.#held + 1, 2 * BLOCK)
      last = doubled(last)
    }
    for (let i = 0; i < BLOCK; i++) octets[BLOCK + i]! ^= last[i]!
    this.#chain()
    for (let i = 0; i < size; i++) target[offset + i] = octets[i]!
    octets.fill(0)
  }

  [Symbol.dispose](): void {
    this.#subkey.fill(0)
    this.#area.octets.fill(0)
    this.#cipher[Symbol.dispose]()
  }

  /** Encrypts the block held, for the next to be chained to. */
  #chain(): void {
    this.#cipher.encrypt(this.#area, BLOCK, 2 * BLOCK)
    this.#area.octets.copyWithin(0, BLOCK)
  }
}

/** Twice a block in GF(2^128) (RFC 4493 §2.3). */
function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(BLOCK)
  for (let i = 0; i < BLOCK; i++) result[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >> 7)
  result[BLOCK - 1]! ^= block[0]! & 0x80 ? 0x87 : 0
  return result
}
