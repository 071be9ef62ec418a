import { PacError } from './error.ts'

/** Output of a decompressor: of one size that is known before. Every method throws PacError where that is not enough. */
export class Unpacked {
  readonly #octets: Uint8Array
  #at = 0

  /** Of `size` octets; the caller has bounded it. */
  constructor(size: number) {
    this.#octets = new Uint8Array(size)
  }

  /** Octets so far. */
  get length(): number {
    return this.#at
  }

  /** Whether nothing more fits. */
  get full(): boolean {
    return this.#at === this.#octets.length
  }

  /** One octet. */
  octet(value: number): void {
    this.#room(1)
    this.#octets[this.#at++] = value
  }

  /** Octets as they are. */
  octets(values: Uint8Array): void {
    this.#room(values.length)
    this.#octets.set(values, this.#at)
    this.#at += values.length
  }

  /** `length` octets from `distance` before the end on, among them those that this very copy writes. */
  copy(distance: number, length: number): void {
    if (distance > this.#at) throw new PacError(`compressed data refers to ${distance} octets before octet ${this.#at}`)
    this.#room(length)
    for (let i = 0; i < length; i++, this.#at++) this.#octets[this.#at] = this.#octets[this.#at - distance]!
  }

  /** All of it; throws PacError when some is missing. */
  finish(): Uint8Array {
    if (!this.full) throw new PacError(`${this.#octets.length} octets announced, ${this.#at} unpacked`)
    return this.#octets
  }

  #room(size: number): void {
    if (size > this.#octets.length - this.#at)
      throw new PacError(`compressed data is of more than the ${this.#octets.length} octets announced`)
  }
}
