/**
 * AES and SHA-1 in plain TypeScript with every round written out: the quickest there is for short texts, where a call
 * into the runtime costs more than the work. The other hashes are @noble's. Its AES looks tables up, as @noble's does,
 * so its timing depends on the cache; who shares a machine with an enemy takes `builtin`. @module
 */
import { KernelAes } from '../kernels/aes.ts'
import { HmacSha1, pbkdf2Sha1, sha1 } from '../kernels/sha1.ts'
import { nobleHash, nobleMac, noblePbkdf2 } from './noblehash.ts'
import type { Primitives } from './primitives.ts'

/** The kernels of this package, and @noble/hashes for what they lack. */
export const kernels: Primitives = {
  name: 'kernels',
  aes: (key) => new KernelAes(key),
  hmac: (hash, key) => (hash === 'sha1' ? new HmacSha1(key) : nobleMac(hash, key)),
  hash: (hash, data) => (hash === 'sha1' ? sha1(data) : nobleHash(hash, data)),
  pbkdf2: (hash, password, salt, iterations, size) =>
    hash === 'sha1'
      ? pbkdf2Sha1(password, salt, iterations, size)
      : noblePbkdf2(hash, password, salt, iterations, size),
}
