/** Hash functions by name. */
export type HashName = 'sha1' | 'sha256' | 'sha384'

/** The block cipher and the hashes that enctypes are made from: synchronous, injectable, without state. */
export interface Primitives {
  readonly name: string
  /** AES-CBC with a zero IV over whole blocks. */
  aesCbcEncrypt(key: Uint8Array, blocks: Uint8Array): Uint8Array
  /** The inverse of `aesCbcEncrypt`. */
  aesCbcDecrypt(key: Uint8Array, blocks: Uint8Array): Uint8Array
  hash(hash: HashName, data: Uint8Array): Uint8Array
  /** HMAC (RFC 2104), uncut. */
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array
  /** PBKDF2 (RFC 8018 §5.2) with HMAC over `hash`. */
  pbkdf2(hash: HashName, password: Uint8Array, salt: Uint8Array, iterations: number, size: number): Uint8Array
}
