/**
 * The primitives of @noble: complete, audited, everywhere; the reference for the others. Its AES looks tables up, so
 * its timing depends on the cache. @module
 */
import { unsafe } from '@noble/ciphers/aes.js'
import { nobleHash, nobleMac, noblePbkdf2 } from './noblehash.ts'
import type { BlockMode, Primitives } from './primitives.ts'
import { orderWords, type Scratch } from './scratch.ts'

/** @noble/ciphers and @noble/hashes. */
export const noble: Primitives = {
  name: 'noble',
  aes: (key) => new NobleAes(key),
  hmac: nobleMac,
  hash: nobleHash,
  pbkdf2: noblePbkdf2,
}

/** CBC over @noble's single blocks, so that each key is expanded once. */
class NobleAes implements BlockMode {
  readonly blockSize = 16
  readonly #key: Uint8Array
  #forward: Uint32Array | undefined
  #backward: Uint32Array | undefined

  constructor(key: Uint8Array) {
    this.#key = new Uint8Array(key)
  }

  encrypt(scratch: Scratch, from: number, to: number): void {
    const schedule = (this.#forward ??= unsafe.expandKeyLE(this.#key))
    const { words } = scratch
    orderWords(scratch, from - 16, to)
    for (let i = from >> 2; i < to >> 2; i += 4) {
      const block = unsafe.encrypt(
        schedule,
        words[i]! ^ words[i - 4]!,
        words[i + 1]! ^ words[i - 3]!,
        words[i + 2]! ^ words[i - 2]!,
        words[i + 3]! ^ words[i - 1]!,
      )
      words[i] = block.s0
      words[i + 1] = block.s1
      words[i + 2] = block.s2
      words[i + 3] = block.s3
    }
    orderWords(scratch, from - 16, to)
  }

  decrypt(scratch: Scratch, from: number, to: number): void {
    const schedule = (this.#backward ??= unsafe.expandKeyDecLE(this.#key))
    const { words } = scratch
    orderWords(scratch, from - 16, to)
    // Back to front: a block is needed by the one after it, as it was.
    for (let i = (to >> 2) - 4; i >= from >> 2; i -= 4) {
      const block = unsafe.decrypt(schedule, words[i]!, words[i + 1]!, words[i + 2]!, words[i + 3]!)
      words[i] = block.s0 ^ words[i - 4]!
      words[i + 1] = block.s1 ^ words[i - 3]!
      words[i + 2] = block.s2 ^ words[i - 2]!
      words[i + 3] = block.s3 ^ words[i - 1]!
    }
    orderWords(scratch, from - 16, to)
  }

  [Symbol.dispose](): void {
    this.#key.fill(0)
    this.#forward?.fill(0)
    this.#backward?.fill(0)
  }
}
