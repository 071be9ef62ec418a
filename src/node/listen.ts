/** A KDC function behind sockets: UDP and TCP on one port. @module */
import { createSocket, type SocketOptions, type Socket as UdpSocket } from 'node:dgram'
import { lookup } from 'node:dns'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIP, isIPv6, type Server, type Socket } from 'node:net'
import { FramingError, framed, Unframer } from '../krb5/framing.ts'
import type { HostAddress } from '../krb5/messages/basics.ts'
import { hostAddress } from './addresses.ts'

/** How to listen. */
export interface ListenOptions {
  /** 127.0.0.1 unless said. */
  readonly host?: string
  /** Any free one unless said. */
  readonly port?: number
  /** Replies of more octets than this do not go by UDP. */
  readonly maxDatagram?: number
  /** What goes instead: KRB_ERR_RESPONSE_TOO_BIG. */
  readonly tooBig: (request: Uint8Array) => Uint8Array
  /** Milliseconds that a silent connection stays open. */
  readonly idle?: number
}

/** A listener that runs; disposing of it closes its sockets and connections. */
export interface Listening extends AsyncDisposable {
  readonly host: string
  readonly port: number
}

/** How a request came. */
export interface Arrival {
  /** Of ours. */
  readonly address: HostAddress
  readonly sender: HostAddress
  readonly carrier: 'udp' | 'tcp'
}

/** Answers one request; undefined for no answer. It must not throw or reject. */
export type Handler = (
  request: Uint8Array,
  arrival: Arrival,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>

/** The largest request that is taken. */
const MAX_REQUEST = 1024 * 1024
/** Connections open at once. */
const MAX_CONNECTIONS = 1000
/** What fits a datagram everywhere (RFC 4120 §7.2.1 leaves it open; MIT's default). */
const MAX_DATAGRAM = 4096
/** What a socket that closed has for an address. */
const ANY = '0.0.0.0'
/** Ports tried until one is free for both UDP and TCP. */
const MAX_TRIES = 20

/** Serves `handle` on one port by UDP and TCP. */
export async function listen(handle: Handler, options: ListenOptions): Promise<Listening> {
  const { host = '127.0.0.1', port = 0 } = options
  for (let tries = 1; ; tries++) {
    const tcp = listenTcp(handle, options)
    tcp.listen(port, host)
    await once(tcp, 'listening')
    const bound = (tcp.address() as AddressInfo).port
    try {
      const udp = await listenUdp(handle, host, bound, options)
      return { host, port: bound, [Symbol.asyncDispose]: () => close(tcp, udp) }
    } catch (error) {
      tcp.close()
      if (port !== 0 || tries === MAX_TRIES) throw error
    }
  }
}

const connections = new WeakMap<Server, Set<Socket>>()

function listenTcp(handle: Handler, { idle = 10_000 }: ListenOptions): Server {
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    const incoming = new Unframer(MAX_REQUEST)
    const [own, sender] = [hostAddress(socket.localAddress ?? ANY), hostAddress(socket.remoteAddress ?? ANY)]
    let answered: Promise<void> = Promise.resolve()
    const answer = async (request: Uint8Array) => {
      const reply = socket.destroyed ? undefined : await handle(request, { address: own, sender, carrier: 'tcp' })
      if (reply && !socket.destroyed) socket.write(framed(reply))
      else socket.destroy()
    }
    socket.setTimeout(idle, () => socket.destroy())
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (octets) => {
      try {
        for (const request of incoming.push(octets)) {
          // one after the other, so that replies keep the order of the requests
          answered = answered.then(() => answer(request))
        }
      } catch (error) {
        if (!(error instanceof FramingError)) throw error
        socket.destroy()
      }
    })
  })
  server.maxConnections = MAX_CONNECTIONS
  connections.set(server, open)
  return server
}

async function listenUdp(
  handle: Handler,
  host: string,
  port: number,
  { maxDatagram = MAX_DATAGRAM, tooBig }: ListenOptions,
): Promise<UdpSocket> {
  const type = isIPv6(host) ? 'udp6' : 'udp4'
  const socket = createSocket({ type, lookup: lookUp })
  const own = hostAddress(isIP(host) ? host : ANY)
  socket.on('message', (octets, { address, port }) => {
    const request = new Uint8Array(octets.buffer, octets.byteOffset, octets.length)
    const send = (reply: Uint8Array | undefined) => {
      try {
        if (reply) socket.send(reply.length > maxDatagram ? tooBig(request) : reply, port, address)
      } catch {
        // closed while the answer was made
      }
    }
    const reply = handle(request, new Datagram(own, address))
    if (reply instanceof Promise) void reply.then(send)
    else send(reply)
  })
  const listening = once(socket, 'listening') // an 'error' before it rejects
  socket.bind(port, host)
  await listening
  socket.on('error', () => undefined) // a client that is gone is no matter of the listener's
  return socket
}

/** How a datagram came; whose address it was is read only for those who ask. */
class Datagram implements Arrival {
  readonly address: HostAddress
  readonly carrier = 'udp'
  readonly #from: string

  constructor(own: HostAddress, from: string) {
    this.address = own
    this.#from = from
  }

  get sender(): HostAddress {
    return hostAddress(this.#from)
  }
}

/** As Node does it, but at once where there is nothing to look up: replies go to addresses. */
const lookUp: NonNullable<SocketOptions['lookup']> = (host, options, found) => {
  const family = isIP(host)
  if (family === 0) lookup(host, options, found)
  else found(null, host, family)
}

async function close(tcp: Server, udp: UdpSocket): Promise<void> {
  const closed = once(tcp, 'close')
  tcp.close()
  for (const socket of connections.get(tcp) ?? []) socket.destroy()
  const silent = once(udp, 'close')
  udp.close()
  await Promise.all([closed, silent])
}
