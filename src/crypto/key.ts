import { equal, utf8 } from '../bytes/index.ts'
import type { Enctype, WorkingKeys } from './enctypes/profile.ts'
import type { Random } from './random.ts'

/**
 * A key of one enctype (RFC 3961 §2). Its octets are private, it prints as `[Key aes256-cts-hmac-sha1-96]`, and disposing
 * of it overwrites them and all that was derived; a later use throws TypeError.
 */
export class Key implements Disposable {
  readonly enctype: Enctype
  readonly #octets: Uint8Array
  readonly #working = new Map<number, WorkingKeys>()
  #disposed = false

  /** Copies `octets`. Throws TypeError when they are not as many as the enctype's keys have. */
  constructor(enctype: Enctype, octets: Uint8Array) {
    if (octets.length !== enctype.keySize)
      throw new TypeError(`${enctype.name} keys have ${enctype.keySize} octets, not ${octets.length}`)
    this.enctype = enctype
    this.#octets = octets.slice()
  }

  /** A fresh key. */
  static generate(enctype: Enctype, random: Random): Key {
    return new Key(enctype, random(enctype.keySize))
  }

  /** String-to-key (RFC 3961 §3). Throws RangeError when `parameters` ask for too few or too many rounds. */
  static fromPassword(enctype: Enctype, password: string, salt: Uint8Array, parameters?: Uint8Array): Key {
    const octets = enctype.stringToKey(utf8(password), salt, parameters)
    const key = new Key(enctype, octets)
    octets.fill(0)
    return key
  }

  /** Encrypts under the key of `usage` (RFC 3961 §3). */
  encrypt(usage: number, plaintext: Uint8Array, random: Random): Uint8Array {
    return this.#for(usage).encrypt(plaintext, random(this.enctype.confounderSize))
  }

  /** Decrypts under the key of `usage`. Throws IntegrityError. */
  decrypt(usage: number, ciphertext: Uint8Array): Uint8Array {
    return this.#for(usage).decrypt(ciphertext)
  }

  /** The enctype's required checksum (RFC 3961 §4). */
  checksum(usage: number, data: Uint8Array): Uint8Array {
    return this.#for(usage).checksum(data)
  }

  /** Whether `checksum` is that of `data`, found out in constant time. */
  verify(usage: number, data: Uint8Array, checksum: Uint8Array): boolean {
    return equal(this.checksum(usage, data), checksum)
  }

  /** RFC 3961 §3, pseudo-random. */
  prf(data: Uint8Array): Uint8Array {
    return this.enctype.prf(this.#alive(), data)
  }

  /** A copy of the octets: for keytabs, ccaches and EncryptionKey. */
  octets(): Uint8Array {
    return this.#alive().slice()
  }

  /** Whether both are the same key, found out in constant time. */
  equals(other: Key): boolean {
    return this.enctype.id === other.enctype.id && equal(this.#alive(), other.#alive())
  }

  toString(): string {
    return `[Key ${this.enctype.name}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    this.#octets.fill(0)
    for (const keys of this.#working.values()) keys[Symbol.dispose]()
    this.#working.clear()
  }

  #for(usage: number): WorkingKeys {
    let keys = this.#working.get(usage)
    if (!keys) {
      keys = this.enctype.derive(this.#alive(), usage)
      this.#working.set(usage, keys)
    }
    return keys
  }

  #alive(): Uint8Array {
    if (this.#disposed) throw new TypeError(`this ${this.enctype.name} key was disposed of`)
    return this.#octets
  }
}
