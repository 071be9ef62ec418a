/** The primitives of @noble: complete, audited, everywhere. Its AES looks tables up, so its timing depends on the cache. @module */
import { cbc } from '@noble/ciphers/aes.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import type { Primitives } from './primitives.ts'

const hashes = { sha1, sha256, sha384 }
const ZERO_IV = new Uint8Array(16)
const unpadded = { disablePadding: true }

/** @noble/ciphers and @noble/hashes. */
export const noble: Primitives = {
  name: 'noble',
  aesCbcEncrypt: (key, blocks) => cbc(key, ZERO_IV, unpadded).encrypt(blocks),
  aesCbcDecrypt: (key, blocks) => cbc(key, ZERO_IV, unpadded).decrypt(blocks),
  hash: (hash, data) => hashes[hash](data),
  hmac: (hash, key, data) => hmac(hashes[hash], key, data),
  pbkdf2: (hash, password, salt, c, dkLen) => pbkdf2(hashes[hash], password, salt, { c, dkLen }),
}
