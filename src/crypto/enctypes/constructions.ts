/** How a cipher, a keyed hash and a derivation become an encryption type. @module */
import { IntegrityError } from '../error.ts'
import { type BlockMode, type Mac, macOf } from '../primitives/primitives.ts'
import { Blocks } from './blocks.ts'
import { type Constant, usageConstant } from './constants.ts'
import {
  type Enctype,
  isSignOnly,
  type KeyMaterial,
  type Part,
  type Purpose,
  type SignedAt,
  type WorkingKeys,
} from './profile.ts'

/** What makes one family of enctypes out of the common construction. */
export interface Suite extends Pick<Enctype, 'name' | 'keySize' | 'checksumSize' | 'padding'> {
  /** Octets of the cipher's block, which is also the size of the confounder. */
  readonly blockSize: number
  /** Octets of the derived keys for checksums. */
  readonly macKeySize: number
  /**
   * What the checksum inside a ciphertext covers: the plaintext (RFC 3961 §5.3, RFC 6803 §6) or, behind a zero IV, the
   * ciphertext (RFC 8009 §5).
   */
  readonly signs: 'plaintext' | 'ciphertext'
  cipher(key: Uint8Array): BlockMode
  mac(key: Uint8Array): Mac
  deriver(key: Uint8Array): Deriver
}

/** A key that others are derived from. */
export interface Deriver extends Disposable {
  /** The key of `size` octets for `constant`; the caller overwrites it. */
  derive(constant: Constant, size: number): Uint8Array
  /** RFC 3961 §3, pseudo-random. */
  prf(data: Uint8Array): Uint8Array
}

/** A key of an enctype whose keys are derived for each usage: all but RC4. */
export class DerivedMaterial implements KeyMaterial {
  readonly #suite: Suite
  readonly #deriver: Deriver

  constructor(suite: Suite, key: Uint8Array) {
    this.#suite = suite
    this.#deriver = suite.deriver(key)
  }

  working(usage: number): WorkingKeys {
    return new DerivedKeys(this.#suite, this, usage)
  }

  derived(usage: number, purpose: Purpose): Uint8Array {
    const size = purpose === 'encrypt' ? this.#suite.keySize : this.#suite.macKeySize
    return this.#deriver.derive(usageConstant(usage, purpose), size)
  }

  prf(data: Uint8Array): Uint8Array {
    return this.#deriver.prf(data)
  }

  [Symbol.dispose](): void {
    this.#deriver[Symbol.dispose]()
  }
}

const ZEROS = new Uint8Array(16)
/** Where checksums are made to be compared: as long as the longest MAC. */
const made = new Uint8Array(64)

class DerivedKeys implements WorkingKeys {
  readonly usage: number
  readonly #suite: Suite
  readonly #material: KeyMaterial
  #blocks: Blocks | undefined
  #integrity: Mac | undefined
  #checksum: Mac | undefined

  constructor(suite: Suite, material: KeyMaterial, usage: number) {
    this.#suite = suite
    this.#material = material
    this.usage = usage
  }

  seal(parts: readonly Part[], size: number, confounder: Uint8Array, offset: number, length: number): Uint8Array {
    const { blockSize, padding, checksumSize, signs } = this.#suite
    const blocks = this.#blocks ?? this.#prepared()
    const mac = this.#integrity!
    const text = blockSize + size + (padding === 1 ? 0 : (padding - ((blockSize + size) % padding)) % padding)
    const total = text + signOnlySize(parts)
    if (signs === 'plaintext') mac.begin(total)
    const target = blocks.seal(confounder, parts, offset, length)
    if (signs === 'ciphertext') {
      mac.begin(blockSize + total)
      mac.update(ZEROS, 0, blockSize)
      let at = offset + blockSize
      mac.update(target, offset, at)
      for (const part of parts)
        if (!isSignOnly(part)) mac.update(target, at, (at += part.length))
        else mac.update(part.signOnly, 0, part.signOnly.length)
    }
    mac.finish(target, offset + text, checksumSize)
    return target
  }

