/** The hashes of @noble, apart from its ciphers, whose tables take milliseconds to build. @module */
import { hmac } from '@noble/hashes/hmac.js'
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { type HashName, hashSizes, type Mac } from './primitives.ts'

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

/** HMAC (RFC 2104), whose inner and outer state are computed once and cloned for each message but the first. */
export function nobleMac(hash: HashName, key: Uint8Array): Mac {
  return new NobleMac(hash, key)
}

/** What there is to an HMAC object of @noble. */
interface Run {
  update(data: Uint8Array): unknown
  digestInto(target: Uint8Array): void
  _cloneInto(target?: Run): Run
  destroy(): void
}

/** Where results are made. */
const result = new Uint8Array(Math.max(...Object.values(hashSizes)))

class NobleMac implements Mac {
  readonly #hash: HashName
  readonly #key: Uint8Array
  /** Undefined before the second message: most keys of a handshake see but one. */
  #keyed: Run | undefined
  #run: Run | undefined

  constructor(hash: HashName, key: Uint8Array) {
    this.#hash = hash
    this.#key = new Uint8Array(key)
  }

  begin(): void {
    if (!this.#run) this.#run = this.#create()
    else {
      this.#keyed ??= this.#create()
      this.#run = this.#keyed._cloneInto(this.#run)
    }
  }

  update(data: Uint8Array, from: number, to: number): void {
    this.#run!.update(data.subarray(from, to))
  }

  finish(target: Uint8Array, offset: number, size: number): void {
    this.#run!.digestInto(result)
    for (let i = 0; i < size; i++) target[offset + i] = result[i]!
    result.fill(0)
  }

  #create(): Run {
    return hmac.create(hashes[this.#hash], this.#key)
  }

  [Symbol.dispose](): void {
    this.#key.fill(0)
    this.#keyed?.destroy()
    this.#run?.destroy()
  }
}
