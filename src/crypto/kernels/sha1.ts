import type { Mac } from '../primitives/primitives.ts'
import { type Scratch, viewOf } from '../primitives/scratch.ts'
import { sha1Blocks, sha1Digest } from './sha1table.ts'
import { Slots } from './slots.ts'

const BLOCK = 64
const SIZE = 20
/** Words of a slot: the running state, those after the inner and the outer key block, and the block that fills up. */
const RUN = 0
const INNER = 5
const OUTER = 10
const TAIL = 15
const SLOT = 32
/** Octets from which a view of an array costs less than to copy its blocks to where there is one. */
const WORTH_A_VIEW = 256

/** Words of `memory` from the one at `at` on. */
interface Slot {
  readonly memory: Scratch
  readonly at: number
}

const slots = new Slots<Slot>(4 * SLOT, (memory, at) => ({ memory, at: at >> 2 }))

/** SHA-1 (FIPS 180-4 §6.1). */
export function sha1(data: Uint8Array): Uint8Array {
  const slot = slots.take()
  start(slot, RUN)
  const whole = data.length & -BLOCK
  compress(slot, data, 0, whole)
  fillTail(slot, 0, data, whole, data.length)
  finishBlocks(slot, data.length - whole, data.length)
  const digest = new Uint8Array(SIZE)
  write(slot, digest, 0, SIZE)
  giveBack(slot)
  return digest
}

/** HMAC-SHA1 (RFC 2104); what the key's blocks do to the hash is computed once. */
export class HmacSha1 implements Mac {
  #slot: Slot | undefined
  #held = 0
  #size = 0

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK ? sha1(key) : key
    const slot = slots.take()
    const { memory, at } = slot
    const { octets, words } = memory
    for (let i = 0; i < short.length; i++) octets[4 * (at + TAIL) + i] = short[i]!
    startKeyed(slot, INNER, 0x36363636)
    startKeyed(slot, OUTER, 0x36363636 ^ 0x5c5c5c5c)
    for (let i = 0; i < BLOCK / 4; i++) words[at + TAIL + i] = 0
    this.#slot = slot
  }

  begin(): void {
    const { memory, at } = this.#alive()
    const { words } = memory
    for (let i = 0; i < 5; i++) words[at + RUN + i] = words[at + INNER + i]!
    this.#held = 0
    this.#size = BLOCK
  }

  update(data: Uint8Array, from: number, to: number): void {
    const slot = this.#alive()
    let held = this.#held
    let at = from
    this.#size += to - from
    if (held > 0) {
      at = Math.min(to, from + BLOCK - held)
      fillTail(slot, held, data, from, at)
      held += at - from
      if (held === BLOCK) {
        compressTail(slot)
        held = 0
      }
    }
    if (to - at >= BLOCK) {
      const end = at + ((to - at) & -BLOCK)
      compress(slot, data, at, end)
      at = end
    }
    fillTail(slot, held, data, at, to)
    this.#held = held + to - at
  }

  finish(target: Uint8Array, offset: number, size: number): void {
    const slot = this.#alive()
    finishBlocks(slot, this.#held, this.#size)
    this.#finishOuter(slot)
    write(slot, target, offset, size)
  }

  /** As `finish`, of a message whose inner hash somebody else made, key block and all: a character of `inner` an octet. */
  close(inner: string, target: Uint8Array, offset: number, size: number): void {
    const slot = this.#alive()
    const { memory, at } = slot
    for (let i = 0; i < 5; i++) memory.words[at + RUN + i] = 0
    for (let i = 0; i < SIZE; i++) {
      const word = at + RUN + (i >> 2)
      memory.words[word] = (memory.words[word]! << 8) | inner.charCodeAt(i)
    }
    this.#finishOuter(slot)
    write(slot, target, offset, size)
  }

  /**
   * Leaves in `sum` the exclusive or of `rounds` chained MACs, of which the message begun is the first: one block of
   * PBKDF2 (RFC 8018 §5.2, F), without leaving words for octets in between.
   */
  chain(rounds: number, sum: Int32Array): void {
    const slot = this.#alive()
    const { memory, at } = slot
    const { words } = memory
    finishBlocks(slot, this.#held, this.#size)
    this.#finishOuter(slot)
    for (let i = 0; i < 5; i++) sum[i] = words[at + RUN + i]!
    for (let round = 1; round < rounds; round++) {
      sha1Digest(words, at + INNER, words, at + RUN, words, at + RUN)
      sha1Digest(words, at + OUTER, words, at + RUN, words, at + RUN)
      for (let i = 0; i < 5; i++) sum[i]! ^= words[at + RUN + i]!
    }
  }

  [Symbol.dispose](): void {
    const slot = this.#slot
    this.#slot = undefined
    if (slot) giveBack(slot)
  }

  #alive(): Slot {
    if (!this.#slot) throw new TypeError('this HMAC key was disposed of')
    return this.#slot
  }

  #finishOuter({ memory: { words }, at }: Slot): void {
    sha1Digest(words, at + OUTER, words, at + RUN, words, at + RUN)
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
    writeWords(sum, 0, result, at, Math.min(SIZE, size - at))
  }
  sum.fill(0)
  return result
}

