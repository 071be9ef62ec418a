import type { BlockMode } from '../primitives/primitives.ts'
import type { Scratch } from '../primitives/scratch.ts'

/** One block of a cipher, in place. */
export interface Block extends Disposable {
  readonly blockSize: number
  /** Encrypts the block at `at`. */
  encryptBlock(octets: Uint8Array, at: number): void
  /** Decrypts the block at `at`. */
  decryptBlock(octets: Uint8Array, at: number): void
}

/** CBC over a block at a time. */
export class PlainBlockMode implements BlockMode {
  readonly blockSize: number
  readonly #block: Block

  constructor(block: Block) {
    this.blockSize = block.blockSize
    this.#block = block
  }

  encrypt({ octets }: Scratch, from: number, to: number): void {
    const size = this.blockSize
    for (let at = from; at < to; at += size) {
      for (let i = at; i < at + size; i++) octets[i]! ^= octets[i - size]!
      this.#block.encryptBlock(octets, at)
    }
  }

  decrypt({ octets }: Scratch, from: number, to: number): void {
    const size = this.blockSize
    // Back to front: a block is needed by the one after it, as it was.
    for (let at = to - size; at >= from; at -= size) {
      this.#block.decryptBlock(octets, at)
      for (let i = at; i < at + size; i++) octets[i]! ^= octets[i - size]!
    }
  }

  [Symbol.dispose](): void {
    this.#block[Symbol.dispose]()
  }
}
