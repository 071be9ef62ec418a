/** Memory for the secrets of keys, which is used again once they are wiped. @module */
import { makeScratch, type Scratch } from '../primitives/scratch.ts'

/** Slots carved from one buffer: a typed array with memory of its own costs more than expanding a key. */
const SLOTS = 64
/** Slots given back that wait for another key. */
const MOST_FREE = 1024

/** Slots of equal size, all zero when taken. */
export class Slots<Slot> {
  readonly #size: number
  readonly #shape: (memory: Scratch, at: number) => Slot
  readonly #free: Slot[] = []
  #slab = makeScratch(0)
  #carved = 0

  /** `shape` gives what stands for the `size` octets of `memory` from the octet `at` on, a multiple of eight. */
  constructor(size: number, shape: (memory: Scratch, at: number) => Slot) {
    this.#size = size
    this.#shape = shape
  }

  take(): Slot {
    const slot = this.#free.pop()
    if (slot) return slot
    if (this.#carved === this.#slab.octets.length) {
      this.#slab = makeScratch(SLOTS * this.#size)
      this.#carved = 0
    }
    const at = this.#carved
    this.#carved += this.#size
    return this.#shape(this.#slab, at)
  }

  /** Takes back a slot that its user has overwritten with zeros. */
  giveBack(slot: Slot): void {
    if (this.#free.length < MOST_FREE) this.#free.push(slot)
  }
}
