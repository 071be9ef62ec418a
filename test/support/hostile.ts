/** What hostile peers may cost: an outcome, and the time and memory it took. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { run } from '../../src/effects/index.ts'
import type { KrbExchange, KrbQuestions } from '../../src/krb5/questions.ts'
import { kdcTransport, type Patience } from '../../src/node/transport.ts'
import { krbConfig } from '../../src/store/config.ts'
import { PASSWORD, REALM } from './scriptedkdc.ts'

/** What an attack came to. */
export interface Suffered {
  /** What was thrown; undefined when nothing was. */
  readonly error: unknown
  readonly seconds: number
  /** The most memory that was in use above what was in use before, in MiB, looked at every few milliseconds; not garbage. */
  readonly mebibytes: number
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
/** Octets that may be garbage without anybody looking: a collection costs time, too. */
const LET_BE = 2 ** 24

/** Runs what is attacked, and measures. */
export async function suffer(attacked: () => Promise<unknown>): Promise<Suffered> {
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = used()
  let most = before
  const look = () => {
    if (used() - before > LET_BE) collectGarbage()
    most = Math.max(most, used())
  }
  const timer = setInterval(look, 5)
  const start = performance.now()
  try {
    const error = await attacked().then(
      () => undefined,
      (error: unknown) => error,
    )
    look()
    return { error, seconds: (performance.now() - start) / 1000, mebibytes: (most - before) / 2 ** 20 }
  } finally {
    clearInterval(timer)
  }
}

/** Runs an exchange against a KDC on loopback, by sockets, with the patience of the tests: 0.6 s an attempt, 1 s in all. */
export function runOverSockets<T>(exchange: KrbExchange<T>, kdc: string, patience: Patience = {}): Promise<T> {
  const config = krbConfig({ realms: { [REALM]: { kdc: [kdc] } } })
  return run<KrbQuestions, T>(exchange, {
    send: kdcTransport({ config, attemptTimeout: 600, deadline: 1000, headStart: 100, ...patience }),
    prompt: () => PASSWORD,
    replay: () => false,
    keep: () => undefined,
    compute: ({ work }) => work(),
  })
}

/** Sockets of an attacker, closed with the test. */
export class Sockets implements AsyncDisposable {
  readonly #listening: (Server | UdpSocket)[] = []
  readonly #accepted = new Set<Socket>()

  /** Listens for datagrams on loopback; `answer` may send from this socket or any other. Gives the port. */
  async udp(answer: (request: Uint8Array, from: AddressInfo, socket: UdpSocket) => void): Promise<number> {
    const socket = createSocket('udp4')
    this.#listening.push(socket)
    socket.on('message', (request, { address, port }) =>
      answer(new Uint8Array(request), { address, port, family: 'IPv4' }, socket),
    )
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket.address().port
  }

  /** Listens for streams on loopback; `behave` is called for each connection's first octets. Gives the port. */
  async tcp(behave: (socket: Socket, request: Uint8Array) => void): Promise<number> {
    const server = createServer((socket) => {
      this.#accepted.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('data', (request) => behave(socket, new Uint8Array(request)))
    })
    this.#listening.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#accepted) socket.destroy()
    await Promise.all(
      this.#listening.map((listening) => {
        const closed = once(listening, 'close')
        listening.close()
        return closed
      }),
    )
  }
}
