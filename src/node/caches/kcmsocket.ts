/** The socket of a KCM daemon: requests in, results out. @module */
import { connect, type Socket } from 'node:net'
import { concat } from '../../bytes/index.ts'
import { StoreError } from '../../store/error.ts'
import { KCM_MAX_REPLY, type KcmOperation, kcmRequest, parseKcmReply } from '../../store/kcm.ts'

/** Where the daemons listen unless kcm_socket says otherwise. */
export const DEFAULT_KCM_SOCKET = '/var/run/.heim_org.h5l.kcm-socket'
/** Milliseconds that a daemon has for one answer. */
const PATIENCE = 10_000
/** Octets of the length of a message, and of the transport's status behind that of a reply. */
const LENGTH = 4
const HEADER = 8

/** What a daemon answered. */
export interface KcmAnswer {
  readonly status: number
  readonly result: Uint8Array
}

/** A connection to a KCM daemon, for one request after the other. */
export class KcmConnection implements AsyncDisposable {
  readonly #path: string
  readonly #socket: Socket
  /** What came and was not taken yet, and how many octets that are. */
  readonly #pieces: Uint8Array[] = []
  #size = 0
  #failure: StoreError | undefined
  #wake: () => void = () => {}

  private constructor(path: string, patience: number) {
    this.#path = path
    this.#socket = connect({ path })
    this.#socket.setTimeout(patience)
    this.#socket.on('data', (octets) => {
      this.#pieces.push(octets)
      this.#size += octets.length
      if (this.#size > HEADER + KCM_MAX_REPLY) this.#fail('it sends more than it was asked for')
      else this.#wake()
    })
    this.#socket.on('timeout', () => this.#fail(`it does not answer within ${patience / 1000} s`))
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#fail(reasons[error.code ?? ''] ?? error.message, error),
    )
    this.#socket.on('end', () => this.#fail('it closed the connection'))
    this.#socket.on('connect', () => this.#wake())
  }

  /** Connects. Throws {@link StoreError}. */
  static async open(path: string, patience: number = PATIENCE): Promise<KcmConnection> {
    const connection = new KcmConnection(path, patience)
    await connection.#until(() => !connection.#socket.connecting)
    return connection
  }

  /** Has one operation done. Throws {@link StoreError} when the daemon cannot be understood. */
  async ask(operation: KcmOperation, ...parts: readonly Uint8Array[]): Promise<KcmAnswer> {
    const request = kcmRequest(operation, ...parts)
    const length = new Uint8Array(LENGTH)
    new DataView(length.buffer).setUint32(0, request.length)
    this.#socket.write(concat(length, request))
    const header = new DataView((await this.#take(HEADER)).buffer)
    const [size, transport] = [header.getUint32(0), header.getInt32(LENGTH)]
    if (transport !== 0) return { status: transport, result: new Uint8Array(0) }
    if (size > KCM_MAX_REPLY) throw this.#fail(`it announces ${size} octets, ${KCM_MAX_REPLY} are the limit`)
    return parseKcmReply(await this.#take(size))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail('the connection was given up')
    for (const piece of this.#pieces) piece.fill(0)
  }

  async #take(size: number): Promise<Uint8Array> {
    await this.#until(() => this.#size >= size)
    const received = concat(...this.#pieces)
    for (const piece of this.#pieces.splice(0)) piece.fill(0)
    this.#pieces.push(received.subarray(size))
    this.#size -= size
    return received.slice(0, size)
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#failure) throw this.#failure
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #fail(reason: string, cause?: Error): StoreError {
    this.#failure ??= new StoreError('ccache', `the KCM daemon at ${this.#path} cannot be asked: ${reason}`, {
      remedy: 'start it (sssd-kcm, or kcm of Heimdal), set kcm_socket in krb5.conf, or use FILE:path in KRB5CCNAME',
      ...(cause ? { cause } : {}),
    })
    this.#socket.destroy()
    this.#wake()
    return this.#failure
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'its mode forbids it to this user',
  ENOTSOCK: 'it is no socket',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
}
