/** What RFC 3961 §3 asks of an encryption type; sizes in octets. */
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
  /** Octets that a ciphertext has more than its plaintext, padding aside. */
  readonly overhead: number
  /** Confounder and plaintext are filled up to a multiple of this, which decryption cannot undo; 1 with ciphertext stealing. */
  readonly padding: number
  /** The checksum type that goes with it (RFC 3961 §3, "required checksum mechanism"). */
  readonly checksumId: number
  readonly checksumSize: number
  /** `deprecated` is still offered when asked for by name. */
  readonly standing: 'current' | 'deprecated'
  /**
   * RFC 3961 §3, string-to-key; throws RangeError for parameters out of bounds, of which `fewestRounds` is the lower
   * one. The password is UTF-8.
   */
  stringToKey(password: Uint8Array, salt: Uint8Array, parameters?: Uint8Array, fewestRounds?: number): Uint8Array
  /** RFC 3961 §3, random-to-key: the protocol key out of `seedSize` random octets. */
  randomToKey(seed: Uint8Array): Uint8Array
  /** What can be made of a key; copies what it needs of it. */
  prepare(key: Uint8Array): KeyMaterial
}

/** Octets of the ciphertext of `size` octets of plaintext. */
export const ciphertextSize = ({ overhead, padding, confounderSize }: Enctype, size: number): number =>
  overhead + size + ((padding - ((confounderSize + size) % padding)) % padding)

/** What a derived key is for (RFC 3961 §5.3): Ke, Ki and Kc. */
export type Purpose = 'encrypt' | 'integrity' | 'checksum'

/** A key as its enctype works with it. */
export interface KeyMaterial extends Disposable {
  /** The keys of one usage, derived when first needed; kept and disposed of by whoever asks. */
  working(usage: number): WorkingKeys
  /** A derived key (RFC 3961 §5.3) for the caller to overwrite. */
  derived(usage: number, purpose: Purpose): Uint8Array
  /** RFC 3961 §3, pseudo-random. */
  prf(data: Uint8Array): Uint8Array
}

/** Octets that are signed together with a ciphertext but stay outside it. */
export interface SignOnly {
  readonly signOnly: Uint8Array
}

/** A part of a plaintext: octets to encrypt, or octets that are only signed. */
export type Part = Uint8Array | SignOnly

/** Whether `part` is only signed; an array of another realm, as test runners have them, is an array all the same. */
export const isSignOnly = (part: Part): part is SignOnly => !ArrayBuffer.isView(part)

/** The arrays that `data` is to be read as one of. */
export const partsOf = (data: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] =>
  isOctets(data) ? [data] : data

const isOctets = (data: Uint8Array | readonly Uint8Array[]): data is Uint8Array => ArrayBuffer.isView(data)

/** Octets that were signed before the octet `at` of the plaintext. */
export interface SignedAt extends SignOnly {
  readonly at: number
}

/** What a key can do for one usage. */
export interface WorkingKeys extends Disposable {
  /** The number of that usage. */
  readonly usage: number
  /** The ciphertext of `parts`, with `size` octets to encrypt, from `offset` on in an array of `length`, zero elsewhere. */
  seal(parts: readonly Part[], size: number, confounder: Uint8Array, offset: number, length: number): Uint8Array
  /** The plaintext. Throws IntegrityError when the checksum does not match; `signed` is in order of `at`. */
  open(ciphertext: Uint8Array, signed: readonly SignedAt[]): Uint8Array
  /** The required checksum over `parts`, joined. */
  checksum(parts: readonly Uint8Array[]): Uint8Array
}
