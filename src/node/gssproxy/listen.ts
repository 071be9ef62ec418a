/** A GSS-Proxy server behind unix sockets, one for each service: who may write to a socket may use its service. @module */

import { once } from 'node:events'
import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { GssProxyServer } from '../../gssproxy/server.ts'
import type { ProxyService } from '../../gssproxy/service.ts'
import { FramingError, marked, Unframer } from '../../krb5/framing.ts'

/** Where a service is to be had, and by whom. */
export interface ProxySocket {
  readonly path: string
  readonly service: ProxyService
  /** Whose the socket becomes; this process's user's unless said. Another's takes root. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** 0600 unless said: its owner alone, and root. */
  readonly mode?: number | undefined
}

/** The sockets, open; disposing of it closes and removes them. */
export interface GssProxyListening extends AsyncDisposable {
  readonly paths: readonly string[]
}

/** Octets of a message at most, as gssproxy and its clients have it. */
export const GSSPROXY_MAX_MESSAGE = 1024 * 1024
/** Connections of one socket at once. */
const MAX_CONNECTIONS = 4096
/** Octets of messages that have begun and not ended, of all connections of one socket together. */
const MAX_PENDING = 64 * 1024 * 1024
/** Milliseconds that a message may take to come, or an answer to be taken. */
const PATIENCE = 30_000
const OWNER_ONLY = 0o600
/** What a socket has until it is its owner's. */
const HIDDEN_UMASK = 0o177

/** Opens the sockets. Throws what the system says: EADDRINUSE where somebody listens already, EPERM for a foreign owner. */
export async function listenGssProxy(
  server: GssProxyServer,
  sockets: readonly ProxySocket[],
): Promise<GssProxyListening> {
  const open: Listener[] = []
  const closeAll = () => Promise.all(open.map((listener) => listener.close()))
  try {
    for (const socket of sockets) open.push(await Listener.open(server, socket))
  } catch (error) {
    await closeAll()
    throw error
  }
  return {
    paths: sockets.map(({ path }) => path),
    async [Symbol.asyncDispose]() {
      await closeAll()
    },
  }
}

class Listener {
  readonly #server: GssProxyServer
  readonly #service: ProxyService
  readonly #connections = new Set<Socket>()
  readonly #listener: Server
  #pending = 0

  private constructor(server: GssProxyServer, service: ProxyService) {
    this.#server = server
    this.#service = service
    this.#listener = createServer((socket) => this.#serve(socket))
    this.#listener.maxConnections = MAX_CONNECTIONS
  }

  static async open(server: GssProxyServer, { path, service, uid, gid, mode }: ProxySocket): Promise<Listener> {
    await removeStale(path)
    const listener = new Listener(server, service)
    const before = process.umask(HIDDEN_UMASK)
    try {
      listener.#listener.listen({ path, backlog: MAX_CONNECTIONS }) // bound before it returns
    } finally {
      process.umask(before)
    }
    await once(listener.#listener, 'listening')
    try {
      if (uid !== undefined || gid !== undefined) chownSync(path, uid ?? process.getuid!(), gid ?? process.getgid!())
      chmodSync(path, mode ?? OWNER_ONLY)
    } catch (error) {
      await listener.close()
      throw error
    }
    return listener
  }

  async close(): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    for (const socket of this.#connections) socket.destroy()
    await closed
  }

  /** One message at a time: what comes after it waits in the kernel. */
  #serve(socket: Socket): void {
    const incoming = new Unframer(GSSPROXY_MAX_MESSAGE, 'record')
    let waiting = 0
    let running = false
    const queue: Uint8Array[] = []
    this.#connections.add(socket)
    const held = (octets: number) => {
      this.#pending += octets - waiting
      waiting = octets
    }
    const answer = async () => {
      if (running) return
      running = true
      socket.pause()
      socket.setTimeout(0)
      for (let message = queue.shift(); message && !socket.destroyed; message = queue.shift()) {
        const reply = await this.#server.respond(message, this.#service)
        if (!reply) socket.destroy()
        else if (!socket.destroyed) {
          socket.setTimeout(PATIENCE)
          await new Promise<void>((taken) => {
            socket.once('close', taken)
            socket.write(marked(reply), () => {
              socket.off('close', taken)
              taken()
            })
          })
        }
      }
      running = false
      socket.setTimeout(incoming.begun ? PATIENCE : 0)
      socket.resume()
    }
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      held(0)
      this.#connections.delete(socket)
    })
    socket.on('data', (octets) => {
      try {
        queue.push(...incoming.push(octets))
      } catch (error) {
        if (!(error instanceof FramingError)) throw error
        socket.destroy()
        return
      }
      held(incoming.begun ? waiting + octets.length : 0)
      if (this.#pending > MAX_PENDING) socket.destroy()
      else if (queue.length > 0) void answer()
      else if (incoming.begun && socket.timeout === 0) socket.setTimeout(PATIENCE)
    })
  }
}

/** Takes away a socket that nobody listens on any more. */
async function removeStale(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return
  const probe = connect({ path })
  try {
    await once(probe, 'connect')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') unlinkSync(path)
  } finally {
    probe.destroy()
  }
}
