import type { BlockMode } from '../primitives/primitives.ts'
import { orderWords, type Scratch, wordAt } from '../primitives/scratch.ts'
import { aes128Decrypt, aes128Encrypt, aes256Decrypt, aes256Encrypt } from './aestable.ts'
import { D0, D1, D2, D3, SBOX } from './boxes.ts'
import { Slots } from './slots.ts'

/** Words of the schedules of a 256-bit key, for both directions; a 128-bit key needs fewer. */
const SLOT = 2 * 60
const slots = new Slots(4 * SLOT, ({ words }, at) => new Int32Array(words.buffer, at, SLOT))

/** AES in CBC mode on the kernels of this folder; the key schedule is made once, the one for decryption when needed. */
export class KernelAes implements BlockMode {
  readonly blockSize = 16
  readonly #large: boolean
  #keys: Int32Array | undefined
  #inverted = false

  /** `key` has 16 or 32 octets. */
  constructor(key: Uint8Array) {
    this.#large = key.length === 32
    this.#keys = slots.take()
    if (this.#large) expand256(key, this.#keys)
    else expand128(key, this.#keys)
  }

  /** A copy of the key's octets, which are what its schedule starts with. */
  octets(): Uint8Array {
    const keys = this.#alive()
    const octets = new Uint8Array(this.#large ? 32 : 16)
    for (let i = 0; i < octets.length; i++) octets[i] = keys[i >> 2]! >>> (8 * (i & 3))
    return octets
  }

  encrypt(scratch: Scratch, from: number, to: number): void {
    const keys = this.#alive()
    orderWords(scratch, from - 16, to)
    if (this.#large) aes256Encrypt(keys, scratch.words, from >> 2, to >> 2)
    else aes128Encrypt(keys, scratch.words, from >> 2, to >> 2)
    orderWords(scratch, from - 16, to)
  }

  decrypt(scratch: Scratch, from: number, to: number): void {
    const keys = this.#alive()
    if (!this.#inverted) {
      invert(keys, this.#large ? 60 : 44)
      this.#inverted = true
    }
    orderWords(scratch, from - 16, to)
    if (this.#large) aes256Decrypt(keys, scratch.words, from >> 2, to >> 2)
    else aes128Decrypt(keys, scratch.words, from >> 2, to >> 2)
    orderWords(scratch, from - 16, to)
  }

  [Symbol.dispose](): void {
    const keys = this.#keys
    this.#keys = undefined
    if (!keys) return
    keys.fill(0)
    slots.giveBack(keys)
  }

  #alive(): Int32Array {
    if (!this.#keys) throw new TypeError('this AES key was disposed of')
    return this.#keys
  }
}

// Constants of this module, which V8 knows better than what is imported.
const sbox = SBOX
const d0 = D0
const d1 = D1
const d2 = D2
const d3 = D3

/** SubWord (FIPS 197 §5.2). */
const substitute = (word: number) =>
  sbox[word & 255]! | (sbox[(word >>> 8) & 255]! << 8) | (sbox[(word >>> 16) & 255]! << 16) | (sbox[word >>> 24]! << 24)

/** RotWord and SubWord (FIPS 197 §5.2). */
const substituteRotated = (word: number) => substitute((word >>> 8) | (word << 24))

/** KeyExpansion of four words to 44 (FIPS 197 §5.2). */
function expand128(key: Uint8Array, keys: Int32Array): void {
  let a = (keys[0] = wordAt(key, 0))
  let b = (keys[1] = wordAt(key, 4))
  let c = (keys[2] = wordAt(key, 8))
  let d = (keys[3] = wordAt(key, 12))
  for (let i = 4, constant = 1; i < 44; i += 4) {
    keys[i] = a ^= substituteRotated(d) ^ constant
    keys[i + 1] = b ^= a
    keys[i + 2] = c ^= b
    keys[i + 3] = d ^= c
    constant = (constant << 1) ^ (constant & 0x80 ? 0x11b : 0)
  }
}

/** KeyExpansion of eight words to 60 (FIPS 197 §5.2). */
function expand256(key: Uint8Array, keys: Int32Array): void {
  let a = (keys[0] = wordAt(key, 0))
  let b = (keys[1] = wordAt(key, 4))
  let c = (keys[2] = wordAt(key, 8))
  let d = (keys[3] = wordAt(key, 12))
  let e = (keys[4] = wordAt(key, 16))
  let f = (keys[5] = wordAt(key, 20))
  let g = (keys[6] = wordAt(key, 24))
  let h = (keys[7] = wordAt(key, 28))
  for (let i = 8, constant = 1; ; i += 8, constant <<= 1) {
    keys[i] = a ^= substituteRotated(h) ^ constant
    keys[i + 1] = b ^= a
    keys[i + 2] = c ^= b
    keys[i + 3] = d ^= c
    if (i === 56) return
    keys[i + 4] = e ^= substitute(d)
    keys[i + 5] = f ^= e
    keys[i + 6] = g ^= f
    keys[i + 7] = h ^= g
  }
}

/** The schedule of `size` words turned round and mixed back, behind it (FIPS 197 §5.3.5). */
function invert(keys: Int32Array, size: number): void {
  for (let column = 0; column < 4; column++) {
    keys[size + column] = keys[size - 4 + column]!
    keys[2 * size - 4 + column] = keys[column]!
    for (let i = 4; i < size - 4; i += 4) {
      const word = keys[size - 4 - i + column]!
      keys[size + i + column] =
        d0[sbox[word & 255]!]! ^
        d1[sbox[(word >>> 8) & 255]!]! ^
        d2[sbox[(word >>> 16) & 255]!]! ^
        d3[sbox[word >>> 24]!]!
    }
  }
}
