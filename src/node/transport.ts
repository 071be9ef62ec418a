/** How a message reaches a KDC of its realm: RFC 4120 §7.2, with MIT's habits of trying several. @module */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { errorCodeOf, type KrbErrorCode } from '../krb5/errorcodes.ts'
import { type Attempt, TransportError } from '../krb5/errors.ts'
import { messageTypes } from '../krb5/messages/codes.ts'
import { KrbErrorMessage } from '../krb5/messages/error.ts'
import type { KrbQuestions } from '../krb5/questions.ts'
import type { TraceEvent } from '../krb5/trace.ts'
import type { KrbConfig } from '../store/config.ts'
import { formatKdcAddress, type KdcAddress } from '../store/values.ts'
import { requestByTcp } from './tcp.ts'
import { requestByUdp } from './udp.ts'

/** How patient to be; milliseconds. */
export interface Patience {
  /** One try at one address: 10,000 unless said. */
  readonly attemptTimeout?: number | undefined
  /** The whole question: 30,000 unless said. */
  readonly deadline?: number | undefined
  /** How long a silent KDC is waited for before the next one is asked as well: 1,000 unless said. */
  readonly headStart?: number | undefined
  /** Gives the question up. */
  readonly signal?: AbortSignal | undefined
}

/** What a transport works with. */
export interface TransportOptions extends Patience {
  readonly config: Pick<KrbConfig, 'realms' | 'udpPreferenceLimit'>
  readonly trace?: ((event: TraceEvent) => void) | undefined
}

type Send = KrbQuestions['send']
type Transport = 'udp' | 'tcp'

/** One way to one KDC. */
interface Route {
  readonly address: string
  readonly port: number
  readonly transport: Transport
  /** `host:port (UDP)`, as people read it. */
  readonly label: string
}

/** Errors of one KDC that another one may not have. */
const elsewhere: readonly KrbErrorCode[] = ['KDC_ERR_SVC_UNAVAILABLE']

/** Answers the question `send`: to the KDCs of the realm, in order, each by UDP and TCP as its configuration has it. */
export function kdcTransport(options: TransportOptions): (question: Send['ask']) => Promise<Send['answer']> {
  const { config, attemptTimeout = 10_000, deadline = 30_000, headStart = 1_000, signal } = options
  return async ({ realm, message }) => {
    const kdcs = config.realms.get(realm)?.kdcs ?? []
    if (kdcs.length === 0)
      throw new TransportError(realm, [], `no KDC is known; name one as kdc = host:port under [realms] ${realm} = { }`)
    const limit = AbortSignal.timeout(deadline)
    const all = signal ? AbortSignal.any([signal, limit]) : limit
    const first: Transport = message.length > config.udpPreferenceLimit ? 'tcp' : 'udp'
    const routes: Route[] = []
    for (const transport of [first, first === 'udp' ? 'tcp' : 'udp'] as const)
      for (const kdc of kdcs) routes.push(...(await routesTo(kdc, transport)))
    const race = new Race(realm, message, { attemptTimeout, headStart, signal: all, trace: options.trace })
    try {
      return await race.run(routes)
    } catch (error) {
      if (!(error instanceof TransportError) || !all.aborted) throw error
      if (signal?.aborted) throw signal.reason
      throw new TransportError(realm, error.attempts, `no KDC answered within ${deadline} ms`)
    }
  }
}

/** The addresses of a KDC, in the resolver's order; one that no resolver knows stands for itself, and will fail by name. */
async function routesTo({ host, port, transport: only }: KdcAddress, transport: Transport): Promise<Route[]> {
  if (only && only !== transport) return []
  const label = `${formatKdcAddress({ host, port })} (${transport.toUpperCase()})`
  const addresses = isIP(host)
    ? [host]
    : await lookup(host, { all: true, verbatim: true }).then(
        (found) => found.map(({ address }) => address),
        () => [host],
      )
  return addresses.map((address) => ({ address, port, transport, label }))
}

interface RaceOptions {
  readonly attemptTimeout: number
  readonly headStart: number
  readonly signal: AbortSignal
  readonly trace: ((event: TraceEvent) => void) | undefined
}

