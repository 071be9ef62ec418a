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

/**
 * Sends a datagram and waits for the answer (RFC 4120 §7.2.1), from the very address asked; rejects when the peer
 * refuses, and with the reason of `signal` when that aborts.
 */
export async function requestByUdp(request: UdpRequest): Promise<Uint8Array> {
  if (!(await mayBindDatagrams())) throw new TypeError('datagrams need leave for all of the network here')
  return exchange(request)
}

function exchange({ address, port, message, retransmit, signal, isAnswer }: UdpRequest): Promise<Uint8Array> {
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
      socket.send(message, (error) => error && fail(error))
      timer = setTimeout(send, wait, wait * 2)
    }
    signal.addEventListener('abort', abort)
    socket.on('error', fail)
    // A connected socket hears nobody but the address it asked.
    socket.on('message', (octets) => {
      const answer = new Uint8Array(octets)
      if (!over && isAnswer(answer)) end(() => resolve(answer))
    })
    // Node calls back with the error as well, though its types do not say so.
    socket.connect(port, address, (error?: Error) => (error ? fail(error) : send(retransmit)))
  })
}

interface Deno {
  readonly permissions: {
    query(permission: { readonly name: 'net'; readonly host: string }): Promise<{ readonly state: string }>
  }
}

/** Where any datagram socket that is not bound by hand comes from. */
const ANY_ADDRESS = '0.0.0.0'

/** Deno without leave to bind every address ends the whole process at the first datagram, past all handlers. */
async function mayBindDatagrams(): Promise<boolean> {
  const { Deno } = globalThis as { readonly Deno?: Deno }
  return !Deno || (await Deno.permissions.query({ name: 'net', host: ANY_ADDRESS })).state === 'granted'
}
