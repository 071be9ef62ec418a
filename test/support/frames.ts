/** What gss_echo.py and those that talk with it send: a 32-bit length and as many octets. @module */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { SecurityContext } from 'kerb/gss'
import { expect } from 'vitest'
import { concat, fromUtf8, utf8 } from '../../src/bytes/index.ts'

/** Both directions of one connection. */
export class Frames implements Disposable {
  readonly #socket: Socket
  #got = new Uint8Array(0)

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** To an address, as `host:port`. */
  static to(address: string): Frames {
    const [host, port] = address.split(':')
    return new Frames(connect(Number(port), host))
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  /** Sends one frame. */
  send(frame: Uint8Array): void {
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, frame.length)
    this.#socket.write(concat(length, frame))
  }

  /** The next frame; fails the test for one that is an error. */
  async receive(): Promise<Uint8Array> {
    const size = () => (this.#got.length < 4 ? 0 : new DataView(this.#got.buffer, this.#got.byteOffset).getUint32(0))
    while (this.#got.length < 4 || this.#got.length < 4 + size()) {
      const [data] = (await once(this.#socket, 'data')) as [Uint8Array]
      this.#got = concat(this.#got, data)
    }
    const frame = this.#got.slice(4, 4 + size())
    this.#got = this.#got.slice(4 + frame.length)
    if (fromUtf8Safe(frame).startsWith('{"error"')) expect.fail(fromUtf8(frame))
    return frame
  }
}

const fromUtf8Safe = (octets: Uint8Array) => String.fromCharCode(...octets.subarray(0, 10))

/** What gss_echo.py answers to an operation. */
export const call = async (frames: Frames, operation: string, body: Uint8Array = new Uint8Array(0)) => {
  frames.send(concat(utf8(operation), body))
  return frames.receive()
}

/** Brings an initiator's context about, with gss_echo.py on the other side. */
export async function handshake(frames: Frames, context: SecurityContext): Promise<void> {
  for (let token = await context.step(); token; ) {
    frames.send(token)
    const answer = await frames.receive()
    token = context.complete ? undefined : await context.step(answer)
  }
  expect(context.complete).toBe(true)
}
