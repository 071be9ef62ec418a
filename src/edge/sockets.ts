/** Messages to KDCs by TCP, over `connect` of `cloudflare:sockets` or what is like it: RFC 4120 §7.2.2. @module */
import { FramingError, framed, MAX_REPLY, Unframer } from '../krb5/framing.ts'

/** As much of a socket as is needed. */
export interface EdgeSocket {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  close(): Promise<unknown>
}

/** Opens a connection: `connect` of `cloudflare:sockets`. */
export type Connect = (address: { readonly hostname: string; readonly port: number }) => EdgeSocket

/** One exchange over a connection of its own. */
export interface SocketRequest {
  readonly hostname: string
  readonly port: number
  readonly message: Uint8Array
  readonly signal: AbortSignal
}

/**
 * Sends a message and gives the answer; rejects with FramingError for an answer that ends early or is too long, with the
 * reason of `signal` when that aborts, and with what the socket fails with.
 */
export async function requestBySocket(
  { hostname, port, message, signal }: SocketRequest,
  connect: Connect,
): Promise<Uint8Array> {
  signal.throwIfAborted()
  const socket = connect({ hostname, port })
  const close = () => void socket.close().catch(() => undefined)
  const answer = conversation(socket, message)
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  )
  try {
    return await Promise.race([answer, aborted])
  } finally {
    // the one that lost the race may fail later, when nobody listens
    answer.catch(() => undefined)
    aborted.catch(() => undefined)
    close()
  }
}

async function conversation({ readable, writable }: EdgeSocket, message: Uint8Array): Promise<Uint8Array> {
  // Not waited for, as a peer may answer before it has taken all; where writing fails, so does reading.
  writable
    .getWriter()
    .write(framed(message))
    .catch(() => undefined)
  const reader = readable.getReader()
  const incoming = new Unframer(MAX_REPLY)
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const [answer] = incoming.push(read.value)
    if (answer) return answer
  }
  throw new FramingError(`closed after ${incoming.progress}`)
}
