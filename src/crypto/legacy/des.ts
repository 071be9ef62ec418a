import { toHex } from '../../bytes/index.ts'
import type { Block } from './blockmode.ts'
import { CHOICE_1, CHOICE_2, PERMUTATION, SELECTIONS, SHIFTS, WEAK_KEYS } from './destable.ts'

const ROUNDS = 16
const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits))

let made: readonly Int32Array[] | undefined

/** Each selection function followed by P, for the six bits that E gives it (FIPS 46-3); made when first needed. */
function tables(): readonly Int32Array[] {
  made ??= SELECTIONS.map((selection, box) =>
    Int32Array.from({ length: 64 }, (_, six) => {
      const chosen = selection[(six & 0x20) | ((six & 1) << 4) | ((six >> 1) & 15)]!
      const word = chosen << (28 - 4 * box)
      return PERMUTATION.reduce((out, bit, to) => out | (((word >>> (32 - bit)) & 1) << (31 - to)), 0)
    }),
  )
  return made
}

/** DES in the order encrypt, decrypt, encrypt with three keys (FIPS 46-3), 24 octets with parity bits. */
export class TripleDes implements Block {
  readonly blockSize = 8
  readonly #forward: Uint8Array
  readonly #backward: Uint8Array

  constructor(key: Uint8Array) {
    const [first, second, third] = [0, 8, 16].map((at) => schedule(key.subarray(at, at + 8)))
    this.#forward = joined(first!, backwards(second!), third!)
    this.#backward = backwards(this.#forward)
    for (const keys of [first, second, third]) keys!.fill(0)
  }

  encryptBlock(octets: Uint8Array, at: number): void {
    apply(this.#forward, octets, at)
  }

  decryptBlock(octets: Uint8Array, at: number): void {
    apply(this.#backward, octets, at)
  }

  [Symbol.dispose](): void {
    this.#forward.fill(0)
    this.#backward.fill(0)
  }
}

/**
 * The key made of each 7 octets of `seed`: the low bits go into an octet of their own, every low bit becomes parity,
 * and weak keys are turned into others (RFC 3961 §6.2, §6.3.1).
 */
export function desKeys(seed: Uint8Array): Uint8Array {
  const keys = new Uint8Array((seed.length / 7) * 8)
  for (let i = 0; i < keys.length / 8; i++) {
    const key = keys.subarray(8 * i, 8 * i + 8)
    key.set(seed.subarray(7 * i, 7 * i + 7))
    for (let j = 0; j < 7; j++) key[7]! |= (seed[7 * i + j]! & 1) << (j + 1)
    for (let j = 0; j < 8; j++) key[j] = withParity(key[j]!)
    if (WEAK_KEYS.has(toHex(key))) key[7]! ^= 0xf0
  }
  return keys
}

/** `octet` with its lowest bit such that the number of ones is odd. */
function withParity(octet: number): number {
  let ones = 0
  for (let bit = 1; bit < 8; bit++) ones += (octet >> bit) & 1
  return (octet & 0xfe) | (~ones & 1)
}

/** Eight times six bits for each round. */
function schedule(key: Uint8Array): Uint8Array {
  const bit = (from: number) => (key[(from - 1) >> 3]! >> (7 - ((from - 1) & 7))) & 1
  const halves = CHOICE_1.map(bit)
  const keys = new Uint8Array(8 * ROUNDS)
  for (let round = 0, turned = 0; round < ROUNDS; round++) {
    turned += SHIFTS[round]!
    for (const [i, from] of CHOICE_2.entries()) {
      const half = from <= 28 ? 0 : 28
      const chosen = halves[half + ((from - 1 - half + turned) % 28)]!
      keys[8 * round + Math.floor(i / 6)]! |= chosen << (5 - (i % 6))
    }
  }
  halves.fill(0)
  return keys
}

/** The rounds from the last to the first. */
function backwards(keys: Uint8Array): Uint8Array {
  const out = new Uint8Array(keys.length)
  for (let at = 0; at < keys.length; at += 8) out.set(keys.subarray(at, at + 8), keys.length - 8 - at)
  return out
}

function joined(...schedules: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(3 * 8 * ROUNDS)
  for (const [i, keys] of schedules.entries()) out.set(keys, 8 * ROUNDS * i)
  return out
}

/** The block at `at` through all rounds of `keys`, sixteen at a time; the permutations in between cancel out. */
function apply(keys: Uint8Array, octets: Uint8Array, at: number): void {
  const [s1, s2, s3, s4, s5, s6, s7, s8] = tables()
  const halves = { l: word(octets, at), r: word(octets, at + 4) }
  permute(halves, SWAPS)
  let { l, r } = halves
  for (let k = 0; k < keys.length; ) {
    for (const end = k + 8 * ROUNDS; k < end; k += 8) {
      const next =
        l ^
        s1![(rotate(r, 5) & 63) ^ keys[k]!]! ^
        s2![(rotate(r, 9) & 63) ^ keys[k + 1]!]! ^
        s3![(rotate(r, 13) & 63) ^ keys[k + 2]!]! ^
        s4![(rotate(r, 17) & 63) ^ keys[k + 3]!]! ^
        s5![(rotate(r, 21) & 63) ^ keys[k + 4]!]! ^
        s6![(rotate(r, 25) & 63) ^ keys[k + 5]!]! ^
        s7![(rotate(r, 29) & 63) ^ keys[k + 6]!]! ^
        s8![(rotate(r, 1) & 63) ^ keys[k + 7]!]!
      l = r
      r = next
    }
    ;[l, r] = [r, l]
  }
  halves.l = l
  halves.r = r
  permute(halves, BACK)
  for (let i = 0; i < 4; i++) {
    octets[at + i] = halves.l >>> (24 - 8 * i)
    octets[at + 4 + i] = halves.r >>> (24 - 8 * i)
  }
}

/** The initial permutation as exchanges of bits between the halves: the shift, the bits, and which half is shifted. */
const SWAPS = [
  { shift: 4, bits: 0x0f0f0f0f, left: true },
  { shift: 16, bits: 0x0000ffff, left: true },
  { shift: 2, bits: 0x33333333, left: false },
  { shift: 8, bits: 0x00ff00ff, left: false },
  { shift: 1, bits: 0x55555555, left: true },
] as const
/** Its inverse. */
const BACK = [...SWAPS].reverse()

function permute(halves: { l: number; r: number }, swaps: readonly (typeof SWAPS)[number][]): void {
  for (const { shift, bits, left } of swaps) {
    const swapped = left ? ((halves.l >>> shift) ^ halves.r) & bits : ((halves.r >>> shift) ^ halves.l) & bits
    halves.l ^= left ? swapped << shift : swapped
    halves.r ^= left ? swapped : swapped << shift
  }
}

function word(octets: Uint8Array, at: number): number {
  return (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!
}
