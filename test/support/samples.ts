/** What MIT's sample programs send each other: flags, a 32-bit length and as many octets; in their first version no flags. @module */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'vitest'
import { concat } from '../../src/bytes/index.ts'

/** Bits of the flags. */
export const sampleFlags = {
  noop: 1,
  context: 2,
  data: 4,
  mic: 8,
  contextNext: 16,
  wrapped: 32,
  encrypted: 64,
  sendMic: 128,
} as const

/** One piece of the conversation; no flags are 0, as in the first version. */
export interface SampleFrame {
  readonly flags: number
  readonly token: Uint8Array
}

/** One end of the conversation. */
export class Samples implements Disposable {
  readonly #socket: Socket
  readonly #pieces: AsyncIterator<Uint8Array>
  #got = new Uint8Array()

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay()
    this.#pieces = socket[Symbol.asyncIterator]()
  }

  /** To a port of this host, as soon as somebody listens there. */
  static async to(port: number, tries = 100): Promise<Samples> {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return new Samples(socket)
    } catch (error) {
      if (tries === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
      return Samples.to(port, tries - 1)
    }
  }

  /** Sends a frame; of the first version when it has no flags. */
  send(flags: number, token: Uint8Array = new Uint8Array()): void {
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, token.length)
    this.#socket.write(concat(Uint8Array.of(flags).subarray(0, flags ? 1 : 0), length, token))
  }

  /** The next frame; undefined when the other side has hung up. */
  async receive(): Promise<SampleFrame | undefined> {
    if (!(await this.#fill(1))) return undefined
    const flags = this.#got[0]!
    // A length that fills its first octet would be 16 MB.
    const head = flags ? 5 : 4
    if (!(await this.#fill(head))) expect.fail('half a frame')
    const size = new DataView(this.#got.buffer, this.#got.byteOffset).getUint32(head - 4)
    if (!(await this.#fill(head + size))) expect.fail('half a frame')
    const token = this.#got.slice(head, head + size)
    this.#got = this.#got.slice(head + size)
    return { flags, token }
  }

  async #fill(size: number): Promise<boolean> {
    while (this.#got.length < size) {
      const { value, done } = await this.#pieces.next()
      if (done) return false
      this.#got = concat(this.#got, value)
    }
    return true
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
