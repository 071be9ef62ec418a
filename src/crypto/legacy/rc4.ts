/** A key stream of RC4 that goes on from piece to piece; what it is combined with is encrypted, or decrypted. */
export class Rc4 implements Disposable {
  readonly #state = new Uint8Array(256)
  #i = 0
  #j = 0

  constructor(key: Uint8Array) {
    const state = this.#state
    for (let i = 0; i < 256; i++) state[i] = i
    for (let i = 0, j = 0; i < 256; i++) {
      const swapped = state[i]!
      j = (j + swapped + key[i % key.length]!) & 255
      state[i] = state[j]!
      state[j] = swapped
    }
  }

  /**
   * Writes the octets of `source` from `from` up to `to`, combined with what comes next of the stream, at `offset` of
   * `target`.
   */
  apply(source: Uint8Array, from: number, to: number, target: Uint8Array, offset: number): void {
    const state = this.#state
    let i = this.#i
    let j = this.#j
    for (let at = from, out = offset; at < to; at++, out++) {
      i = (i + 1) & 255
      const x = state[i]!
      j = (j + x) & 255
      const y = state[j]!
      state[i] = y
      state[j] = x
      target[out] = source[at]! ^ state[(x + y) & 255]!
    }
    this.#i = i
    this.#j = j
  }

  [Symbol.dispose](): void {
    this.#state.fill(0)
  }
}
