import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'

/** One exchange of datagrams with one address. */
export interface UdpRequest {
  readonly address: string
  readonly port: number
  readonly message: Uint8Array
  /** Milliseconds after which the message is sent once more, and once more after twice as long. */
  readonly retransmit: number
  readonly signal: AbortSignal
  /** Whether octets are an answer at all; others are passed over. */
  readonly isAnswer: (octets: Uint8Array) => boolean
}

/** Sends a datagram and waits for the answer, from the very address asked; rejects when the peer refuses or `signal` aborts. */
export function requestByUdp({
  address,
  port,
  message,
  retransmit,
  signal,
  isAnswer,
}: UdpRequest): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    let over = false
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    let timer: NodeJS.Timeout | undefined
    const end = (settle: () => void) => {
      if (over) return
      over = true
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.close()
      settle()
    }
    const abort = () => end(() => reject(signal.reason))
    const fail = (error: unknown) => end(() => reject(error))
    const send = (wait: number) => {
      if (over) return
      socket.send(message, (error) => error && socket.emit('error', error))
      timer = setTimeout(send, wait, wait * 2)
    }
    signal.addEventListener('abort', abort)
    socket.once('error', fail)
    // A connected socket hears nobody but the address it asked.
    socket.on('message', (octets) => {
      const answer = new Uint8Array(octets)
      if (isAnswer(answer)) end(() => resolve(answer))
    })
    // Node calls back with the error as well, though its types do not say so.
    socket.connect(port, address, (error?: Error) => (error ? fail(error) : send(retransmit)))
  })
}