/** The initial hash value (FIPS 180-4 §5.3.1). */
function start({ memory: { words }, at }: Slot, state: number): void {
  words[at + state] = 0x67452301
  words[at + state + 1] = 0xefcdab89
  words[at + state + 2] = 0x98badcfe
  words[at + state + 3] = 0x10325476
  words[at + state + 4] = 0xc3d2e1f0
}

/** The state after the key in the slot's block, each word of which gets the pad `pad`. */
function startKeyed(slot: Slot, state: number, pad: number): void {
  const { words, view } = slot.memory
  const at = slot.at + TAIL
  for (let i = 0; i < BLOCK / 4; i++) words[at + i]! ^= pad
  start(slot, state)
  sha1Blocks(words, slot.at + state, view, 4 * at, 4 * at + BLOCK)
}

/** Compresses whole blocks of `data` into the running state. */
function compress(slot: Slot, data: Uint8Array, from: number, to: number): void {
  let view = viewOf(data)
  if (!view && to - from >= WORTH_A_VIEW) view = new DataView(data.buffer, data.byteOffset, data.length)
  if (view) {
    sha1Blocks(slot.memory.words, slot.at + RUN, view, from, to)
    return
  }
  for (let at = from; at < to; at += BLOCK) {
    fillTail(slot, 0, data, at, at + BLOCK)
    compressTail(slot)
  }
}

/** Puts octets of `data` behind the first `held` of the slot's block. */
function fillTail({ memory: { octets }, at }: Slot, held: number, data: Uint8Array, from: number, to: number): void {
  let target = 4 * (at + TAIL) + held
  for (let i = from; i < to; i++) octets[target++] = data[i]!
}

/** Compresses the slot's block into the running state. */
function compressTail({ memory: { words, view }, at }: Slot): void {
  const tail = 4 * (at + TAIL)
  sha1Blocks(words, at + RUN, view, tail, tail + BLOCK)
}

/** Compresses the `held` octets of the slot's block with the padding of a message of `size` octets (FIPS 180-4 §5.1.1). */
function finishBlocks(slot: Slot, held: number, size: number): void {
  const { octets, words, view } = slot.memory
  const tail = slot.at + TAIL
  const end = 4 * tail + BLOCK
  let at = 4 * tail + held
  octets[at++] = 0x80
  while ((at & 3) !== 0) octets[at++] = 0
  if (at > end - 8) {
    while (at < end) octets[at++] = 0
    compressTail(slot)
    at = 4 * tail
  }
  for (let word = at >> 2; word < tail + 14; word++) words[word] = 0
  view.setInt32(end - 8, Math.floor(size / 2 ** 29))
  view.setInt32(end - 4, size << 3)
  compressTail(slot)
}

/** The first `size` octets of the running state. */
function write({ memory: { words }, at }: Slot, target: Uint8Array, offset: number, size: number): void {
  writeWords(words, at + RUN, target, offset, size)
}

/** The first `size` octets of the five words at `at`. */
function writeWords(words: Int32Array, at: number, target: Uint8Array, offset: number, size: number): void {
  const whole = size & ~3
  for (let i = 0; i < whole; i += 4) {
    const word = words[at + (i >> 2)]!
    target[offset + i] = word >>> 24
    target[offset + i + 1] = word >>> 16
    target[offset + i + 2] = word >>> 8
    target[offset + i + 3] = word
  }
  for (let i = whole; i < size; i++) target[offset + i] = words[at + (i >> 2)]! >>> (24 - ((i & 3) << 3))
}

function giveBack(slot: Slot): void {
  const { memory, at } = slot
  for (let i = 0; i < SLOT; i++) memory.words[at + i] = 0
  slots.giveBack(slot)
}
