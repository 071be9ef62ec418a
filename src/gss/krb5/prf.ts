import { OctetWriter } from '../../bytes/cursor.ts'
import type { Key } from '../../crypto/key.ts'
import { GssError } from '../error.ts'

/** Most octets that are made at a time. */
const MAX_SIZE = 1 << 16

/**
 * `size` pseudo-random octets of `seed` (RFC 4402 §2, with the counter that RFC 7802 begins at zero). Throws
 * {@link GssError} GSS_S_FAILURE for more than 65,536.
 */
export function pseudoRandom(key: Key, seed: Uint8Array, size: number): Uint8Array {
  if (!Number.isInteger(size) || size < 0 || size > MAX_SIZE)
    throw new GssError('GSS_S_FAILURE', `${size} pseudo-random octets are asked for, at most ${MAX_SIZE} are made`)
  const output = new OctetWriter()
  for (let counter = 0; output.length < size; counter++)
    output.octets(key.prf(new OctetWriter().uint32(counter).octets(seed).finish()))
  return output.finish().slice(0, size)
}
