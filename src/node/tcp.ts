import { connect } from 'node:net'
import { FramingError, framed, Unframer } from './framing.ts'

/** The largest reply that is taken: some hundred times a ticket with a large PAC. */
const MAX_REPLY = 8 * 1024 * 1024

/** One exchange over a stream. */
export interface TcpRequest {
  readonly address: string
  readonly port: number
  readonly message: Uint8Array
  readonly signal: AbortSignal
}

/** Sends a message with its length in front and reads the answer (RFC 4120 §7.2.2); rejects when the peer fails or `signal` aborts. */
export function requestByTcp({ address, port, message, signal }: TcpRequest): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = connect({ host: address, port, noDelay: true })
    const incoming = new Unframer(MAX_REPLY)
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      settle()
    }
    const abort = () => end(() => reject(signal.reason))
    signal.addEventListener('abort', abort)
    socket.once('error', (error) => end(() => reject(error)))
    socket.once('end', () => end(() => reject(new FramingError(`closed after ${incoming.progress}`))))
    socket.on('data', (octets) => {
      try {
        const [answer] = incoming.push(octets)
        if (answer) end(() => resolve(answer))
      } catch (error) {
        end(() => reject(error))
      }
    })
    socket.write(framed(message))
  })
}
