/** A GSS-Proxy server behind unix sockets, one for each service: who may write to a socket may use its service. @module */

import { once } from 'node:events'
import { chmodSync, chownSync, linkSync, lstatSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
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
  /** Connections at once; 4,096 unless said. More are closed as they come. */
  readonly maxConnections?: number | undefined
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
export const MAX_PENDING = 64 * 1024 * 1024
/** Milliseconds that a message may take to come, or an answer to be taken. */
const PATIENCE = 30_000
const OWNER_ONLY = 0o600

/** Opens the sockets. Throws what the system says: EEXIST where something is already, EPERM for a foreign owner. */
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
  readonly #path: string
  /** Of the socket once it has its name: what else may bear it later is not ours to remove. */
  #inode: number | undefined
  #pending = 0

  private constructor(server: GssProxyServer, { path, service, maxConnections = MAX_CONNECTIONS }: ProxySocket) {
    this.#path = path
    this.#server = server
    this.#service = service
    this.#listener = createServer((socket) => this.#serve(socket))
    this.#listener.maxConnections = maxConnections
  }

  /**
   * A socket is made in a folder of this process's user alone, and gets its name once it has its owner and mode: nobody
   * else can connect before, and the umask, which is the whole process's, stays as it is. A name is never taken over.
   */
  static async open(server: GssProxyServer, socket: ProxySocket): Promise<Listener> {
    const { path, uid, gid, mode } = socket
    await removeStale(path)
    const folder = mkdtempSync(join(dirname(path), '.'))
    const listener = new Listener(server, socket)
    const hidden = join(folder, 's')
    try {
      listener.#listener.listen({ path: hidden, backlog: MAX_CONNECTIONS })
      await once(listener.#listener, 'listening')
      if (uid !== undefined || gid !== undefined) chownSync(hidden, uid ?? process.getuid!(), gid ?? process.getgid!())
      chmodSync(hidden, mode ?? OWNER_ONLY)
      linkSync(hidden, path)
      listener.#inode = lstatSync(path).ino
    } catch (error) {
      if (listener.#listener.listening) await listener.close()
      throw error
    } finally {
      rmSync(folder, { recursive: true })
    }
    return listener
  }

  async close(): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    for (const socket of this.#connections) socket.destroy()
    await closed
    if (this.#inode !== undefined && lstatSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode)
      unlinkSync(this.#path)
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
