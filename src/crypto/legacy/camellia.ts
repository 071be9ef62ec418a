import type { Block } from './blockmode.ts'
import { SBOX, SIGMA, SUBKEYS_128, SUBKEYS_256, type Subkey } from './camelliatable.ts'

const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits))
const rotateOctet = (octet: number, bits: number) => ((octet << bits) | (octet >>> (8 - bits))) & 0xff

/** Where the substitutions s1 to s4 put their octet in a word: the P-function of one half (RFC 3713 §2.4.1). */
const S1 = Int32Array.from({ length: 256 }, (_, x) => SBOX[x]! * 0x01010100)
const S2 = Int32Array.from({ length: 256 }, (_, x) => rotateOctet(SBOX[x]!, 1) * 0x00010101)
const S3 = Int32Array.from({ length: 256 }, (_, x) => rotateOctet(SBOX[x]!, 7) * 0x01000101)
const S4 = Int32Array.from({ length: 256 }, (_, x) => SBOX[rotateOctet(x, 1)]! * 0x01010001)

/** Camellia (RFC 3713) with a key of 16 or 32 octets. Its look-ups show in the cache, as those of AES in tables do. */
export class Camellia implements Block {
  readonly blockSize = 16
  readonly #forward: Int32Array
  readonly #backward: Int32Array
  readonly #state = new Int32Array(4)

  constructor(key: Uint8Array) {
    this.#forward = schedule(key)
    this.#backward = reversed(this.#forward)
  }

  encryptBlock(octets: Uint8Array, at: number): void {
    this.#apply(this.#forward, octets, at)
  }

  decryptBlock(octets: Uint8Array, at: number): void {
    this.#apply(this.#backward, octets, at)
  }

  [Symbol.dispose](): void {
    this.#forward.fill(0)
    this.#backward.fill(0)
    this.#state.fill(0)
  }

  /** RFC 3713 §2.3: whitening, then groups of six rounds with FL and its inverse in between, and whitening. */
  #apply(keys: Int32Array, octets: Uint8Array, at: number): void {
    const state = this.#state
    for (let i = 0; i < 4; i++) state[i] = word(octets, at + 4 * i) ^ keys[i]!
    const end = keys.length - 4
    for (let k = 4; ; k += 4) {
      for (const last = k + 12; k < last; k += 4) {
        round(state, 0, 2, keys[k]!, keys[k + 1]!)
        round(state, 2, 0, keys[k + 2]!, keys[k + 3]!)
      }
      if (k === end) break
      state[1]! ^= rotate(state[0]! & keys[k]!, 1)
      state[0]! ^= state[1]! | keys[k + 1]!
      state[2]! ^= state[3]! | keys[k + 3]!
      state[3]! ^= rotate(state[2]! & keys[k + 2]!, 1)
    }
    for (let i = 0; i < 4; i++) {
      const out = state[(i + 2) & 3]! ^ keys[end + i]!
      for (let j = 0; j < 4; j++) octets[at + 4 * i + j] = out >>> (24 - 8 * j)
    }
  }
}

/** Combines F of the half at `from` with the half at `to` (RFC 3713 §2.4.1). */
function round(state: Int32Array, from: number, to: number, high: number, low: number): void {
  const x = state[from]! ^ high
  const y = state[from + 1]! ^ low
  const left = S1[x >>> 24]! ^ S2[(x >>> 16) & 255]! ^ S3[(x >>> 8) & 255]! ^ S4[x & 255]!
  const right = S2[y >>> 24]! ^ S3[(y >>> 16) & 255]! ^ S4[(y >>> 8) & 255]! ^ S1[y & 255]!
  const both = left ^ right
  state[to]! ^= both
  state[to + 1]! ^= both ^ rotate(left, 24)
}

/** The subkeys, two words each, in the order of their use (RFC 3713 §2.2). */
function schedule(key: Uint8Array): Int32Array {
  const large = key.length === 32
  const words = (at: number) => Int32Array.from({ length: 4 }, (_, i) => word(key, at + 4 * i))
  const KL = words(0)
  const KR = large ? words(16) : new Int32Array(4)
  const KA = KL.map((value, i) => value ^ KR[i]!)
  twoRounds(KA, 0)
  for (let i = 0; i < 4; i++) KA[i]! ^= KL[i]!
  twoRounds(KA, 4)
  const KB = KA.map((value, i) => value ^ KR[i]!)
  twoRounds(KB, 8)
  const sources = { KL, KR, KA, KB }
  const table = large ? SUBKEYS_256 : SUBKEYS_128
  const keys = Int32Array.from(table.flatMap((subkey) => subkeyOf(sources, subkey)))
  for (const source of Object.values(sources)) source.fill(0)
  return keys
}

function twoRounds(state: Int32Array, sigma: number): void {
  round(state, 0, 2, SIGMA[sigma]!, SIGMA[sigma + 1]!)
  round(state, 2, 0, SIGMA[sigma + 2]!, SIGMA[sigma + 3]!)
}

function subkeyOf(sources: Readonly<Record<Subkey['source'], Int32Array>>, { source, turn, half }: Subkey): number[] {
  const words = sources[source]
  return [0, 1].map((i) => {
    const bit = turn + 64 * half + 32 * i
    const first = words[(bit >> 5) & 3]!
    const shift = bit & 31
    return shift === 0 ? first : (first << shift) | (words[((bit >> 5) + 1) & 3]! >>> (32 - shift))
  })
}

/** The subkeys in the order of decryption: back to front, but for the whitening ones (RFC 3713 §2.3.3). */
function reversed(keys: Int32Array): Int32Array {
  const count = keys.length / 2
  const order = Array.from({ length: count }, (_, i) => count - 1 - i)
  order.splice(0, 2, count - 2, count - 1)
  order.splice(count - 2, 2, 0, 1)
  return Int32Array.from(order.flatMap((i) => [keys[2 * i]!, keys[2 * i + 1]!]))
}

function word(octets: Uint8Array, at: number): number {
  return (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!
}
