/** What enctypes are made from: block ciphers and hashes as plain objects of synchronous functions. @module */
import type { Scratch } from './scratch.ts'

/** Hash functions by name. */
export type HashName = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** Octets that each hash gives. */
export const hashSizes: Readonly<Record<HashName, number>> = { md5: 16, sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

/** A block cipher in CBC mode under one key; disposing of it overwrites the key as far as its provider can reach it. */
export interface BlockMode extends Disposable {
  /** Octets of a block. */
  readonly blockSize: number
  /**
   * Encrypts the whole blocks of `scratch` between the octets `from` and `to`, in place. The block before `from` is the
   * initialization vector, so that a long text can come in pieces. `from` and `to` are multiples of the block size.
   */
  encrypt(scratch: Scratch, from: number, to: number): void
  /** The inverse of `encrypt`; the block before `from` is the ciphertext block before it, or the IV. */
  decrypt(scratch: Scratch, from: number, to: number): void
  /**
   * As `encrypt`, but into an array of its own, with a block of room in front of the ciphertext and one behind, all zero; the
   * work in `scratch` is undefined afterwards. Undefined where that is not the quicker way for so many octets.
   */
  encrypted?(scratch: Scratch, from: number, to: number): Uint8Array | undefined
  /**
   * The inverse of `encrypt` with an initialization vector of zeros, for the first `size` octets of `ciphertext`, into an
   * array of its own. Undefined where that is not the quicker way for so many octets.
   */
  decrypted?(ciphertext: Uint8Array, size: number): Uint8Array | undefined
}

/** A keyed hash under one key, one message at a time; disposing of it overwrites the key as far as its provider can. */
export interface Mac extends Disposable {
  /** Starts a message of `size` octets: what was begun before is forgotten. */
  begin(size: number): void
  /** Adds the octets of `data` from `from` up to `to`. */
  update(data: Uint8Array, from: number, to: number): void
  /** Writes the first `size` octets of the result at `offset` of `target`. */
  finish(target: Uint8Array, offset: number, size: number): void
}

/** A provider of everything that the enctypes need; a plain object, so that a caller can bring another. */
export interface Primitives {
  readonly name: string
  /** AES (FIPS 197) with a key of 16 or 32 octets, in CBC mode. The caller may overwrite `key` afterwards. */
  aes(key: Uint8Array): BlockMode
  /** HMAC (RFC 2104). The caller may overwrite `key` afterwards. */
  hmac(hash: HashName, key: Uint8Array): Mac
  /** The hash of `data`. */
  hash(hash: HashName, data: Uint8Array): Uint8Array
  /** PBKDF2 (RFC 8018 §5.2) with HMAC over `hash`, `size` octets of it. */
  pbkdf2(hash: HashName, password: Uint8Array, salt: Uint8Array, iterations: number, size: number): Uint8Array
}

/** One MAC over `data`, cut to `size` octets. */
export function macOf(mac: Mac, data: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(size)
  mac.begin(data.length)
  mac.update(data, 0, data.length)
  mac.finish(result, 0, size)
  return result
}
