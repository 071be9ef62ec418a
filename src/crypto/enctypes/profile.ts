/** What RFC 3961 §3 asks of an encryption type; sizes in octets. `K` is what its construction derives from a key. */
export interface Enctype {
  /** IANA Kerberos encryption type number. */
  readonly id: number
  readonly name: string
  /** What krb5.conf calls it besides. */
  readonly aliases: readonly string[]
  readonly keySize: number
  /** Size of what random-to-key takes. */
  readonly seedSize: number
  readonly confounderSize: number
  /** Octets that a ciphertext has more than its plaintext. */
  readonly overhead: number
  /** The checksum type that goes with it (RFC 3961 §3, "required checksum mechanism"). */
  readonly checksumId: number
  readonly checksumSize: number
  /** `deprecated` is still offered when asked for by name. */
  readonly standing: 'current' | 'deprecated'
  /** RFC 3961 §3, string-to-key; throws RangeError for parameters out of bounds. */
  stringToKey(password: Uint8Array, salt: Uint8Array, parameters?: Uint8Array): Uint8Array
  /** The working keys of one usage (RFC 3961 §5.3), derived once and kept by whoever holds the key. */
  derive(key: Uint8Array, usage: number): WorkingKeys
  /** RFC 3961 §3, pseudo-random. */
  prf(key: Uint8Array, data: Uint8Array): Uint8Array
}

/** What a key can do for one usage. */
export interface WorkingKeys extends Disposable {
  encrypt(plaintext: Uint8Array, confounder: Uint8Array): Uint8Array
  /** Throws IntegrityError when the checksum does not match. */
  decrypt(ciphertext: Uint8Array): Uint8Array
  checksum(data: Uint8Array): Uint8Array
}
