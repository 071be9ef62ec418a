/** The enctypes of AES: RFC 3962 and RFC 8009. @module */
import { concat, utf8 } from '../../bytes/index.ts'
import { type HashName, hashSizes, type Mac, type Primitives } from '../primitives/primitives.ts'
import { BlockDeriver, type Simplified } from './blockderiver.ts'
import { type Constant, KERBEROS, PRF } from './constants.ts'
import { DerivedMaterial, type Deriver, kdfHmacSha2, type Suite } from './constructions.ts'
import { iterationCount } from './iterations.ts'
import type { Enctype } from './profile.ts'

/** What a row of the table says of an enctype of AES. */
export interface AesRow extends Pick<Enctype, 'id' | 'name' | 'aliases' | 'checksumId' | 'checksumSize'> {
  readonly keySize: 16 | 32
  readonly hash: HashName
}

const BLOCK = 16

/** Rounds of PBKDF2 when the KDC names none (RFC 3962 §4). */
const SHA1_ROUNDS = 4096
/** Rounds of PBKDF2 when the KDC names none (RFC 8009 §4). */
const SHA2_ROUNDS = 32768

/** AES with HMAC-SHA1 in the simplified profile (RFC 3962 §6). */
export function aesSha1({ hash, ...row }: AesRow, primitives: Primitives): Enctype {
  const { name, keySize } = row
  const suite: Suite = {
    ...common(row, primitives, hash),
    macKeySize: keySize,
    signs: 'plaintext',
    deriver: (key) => new BlockDeriver(profile, key),
  }
  const profile: Simplified = {
    hash,
    primitives,
    seedSize: keySize,
    cipher: primitives.aes,
    fold: ({ folded }) => folded,
  }
  return {
    ...row,
    ...shape(row),
    stringToKey(password, salt, parameters, fewest) {
      const rounds = iterationCount(parameters, SHA1_ROUNDS, name, fewest)
      const seed = primitives.pbkdf2(hash, password, salt, rounds, keySize)
      using deriver = suite.deriver(seed)
      seed.fill(0)
      return deriver.derive(KERBEROS, keySize)
    },
    prepare: (key) => new DerivedMaterial(suite, key),
  }
}

/** AES with HMAC-SHA2, which signs the ciphertext (RFC 8009). */
export function aesSha2({ hash, ...row }: AesRow, primitives: Primitives): Enctype {
  const { name, keySize, checksumSize } = row
  const suite: Suite = {
    ...common(row, primitives, hash),
    macKeySize: checksumSize,
    signs: 'ciphertext',
    deriver: (key) => new Sha2Deriver(primitives, hash, key),
  }
  return {
    ...row,
    ...shape(row),
    stringToKey(password, salt, parameters, fewest) {
      const rounds = iterationCount(parameters, SHA2_ROUNDS, name, fewest)
      const labelled = concat(utf8(name), Uint8Array.of(0), salt)
      const seed = primitives.pbkdf2(hash, password, labelled, rounds, keySize)
      using deriver = suite.deriver(seed)
      seed.fill(0)
      return deriver.derive(KERBEROS, keySize)
    },
    prepare: (key) => new DerivedMaterial(suite, key),
  }
}

const common = ({ name, keySize, checksumSize }: Omit<AesRow, 'hash'>, primitives: Primitives, hash: HashName) => ({
  name,
  keySize,
  checksumSize,
  padding: 1,
  blockSize: BLOCK,
  cipher: primitives.aes,
  mac: (key: Uint8Array) => primitives.hmac(hash, key),
})

const shape = ({ keySize, checksumSize }: Omit<AesRow, 'hash'>) =>
  ({
    seedSize: keySize,
    confounderSize: BLOCK,
    overhead: BLOCK + checksumSize,
    padding: 1,
    standing: 'current',
    randomToKey: (seed: Uint8Array) => new Uint8Array(seed),
  }) as const

/** KDF-HMAC-SHA2 (RFC 8009 §3). */
class Sha2Deriver implements Deriver {
  readonly #mac: Mac
  readonly #prfSize: number

  constructor(primitives: Primitives, hash: HashName, key: Uint8Array) {
    this.#mac = primitives.hmac(hash, key)
    this.#prfSize = hashSizes[hash]
  }

  derive({ octets }: Constant, size: number): Uint8Array {
    return kdfHmacSha2(this.#mac, octets, size)
  }

  /** RFC 8009 §5: as long as the hash. */
  prf(data: Uint8Array): Uint8Array {
    return kdfHmacSha2(this.#mac, PRF.octets, this.#prfSize, data)
  }

  [Symbol.dispose](): void {
    this.#mac[Symbol.dispose]()
  }
}