/** Asks one KDC after the other, the next as soon as one fails or has had its head start; the first answer wins. */
class Race {
  readonly #realm: string
  readonly #message: Uint8Array
  readonly #options: RaceOptions
  readonly #attempts: Attempt[] = []
  readonly #over = new AbortController()

  constructor(realm: string, message: Uint8Array, options: RaceOptions) {
    this.#realm = realm
    this.#message = message
    this.#options = options
  }

  async run(routes: readonly Route[]): Promise<Send['answer']> {
    const running = new Set<Promise<Send['answer'] | undefined>>()
    try {
      for (const route of routes) {
        if (this.#options.signal.aborted) break
        const attempt = this.#try(route)
        running.add(attempt)
        attempt.then((answer) => answer ?? running.delete(attempt))
        const answer = await firstAnswer(running, this.#options.headStart)
        if (answer) return answer
      }
      while (running.size > 0) {
        const answer = await Promise.race(running)
        if (answer) return answer
      }
      throw new TransportError(this.#realm, this.#attempts)
    } finally {
      this.#over.abort(new DOMException('another KDC answered', 'AbortError'))
    }
  }

  /** One route's answer; undefined when it gave none, which is noted. */
  async #try(route: Route): Promise<Send['answer'] | undefined> {
    const { trace, signal, attemptTimeout } = this.#options
    const { label } = route
    trace?.({ kind: 'attempt', realm: this.#realm, kdc: label, size: this.#message.length })
    try {
      const limit = AbortSignal.timeout(attemptTimeout)
      const answer = await this.#request(route, AbortSignal.any([signal, limit, this.#over.signal]))
      const code = errorIn(answer)
      if (code === 'KRB_ERR_RESPONSE_TOO_BIG' && route.transport === 'udp') {
        this.#note(label, 'the reply is too big for a datagram (KRB_ERR_RESPONSE_TOO_BIG)')
        return await this.#try({ ...route, transport: 'tcp', label: label.replace('(UDP)', '(TCP)') })
      }
      if (code && elsewhere.includes(code)) {
        this.#note(label, code)
        return undefined
      }
      return { message: answer, kdc: label }
    } catch (error) {
      if (!this.#over.signal.aborted) this.#note(label, reasonOf(error, attemptTimeout))
      return undefined
    }
  }

  #request({ address, port, transport }: Route, signal: AbortSignal): Promise<Uint8Array> {
    const message = this.#message
    const { headStart } = this.#options
    return transport === 'udp'
      ? requestByUdp({ address, port, message, signal, retransmit: headStart, isAnswer })
      : requestByTcp({ address, port, message, signal })
  }

  #note(kdc: string, reason: string): void {
    this.#attempts.push({ kdc, reason })
    this.#options.trace?.({ kind: 'attempt-failed', realm: this.#realm, kdc, reason })
  }
}

/** The first answer among `running`, or undefined when `wait` ms have passed or one of them failed. */
async function firstAnswer<T>(running: ReadonlySet<Promise<T | undefined>>, wait: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, wait, undefined)
  })
  try {
    return await Promise.race([...running, patience])
  } finally {
    clearTimeout(timer)
  }
}

/** Identifier octets of what a KDC may answer: AS-REP, TGS-REP, KRB-ERROR, AP-REP before KRB-PRIV. */
const answers: readonly number[] = [messageTypes.asRep, messageTypes.tgsRep, messageTypes.error].map(
  (type) => 0x60 | type,
)
const isAnswer = (octets: Uint8Array): boolean => answers.includes(octets[0] ?? 0)

/** The code of a KRB-ERROR; undefined for any other message, and for one that cannot be read. */
function errorIn(message: Uint8Array): KrbErrorCode | undefined {
  if (message[0] !== (0x60 | messageTypes.error)) return undefined
  try {
    return errorCodeOf(decode(KrbErrorMessage, message).errorCode)
  } catch (error) {
    if (error instanceof Asn1Error) return undefined
    throw error
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no such host',
  EMSGSIZE: 'too big for a datagram',
}

/** Why a try came to nothing, in words. */
function reasonOf(error: unknown, timeout: number): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${timeout} ms`
  if (error instanceof AggregateError) return reasonOf(error.errors[0], timeout)
  const { code, message } = error as NodeJS.ErrnoException
  return (code && reasons[code]) ?? message ?? String(error)
}
