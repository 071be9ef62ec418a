/** A GSS-Proxy daemon's socket, as its client sees it. @module */
import { connect, type Socket } from 'node:net'
import { run, type World } from '../../effects/index.ts'
import type { Credentials } from '../../gss/credentials.ts'
import { GssError } from '../../gss/error.ts'
import { type BoundMechanism, bind } from '../../gss/mechanism.ts'
import {
  acquireByProxy,
  gssProxyMechanism,
  type LocalMechanism,
  type ProxyAcquisition,
  type ProxyCall,
  type ProxyQuestions,
} from '../../gssproxy/client.ts'
import { formatCall, parseReply } from '../../gssproxy/rpc.ts'
import { marked, Unframer } from '../../krb5/framing.ts'
import { spnego } from '../../spnego/mechanism.ts'
import { GSSPROXY_MAX_MESSAGE } from './listen.ts'

/** Where gssproxy listens on Debian and Fedora. */
const DEFAULT_SOCKET = '/var/lib/gssproxy/default.sock'
/** Milliseconds for one answer, as MIT's interposer has it. */
const PATIENCE = 15_000

/** How to reach a daemon. */
export interface GssProxyOptions {
  /** GSSPROXY_SOCKET, or gssproxy's own, unless said. */
  readonly path?: string | undefined
  /** Milliseconds that the daemon has for one answer; 15,000 unless said. */
  readonly patience?: number | undefined
}

/** One connection to a daemon, for one call after the other; it is made when it is needed. Disposing of it closes it. */
export class GssProxyConnection implements Disposable {
  readonly path: string
  /** What answers the mechanism's questions. */
  readonly world: World<ProxyQuestions> = { call: (call) => this.call(call) }
  readonly #patience: number
  #socket: Socket | undefined
  #last: Promise<unknown> = Promise.resolve()
  #xid = 0

  constructor({ path, patience = PATIENCE }: GssProxyOptions = {}) {
    this.path = path ?? process.env['GSSPROXY_SOCKET'] ?? DEFAULT_SOCKET
    this.#patience = patience
  }

  /** krb5 by way of this daemon; `local` protects the messages of open contexts. */
  mechanism(local: LocalMechanism): BoundMechanism {
    return bind(gssProxyMechanism(local), this.world)
  }

  /** SPNEGO over that: what HTTP's Negotiate takes. It is spoken here, as gssproxy does not speak it. */
  spnego(local: LocalMechanism): BoundMechanism {
    return bind(spnego([gssProxyMechanism(local)]), this.world)
  }

  /** Credentials that the daemon finds, or gets in a user's name; only the daemon can open them. Throws {@link GssError}. */
  acquire(wanted: ProxyAcquisition = {}): Promise<Credentials> {
    return run<ProxyQuestions, Credentials>(acquireByProxy(wanted), this.world)
  }

  /** Has one call carried out, after those that were made before; gives its results. Throws {@link GssError}. */
  call(call: ProxyCall): Promise<Uint8Array> {
    const result = this.#last.then(() => this.#carryOut(call))
    this.#last = result.catch(() => undefined)
    return result
  }

  async #carryOut({ procedure, args }: ProxyCall): Promise<Uint8Array> {
    const xid = ++this.#xid >>> 0
    const message = marked(formatCall(xid, procedure, args))
    const reused = this.#socket !== undefined
    try {
      const reply = await this.#exchange(message).catch((error) => {
        // a daemon that was restarted closed the connection while nobody looked
        if (reused && wasClosed(error)) return this.#exchange(message)
        throw error
      })
      return parseReply(reply, xid)
    } catch (cause) {
      this[Symbol.dispose]()
      throw new GssError('GSS_S_FAILURE', `the GSS-Proxy daemon at ${this.path} cannot be asked: ${reasonOf(cause)}`, {
        cause,
      })
    }
  }

  async #exchange(message: Uint8Array): Promise<Uint8Array> {
    const socket = (this.#socket ??= this.#connect())
    const incoming = new Unframer(GSSPROXY_MAX_MESSAGE, 'record')
    let settle = (): void => {}
    socket.ref() // an idle connection keeps no process alive
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new NoAnswer(`it does not answer within ${this.#patience / 1000} s`)),
          this.#patience,
        )
        const closed = () => reject(new NoAnswer(unauthorized, true))
        const take = (octets: Uint8Array) => {
          try {
            const [reply] = incoming.push(octets)
            if (reply) resolve(reply)
          } catch (error) {
            reject(error)
          }
        }
        settle = () => {
          clearTimeout(timer)
          socket.off('error', reject).off('close', closed).off('data', take)
        }
        socket.on('error', reject).on('close', closed).on('data', take)
        socket.write(message)
      })
    } catch (error) {
      this.#forget(socket)
      socket.destroy()
      throw error
    } finally {
      settle()
      socket.unref()
    }
  }

  #connect(): Socket {
    const socket = connect({ path: this.path })
    socket.on('error', () => undefined) // told by its close
    socket.on('close', () => this.#forget(socket))
    return socket
  }

  #forget(socket: Socket): void {
    if (this.#socket === socket) this.#socket = undefined
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }
}

/** What gssproxy does to users that none of its services is for. */
const unauthorized =
  'it closed the connection, as it does where no service is for the user of this process (euid in gssproxy.conf)'

/** A daemon that said nothing. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly closed: boolean

  constructor(reason: string, closed = false) {
    super(reason)
    this.closed = closed
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; name it in GSSPROXY_SOCKET',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'its mode forbids it to the user of this process',
  ECONNRESET: unauthorized,
  EPIPE: unauthorized,
}

const wasClosed = (error: unknown): boolean =>
  error instanceof NoAnswer ? error.closed : reasons[(error as NodeJS.ErrnoException).code ?? ''] === unauthorized

const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return reasons[code ?? ''] ?? message
}
