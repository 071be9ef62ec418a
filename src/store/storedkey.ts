import type { Enctype } from '../crypto/enctypes/profile.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { Key } from '../crypto/key.ts'

/** A key as a file holds it, of an enctype that need not be spoken here. Its octets never show; disposing overwrites them. */
export class StoredKey implements Disposable {
  /** The enctype's number. */
  readonly keytype: number
  readonly #octets: Uint8Array

  /** Copies `octets`. */
  constructor(keytype: number, octets: Uint8Array) {
    this.keytype = keytype
    this.#octets = octets.slice()
  }

  /** The stored form of `key`. */
  static of(key: Key): StoredKey {
    return new StoredKey(key.enctype.id, key.octets())
  }

  /** A copy of the octets. */
  octets(): Uint8Array {
    return this.#octets.slice()
  }

  /** The key to work with; undefined when its enctype is not among `enctypes` or its size is not that enctype's. */
  key(enctypes: readonly Enctype[]): Key | undefined {
    const enctype = enctypes.find(({ id }) => id === this.keytype)
    return enctype && this.#octets.length === enctype.keySize ? new Key(enctype, this.#octets) : undefined
  }

  toString(): string {
    return `[StoredKey ${enctypeName(this.keytype)}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  [Symbol.dispose](): void {
    this.#octets.fill(0)
  }
}
