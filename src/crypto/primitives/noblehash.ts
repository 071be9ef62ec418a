/** The hashes of @noble, apart from its ciphers, whose tables take milliseconds to build. @module */
import { hmac } from '@noble/hashes/hmac.js'
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import type { HashName, Mac } from './primitives.ts'

const hashes = { md5, sha1, sha256, sha384, sha512 }

/** The hash of `data`. */
export const nobleHash = (hash: HashName, data: Uint8Array): Uint8Array => hashes[hash](data)

/** PBKDF2 (RFC 8018 §5.2). */
export const noblePbkdf2 = (
  hash: HashName,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  size: number,
): Uint8Array => pbkdf2(hashes[hash], password, salt, { c: iterations, dkLen: size })

/** HMAC (RFC 2104), whose inner and outer state are computed once and cloned for each message. */
export function nobleMac(hash: HashName, key: Uint8Array): Mac {
  return new NobleMac(hash, key)
}

/** What there is to an HMAC object of @noble. */
interface Run {
  update(data: Uint8Array): unknown
  digest(): Uint8Array
  clone(): Run
  destroy(): void
}

class NobleMac implements Mac {
  readonly #keyed: Run
  #run: Run

  constructor(hash: HashName, key: Uint8Array) {
    this.#keyed = hmac.create(hashes[hash], key)
    this.#run = this.#keyed
  }

  begin(): void {
    this.#run = this.#keyed.clone()
  }

  update(data: Uint8Array, from: number, to: number): void {
    this.#run.update(data.subarray(from, to))
  }

  finish(target: Uint8Array, offset: number, size: number): void {
    target.set(this.#run.digest().subarray(0, size), offset)
  }

  [Symbol.dispose](): void {
    this.#keyed.destroy()
  }
}