  open(ciphertext: Uint8Array, signed: readonly SignedAt[]): Uint8Array {
    const { name, blockSize, padding, checksumSize, signs } = this.#suite
    const size = ciphertext.length - checksumSize
    if (size < blockSize || size % padding !== 0)
      throw new IntegrityError(`${name}: no ciphertext has ${ciphertext.length} octets`)
    const blocks = this.#blocks ?? this.#prepared()
    const mac = this.#integrity!
    const total = size + signOnlySize(signed)
    let text: Uint8Array | undefined
    if (signs === 'plaintext') {
      mac.begin(total)
      text = blocks.open(ciphertext, size, blockSize, signed)
    } else {
      mac.begin(blockSize + total)
      mac.update(ZEROS, 0, blockSize)
      let at = 0
      for (const { at: position, signOnly } of signed) {
        const next = Math.max(at, Math.min(size, blockSize + position))
        mac.update(ciphertext, at, next)
        mac.update(signOnly, 0, signOnly.length)
        at = next
      }
      mac.update(ciphertext, at, size)
    }
    mac.finish(made, 0, checksumSize)
    if (!equalAt(made, checksumSize, ciphertext, size)) {
      text?.fill(0)
      throw new IntegrityError(`${name}: checksum does not match`)
    }
    return text ?? blocks.open(ciphertext, size, blockSize)
  }

  checksum(parts: readonly Uint8Array[]): Uint8Array {
    const { checksumSize } = this.#suite
    const mac = (this.#checksum ??= this.#macKey('checksum'))
    const result = new Uint8Array(checksumSize)
    let size = 0
    for (const part of parts) size += part.length
    mac.begin(size)
    for (const part of parts) mac.update(part, 0, part.length)
    mac.finish(result, 0, checksumSize)
    return result
  }

  [Symbol.dispose](): void {
    this.#blocks?.[Symbol.dispose]()
    this.#integrity?.[Symbol.dispose]()
    this.#checksum?.[Symbol.dispose]()
  }

  #prepared(): Blocks {
    const { padding, signs } = this.#suite
    const key = this.#material.derived(this.usage, 'encrypt')
    const cipher = this.#suite.cipher(key)
    key.fill(0)
    this.#integrity = this.#macKey('integrity')
    this.#blocks = new Blocks(cipher, padding === 1, signs === 'plaintext' ? this.#integrity : undefined)
    return this.#blocks
  }

  #macKey(purpose: 'integrity' | 'checksum'): Mac {
    const key = this.#material.derived(this.usage, purpose)
    const mac = this.#suite.mac(key)
    key.fill(0)
    return mac
  }
}

/** KDF-HMAC-SHA2 (RFC 8009 §3): one block of SP 800-108 counter mode, `size` octets of it. */
export function kdfHmacSha2(
  mac: Mac,
  label: Uint8Array,
  size: number,
  context: Uint8Array = ZEROS.subarray(16),
): Uint8Array {
  const input = new Uint8Array(4 + label.length + 1 + context.length + 4)
  input[3] = 1
  input.set(label, 4)
  input.set(context, 5 + label.length)
  new DataView(input.buffer).setUint32(input.length - 4, size * 8)
  return macOf(mac, input, size)
}

/** Octets of `parts` that are only signed. */
function signOnlySize(parts: readonly (Part | SignedAt)[]): number {
  let size = 0
  for (const part of parts) if (isSignOnly(part)) size += part.signOnly.length
  return size
}

/** Whether `received` goes on from `at` with the first `size` octets of `made`, found out in constant time. */
function equalAt(made: Uint8Array, size: number, received: Uint8Array, at: number): boolean {
  let difference = 0
  for (let i = 0; i < size; i++) difference |= made[i]! ^ received[at + i]!
  return difference === 0
}
