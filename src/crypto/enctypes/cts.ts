import { concat } from '../../bytes/index.ts'
import type { Primitives } from '../primitives/primitives.ts'

/** Octets of an AES block. */
export const BLOCK = 16

/** AES in CBC mode with ciphertext stealing and a zero IV (RFC 3962 §5): one CBC call, then the swap of the last two blocks. */
export function encryptCts(primitives: Primitives, key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const size = plaintext.length
  const padded = size % BLOCK === 0 ? plaintext : concat(plaintext, new Uint8Array(BLOCK - (size % BLOCK)))
  const blocks = primitives.aesCbcEncrypt(key, padded)
  if (blocks.length === BLOCK) return blocks
  const cut = blocks.length - 2 * BLOCK
  const tail = size - cut - BLOCK
  const stolen = blocks.slice(cut, cut + tail)
  blocks.copyWithin(cut, cut + BLOCK)
  blocks.set(stolen, cut + BLOCK)
  return blocks.subarray(0, size)
}

/** The inverse of {@link encryptCts}; `ciphertext` has at least one block. */
export function decryptCts(primitives: Primitives, key: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const size = ciphertext.length
  if (size === BLOCK) return primitives.aesCbcDecrypt(key, ciphertext)
  const tail = size % BLOCK || BLOCK
  const cut = size - tail - BLOCK
  const last = ciphertext.subarray(cut, cut + BLOCK)
  const stolen = ciphertext.subarray(cut + BLOCK)
  const rest = primitives.aesCbcDecrypt(key, last).subarray(tail)
  const blocks = concat(ciphertext.subarray(0, cut), stolen, rest, last)
  return primitives.aesCbcDecrypt(key, blocks).subarray(0, size)
}
