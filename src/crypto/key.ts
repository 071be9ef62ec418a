import { equal, utf8 } from '../bytes/index.ts'
import {
  ciphertextSize,
  type Enctype,
  isSignOnly,
  type KeyMaterial,
  type Part,
  partsOf,
  type SignedAt,
  type WorkingKeys,
} from './enctypes/profile.ts'
import type { Random } from './random.ts'

const NOTHING: readonly SignedAt[] = []
/** Confounders by their size, made anew for each message: an array of its own costs as much as to encrypt one. */
const confounders: Readonly<Record<number, Uint8Array>> = { 8: new Uint8Array(8), 16: new Uint8Array(16) }

/** Octets of `parts` that are encrypted. */
function plaintextSize(parts: readonly Part[]): number {
  let size = 0
  for (const part of parts) if (!isSignOnly(part)) size += part.length
  return size
}

/**
 * A key of one enctype (RFC 3961 §2). Its octets are private, it prints as `[Key aes256-cts-hmac-sha1-96]`, and disposing
 * of it overwrites them and all that was derived; a later use throws TypeError.
 */
export class Key implements Disposable {
  readonly enctype: Enctype
  readonly #octets: Uint8Array
  #material: KeyMaterial | undefined
  /** The keys of the usage asked for last, and all: two or three, so that searching beats hashing. */
  #last: WorkingKeys | undefined
  readonly #working: WorkingKeys[] = []
  #disposed = false

  /** Copies `octets`. Throws TypeError when they are not as many as the enctype's keys have. */
  constructor(enctype: Enctype, octets: Uint8Array) {
    if (octets.length !== enctype.keySize)
      throw new TypeError(`${enctype.name} keys have ${enctype.keySize} octets, not ${octets.length}`)
    this.enctype = enctype
    this.#octets = new Uint8Array(octets)
  }

  /** A fresh key. */
  static generate(enctype: Enctype, random: Random): Key {
    return Key.fromSeed(enctype, random(enctype.seedSize))
  }

  /** Random-to-key (RFC 3961 §3). Throws TypeError when `seed` has not as many octets as the enctype takes. */
  static fromSeed(enctype: Enctype, seed: Uint8Array): Key {
    if (seed.length !== enctype.seedSize)
      throw new TypeError(`${enctype.name} keys are made of ${enctype.seedSize} octets, not ${seed.length}`)
    return Key.#owning(enctype, enctype.randomToKey(seed))
  }

  /** String-to-key (RFC 3961 §3). Throws RangeError when `parameters` ask for too few or too many rounds. */
  static fromPassword(enctype: Enctype, password: string, salt: Uint8Array, parameters?: Uint8Array): Key {
    const secret = utf8(password)
    try {
      return Key.#owning(enctype, enctype.stringToKey(secret, salt, parameters))
    } finally {
      secret.fill(0)
    }
  }

  static #owning(enctype: Enctype, octets: Uint8Array): Key {
    const key = new Key(enctype, octets)
    octets.fill(0)
    return key
  }

  /** Encrypts under the key of `usage` (RFC 3961 §3). Throws TypeError after disposal, and nothing else. */
  encrypt(usage: number, plaintext: Uint8Array, random: Random): Uint8Array {
    return this.encryptBehind(0, usage, [plaintext], random)
  }

  /**
   * Encrypts `parts`, joined, into an array with `room` octets in front that are left zero: for the header of a token.
   * Parts that are `{ signOnly }` are covered by the checksum in their place and stay outside. What is short is a view of
   * a buffer that holds other ciphertexts, too.
   */
  encryptBehind(room: number, usage: number, parts: readonly Part[], random: Random): Uint8Array {
    const size = plaintextSize(parts)
    const length = room + ciphertextSize(this.enctype, size)
    return this.#for(usage).seal(parts, size, this.#confounder(random), room, length)
  }

  /**
   * Decrypts under the key of `usage`. `signed` are the octets that were `{ signOnly }`, each with the number of octets
   * of plaintext `at` which it stood, in order. Throws IntegrityError when anything does not match.
   */
  decrypt(usage: number, ciphertext: Uint8Array, signed: readonly SignedAt[] = NOTHING): Uint8Array {
    return this.#for(usage).open(ciphertext, signed)
  }

  /** The enctype's required checksum (RFC 3961 §4) over `data`, or over several arrays as if they were joined. */
  checksum(usage: number, data: Uint8Array | readonly Uint8Array[]): Uint8Array {
    return this.#for(usage).checksum(partsOf(data))
  }

  /** Whether `checksum` is that of `data`, found out in constant time. */
  verify(usage: number, data: Uint8Array | readonly Uint8Array[], checksum: Uint8Array): boolean {
    return equal(this.checksum(usage, data), checksum)
  }

  /** RFC 3961 §3, pseudo-random. */
  prf(data: Uint8Array): Uint8Array {
    return this.#prepared().prf(data)
  }

  /** A copy of the octets: for keytabs, ccaches and EncryptionKey. */
  octets(): Uint8Array {
    return new Uint8Array(this.#alive())
  }

  /** The same key, to be disposed of by itself. */
  copy(): Key {
    return new Key(this.enctype, this.#alive())
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
    this.#last = undefined
    for (const keys of this.#working.splice(0)) keys[Symbol.dispose]()
    this.#material?.[Symbol.dispose]()
    this.#material = undefined
  }

  #for(usage: number): WorkingKeys {
    if (this.#last?.usage === usage) return this.#last
    let keys = this.#working.find((candidate) => candidate.usage === usage)
    if (!keys) {
      keys = this.#prepared().working(usage)
      this.#working.push(keys)
    }
    this.#last = keys
    return keys
  }

  #confounder(random: Random): Uint8Array {
    const { confounderSize } = this.enctype
    const shared = confounders[confounderSize]
    if (random.fill && shared) {
      random.fill(shared)
      return shared
    }
    const confounder = random(confounderSize)
    if (confounder.length !== confounderSize)
      throw new TypeError(`the random source gave ${confounder.length} octets, ${confounderSize} were wanted`)
    return confounder
  }

  #prepared(): KeyMaterial {
    return (this.#material ??= this.enctype.prepare(this.#alive()))
  }

  #alive(): Uint8Array {
    if (this.#disposed) throw new TypeError(`this ${this.enctype.name} key was disposed of`)
    return this.#octets
  }
}
