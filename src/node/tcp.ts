import { connect } from 'node:net'
import { FramingError, framed, MAX_REPLY, Unframer } from '../krb5/framing.ts'

/** One exchange over a stream. */
export interface TcpRequest {
  readonly address: string
  readonly port: number
  readonly message: Uint8Array
  readonly signal: AbortSignal
  /** Octets of the length in front of messages: 4 unless said. */
  readonly lengthSize?: 2 | 4 | undefined
}

/**
 * Sends a message with its length in front and reads the answer (RFC 4120 §7.2.2); rejects when the peer fails, with
 * FramingError for an answer that ends early or is too long, and with the reason of `signal` when that aborts.
 */
export function requestByTcp({ address, port, message, signal, lengthSize }: TcpRequest): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = connect({ host: address, port, noDelay: true })
    const incoming = new Unframer(MAX_REPLY, lengthSize)
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      settle()
    }
    const fail = (error: unknown) => end(() => reject(error))
    const abort = () =>
      fail(incoming.begun ? new FramingError(`only ${incoming.progress} came in time`) : signal.reason)
    signal.addEventListener('abort', abort)
    socket.on('error', (error) => fail(incoming.begun ? new FramingError(`reset after ${incoming.progress}`) : error))
    socket.once('end', () => fail(new FramingError(`closed after ${incoming.progress}`)))
    socket.on('data', (octets) => {
      try {
        const [answer] = incoming.push(octets)
        if (answer) end(() => resolve(answer))
      } catch (error) {
        fail(error)
      }
    })
    socket.write(framed(message, lengthSize))
  })
}
