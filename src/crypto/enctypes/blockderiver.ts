import { type BlockMode, type HashName, hashSizes, type Primitives } from '../primitives/primitives.ts'
import { scratch, WORK, wipe } from '../primitives/scratch.ts'
import { type Constant, PRF } from './constants.ts'
import type { Deriver } from './constructions.ts'

/** What an enctype of the simplified profile derives its keys from and with. */
export interface Simplified {
  /** The hash that the PRF encrypts. */
  readonly hash: HashName
  readonly primitives: Primitives
  /** Octets of DR that random-to-key takes. */
  readonly seedSize: number
  cipher(key: Uint8Array): BlockMode
  /** Makes a key of the octets of DR; undefined when they are the key. */
  readonly randomToKey?: (seed: Uint8Array) => Uint8Array
  /** The octets of `constant` as one block of the cipher. */
  fold(constant: Constant): Uint8Array
}

/** DR and DK of the simplified profile (RFC 3961 §5.1): the constant encrypted again and again. */
export class BlockDeriver implements Deriver {
  readonly #profile: Simplified
  readonly #cipher: BlockMode

  constructor(profile: Simplified, key: Uint8Array) {
    this.#profile = profile
    this.#cipher = profile.cipher(key)
  }

  derive(constant: Constant): Uint8Array {
    const { octets } = scratch
    const { seedSize, randomToKey } = this.#profile
    const { blockSize } = this.#cipher
    const block = this.#profile.fold(constant)
    for (let i = 0; i < blockSize; i++) octets[WORK + i] = block[i]!
    const end = WORK + Math.ceil(seedSize / blockSize) * blockSize
    // Chained to zeros, each block is the one before it encrypted once more.
    this.#cipher.encrypt(scratch, WORK, end)
    const seed = new Uint8Array(seedSize)
    for (let i = 0; i < seedSize; i++) seed[i] = octets[WORK + i]!
    wipe(scratch, end)
    if (!randomToKey) return seed
    const key = randomToKey(seed)
    seed.fill(0)
    return key
  }

  /** RFC 3961 §5.3: the hash of the input, cut to whole blocks, encrypted. */
  prf(data: Uint8Array): Uint8Array {
    const { hash, primitives } = this.#profile
    const key = this.derive(PRF)
    using cipher = this.#profile.cipher(key)
    key.fill(0)
    const size = hashSizes[hash] - (hashSizes[hash] % cipher.blockSize)
    scratch.octets.set(primitives.hash(hash, data).subarray(0, size), WORK)
    cipher.encrypt(scratch, WORK, WORK + size)
    const result = scratch.octets.slice(WORK, WORK + size)
    wipe(scratch, WORK + size)
    return result
  }

  [Symbol.dispose](): void {
    this.#cipher[Symbol.dispose]()
  }
}
