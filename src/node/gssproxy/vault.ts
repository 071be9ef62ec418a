import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concat, utf8 } from '../../bytes/index.ts'
import type { Vault } from '../../gssproxy/service.ts'
import { random } from '../random.ts'

const ALGORITHM = 'aes-256-gcm'
const KEY_SIZE = 32
const NONCE_SIZE = 12
const TAG_SIZE = 16

/** Seals by AES-256-GCM with a key of its own, which is never written anywhere: what it sealed is void once it is gone. */
export class MemoryVault implements Vault {
  readonly #key = random(KEY_SIZE)

  seal(plaintext: Uint8Array, purpose: string): Uint8Array {
    const nonce = random(NONCE_SIZE)
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce).setAAD(utf8(purpose))
    const sealed = concat(cipher.update(plaintext), cipher.final())
    return concat(nonce, sealed, cipher.getAuthTag())
  }

  open(sealed: Uint8Array, purpose: string): Uint8Array | undefined {
    if (sealed.length < NONCE_SIZE + TAG_SIZE) return undefined
    const end = sealed.length - TAG_SIZE
    const decipher = createDecipheriv(ALGORITHM, this.#key, sealed.subarray(0, NONCE_SIZE), { authTagLength: TAG_SIZE })
    decipher.setAAD(utf8(purpose)).setAuthTag(sealed.subarray(end))
    try {
      return concat(decipher.update(sealed.subarray(NONCE_SIZE, end)), decipher.final())
    } catch {
      return undefined // the tag is not ours
    }
  }
}
