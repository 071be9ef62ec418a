/** How a cipher and a hash become an encryption type. @module */
import { concat, equal, utf8 } from '../../bytes/index.ts'
import { deriveKey, kdfHmacSha2, usageConstant } from '../derive.ts'
import { IntegrityError } from '../error.ts'
import type { HashName, Primitives } from '../primitives/primitives.ts'
import { BLOCK, decryptCts, encryptCts } from './cts.ts'
import { iterationCount } from './iterations.ts'
import type { Enctype, WorkingKeys } from './profile.ts'

/** What a row of the table says. */
export interface Row {
  readonly id: number
  readonly name: string
  readonly aliases: readonly string[]
  readonly keySize: 16 | 32
  readonly checksumId: number
  readonly checksumSize: number
  readonly iterations: number
  readonly hash: HashName
}

const KERBEROS = utf8('kerberos')
const PRF = utf8('prf')

/** Checksum the plaintext, then encrypt: the simplified profile of RFC 3961 §5.3 as RFC 3962 fills it in. */
export function simplified({ iterations, hash, ...row }: Row, primitives: Primitives): Enctype {
  const { name, keySize, checksumSize } = row
  const derive = (key: Uint8Array, constant: Uint8Array) => deriveKey(primitives, key, constant)
  const mac = (key: Uint8Array, data: Uint8Array) => primitives.hmac(hash, key, data).slice(0, checksumSize)
  return {
    ...row,
    ...common(row),
    stringToKey(password, salt, parameters) {
      const seed = primitives.pbkdf2(hash, password, salt, iterationCount(parameters, iterations, name), keySize)
      return derive(seed, KERBEROS)
    },
    derive: (key, usage) =>
      lazily((purpose) => derive(key, usageConstant(usage, purpose)), {
        encrypt(keys, plaintext, confounder) {
          const message = concat(confounder, plaintext)
          return concat(encryptCts(primitives, keys.encrypt, message), mac(keys.integrity, message))
        },
        decrypt(keys, ciphertext) {
          const sealed = sealedPart(ciphertext, checksumSize, name)
          const message = decryptCts(primitives, keys.encrypt, sealed)
          requireEqual(mac(keys.integrity, message), ciphertext.subarray(sealed.length), name)
          return message.subarray(BLOCK)
        },
        checksum: (keys, data) => mac(keys.checksum, data),
      }),
    // RFC 3962 §6: encrypt the hash of the input, cut to whole blocks
    prf: (key, data) => encryptCts(primitives, derive(key, PRF), primitives.hash(hash, data).slice(0, BLOCK)),
  }
}

/** Encrypt, then checksum the IV and the ciphertext: RFC 8009 §5. */
export function encryptThenMac({ iterations, hash, ...row }: Row, primitives: Primitives): Enctype {
  const { name, keySize, checksumSize } = row
  const kdf = (key: Uint8Array, label: Uint8Array, size: number) => kdfHmacSha2(primitives, hash, key, label, size)
  const mac = (key: Uint8Array, data: Uint8Array) => primitives.hmac(hash, key, data).slice(0, checksumSize)
  const iv = new Uint8Array(BLOCK)
  return {
    ...row,
    ...common(row),
    stringToKey(password, salt, parameters) {
      const labelled = concat(utf8(name), Uint8Array.of(0), salt)
      const seed = primitives.pbkdf2(hash, password, labelled, iterationCount(parameters, iterations, name), keySize)
      return kdf(seed, KERBEROS, keySize)
    },
    derive: (key, usage) =>
      lazily((purpose) => kdf(key, usageConstant(usage, purpose), purpose === 'encrypt' ? keySize : checksumSize), {
        encrypt(keys, plaintext, confounder) {
          const sealed = encryptCts(primitives, keys.encrypt, concat(confounder, plaintext))
          return concat(sealed, mac(keys.integrity, concat(iv, sealed)))
        },
        decrypt(keys, ciphertext) {
          const sealed = sealedPart(ciphertext, checksumSize, name)
          requireEqual(mac(keys.integrity, concat(iv, sealed)), ciphertext.subarray(sealed.length), name)
          return decryptCts(primitives, keys.encrypt, sealed).subarray(BLOCK)
        },
        checksum: (keys, data) => mac(keys.checksum, data),
      }),
    // RFC 8009 §5: as long as the hash
    prf: (key, data) => kdfHmacSha2(primitives, hash, key, PRF, hash === 'sha256' ? 32 : 48, data),
  }
}

const common = ({ keySize, checksumSize }: Pick<Row, 'keySize' | 'checksumSize'>) =>
  ({ seedSize: keySize, confounderSize: BLOCK, overhead: BLOCK + checksumSize, standing: 'current' }) as const

type Purpose = Parameters<typeof usageConstant>[1]
type Keys = Readonly<Record<Purpose, Uint8Array>>

interface Operations {
  encrypt(keys: Keys, plaintext: Uint8Array, confounder: Uint8Array): Uint8Array
  decrypt(keys: Keys, ciphertext: Uint8Array): Uint8Array
  checksum(keys: Keys, data: Uint8Array): Uint8Array
}

/** Derives each working key when it is first needed. */
function lazily(make: (purpose: Purpose) => Uint8Array, operations: Operations): WorkingKeys {
  const made: Partial<Record<Purpose, Uint8Array>> = {}
  const keys: Keys = {
    get encrypt() {
      return (made.encrypt ??= make('encrypt'))
    },
    get integrity() {
      return (made.integrity ??= make('integrity'))
    },
    get checksum() {
      return (made.checksum ??= make('checksum'))
    },
  }
  return {
    encrypt: (plaintext, confounder) => operations.encrypt(keys, plaintext, confounder),
    decrypt: (ciphertext) => operations.decrypt(keys, ciphertext),
    checksum: (data) => operations.checksum(keys, data),
    [Symbol.dispose]() {
      for (const key of Object.values(made)) key.fill(0)
    },
  }
}

function sealedPart(ciphertext: Uint8Array, checksumSize: number, name: string): Uint8Array {
  if (ciphertext.length < BLOCK + checksumSize)
    throw new IntegrityError(`${name}: ${ciphertext.length} octets are too few for a ciphertext`)
  return ciphertext.subarray(0, ciphertext.length - checksumSize)
}

function requireEqual(made: Uint8Array, received: Uint8Array, name: string): void {
  if (!equal(made, received)) throw new IntegrityError(`${name}: checksum does not match`)
}
