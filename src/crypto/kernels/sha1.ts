import type { Mac } from '../primitives/primitives.ts'
import { sha1Blocks, sha1Digest } from './sha1table.ts'

const BLOCK = 64
const SIZE = 20
/** Where `HmacSha1` keeps what: the running state and those after the inner and the outer key block. */
const RUN = 0
const INNER = 5
const OUTER = 10
const padded = new Uint8Array(BLOCK)

/** SHA-1 (FIPS 180-4 §6.1). */
export function sha1(data: Uint8Array): Uint8Array {
  const state = new Int32Array(5)
  const tail = new Uint8Array(BLOCK)
  start(state, 0)
  const whole = data.length & -BLOCK
  sha1Blocks(state, 0, data, 0, whole)
  tail.set(data.subarray(whole))
  finishBlocks(state, tail, data.length - whole, data.length)
  const digest = new Uint8Array(SIZE)
  write(state, 0, digest, 0, SIZE)
  tail.fill(0)
  return digest
}

/** HMAC-SHA1 (RFC 2104); what the key's blocks do to the hash is computed once. */
export class HmacSha1 implements Mac {
  readonly #state = new Int32Array(15)
  readonly #tail = new Uint8Array(BLOCK)
  #held = 0
  #size = 0

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK ? sha1(key) : key
    const state = this.#state
    const size = short.length
    for (let i = 0; i < BLOCK; i++) padded[i] = (i < size ? short[i]! : 0) ^ 0x36
    start(state, INNER)
    sha1Blocks(state, INNER, padded, 0, BLOCK)
    for (let i = 0; i < BLOCK; i++) padded[i]! ^= 0x36 ^ 0x5c
    start(state, OUTER)
    sha1Blocks(state, OUTER, padded, 0, BLOCK)
    for (let i = 0; i < BLOCK; i++) padded[i] = 0
  }

  begin(): void {
    const state = this.#state
    for (let i = 0; i < 5; i++) state[RUN + i] = state[INNER + i]!
    this.#held = 0
    this.#size = BLOCK
  }

  update(data: Uint8Array, from: number, to: number): void {
    const tail = this.#tail
    let held = this.#held
    let at = from
    this.#size += to - from
    if (held > 0) {
      while (held < BLOCK && at < to) tail[held++] = data[at++]!
      if (held === BLOCK) {
        sha1Blocks(this.#state, RUN, tail, 0, BLOCK)
        held = 0
      }
    }
    if (to - at >= BLOCK) {
      const end = at + ((to - at) & -BLOCK)
      sha1Blocks(this.#state, RUN, data, at, end)
      at = end
    }
    while (at < to) tail[held++] = data[at++]!
    this.#held = held
  }

  finish(target: Uint8Array, offset: number, size: number): void {
    const state = this.#state
    finishBlocks(state, this.#tail, this.#held, this.#size)
    sha1Digest(state, OUTER, state, RUN, state, RUN)
    write(state, RUN, target, offset, size)
  }

  /** As `finish`, of a message whose inner hash somebody else made, key block and all: a character of `inner` an octet. */
  close(inner: string, target: Uint8Array, offset: number, size: number): void {
    const state = this.#state
    for (let i = 0; i < SIZE; i++) state[RUN + (i >> 2)] = (state[RUN + (i >> 2)]! << 8) | inner.charCodeAt(i)
    sha1Digest(state, OUTER, state, RUN, state, RUN)
    write(state, RUN, target, offset, size)
  }

  /**
   * Leaves in `sum` the exclusive or of `rounds` chained MACs, of which the message begun is the first: one block of
   * PBKDF2 (RFC 8018 §5.2, F), without leaving words for octets in between.
   */
  chain(rounds: number, sum: Int32Array): void {
    const state = this.#state
    finishBlocks(state, this.#tail, this.#held, this.#size)
    sha1Digest(state, OUTER, state, RUN, state, RUN)
    for (let i = 0; i < 5; i++) sum[i] = state[RUN + i]!
    for (let round = 1; round < rounds; round++) {
      sha1Digest(state, INNER, state, RUN, state, RUN)
      sha1Digest(state, OUTER, state, RUN, state, RUN)
      for (let i = 0; i < 5; i++) sum[i]! ^= state[RUN + i]!
    }
  }

  [Symbol.dispose](): void {
    this.#state.fill(0)
    this.#tail.fill(0)
  }
}

/** PBKDF2 with HMAC-SHA1 (RFC 8018 §5.2), `size` octets of it. */
export function pbkdf2Sha1(password: Uint8Array, salt: Uint8Array, iterations: number, size: number): Uint8Array {
  using mac = new HmacSha1(password)
  const result = new Uint8Array(size)
  const sum = new Int32Array(5)
  const index = new Uint8Array(4)
  for (let at = 0, block = 1; at < size; at += SIZE, block++) {
    for (let i = 0; i < 4; i++) index[i] = block >>> (24 - 8 * i)
    mac.begin()
    mac.update(salt, 0, salt.length)
    mac.update(index, 0, 4)
    mac.chain(iterations, sum)
    write(sum, 0, result, at, Math.min(SIZE, size - at))
  }
  sum.fill(0)
  return result
}

/** The initial hash value (FIPS 180-4 §5.3.1). */
function start(state: Int32Array, at: number): void {
  state[at] = 0x67452301
  state[at + 1] = 0xefcdab89
  state[at + 2] = 0x98badcfe
  state[at + 3] = 0x10325476
  state[at + 4] = 0xc3d2e1f0
}

/** Compresses the `held` octets of `tail` with the padding of a message of `size` octets (FIPS 180-4 §5.1.1). */
function finishBlocks(state: Int32Array, tail: Uint8Array, held: number, size: number): void {
  let at = held
  tail[at++] = 0x80
  if (at > BLOCK - 8) {
    while (at < BLOCK) tail[at++] = 0
    sha1Blocks(state, RUN, tail, 0, BLOCK)
    at = 0
  }
  while (at < BLOCK - 8) tail[at++] = 0
  const high = Math.floor(size / 2 ** 29)
  const low = size << 3
  for (let i = 0; i < 4; i++) {
    tail[56 + i] = high >>> (24 - 8 * i)
    tail[60 + i] = low >>> (24 - 8 * i)
  }
  sha1Blocks(state, RUN, tail, 0, BLOCK)
}

/** The first `size` octets of the five words at `at`. */
function write(state: Int32Array, at: number, target: Uint8Array, offset: number, size: number): void {
  for (let i = 0; i < size; i++) target[offset + i] = state[at + (i >> 2)]! >>> (24 - ((i & 3) << 3))
}
