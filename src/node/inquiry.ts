/** One message on its way to the KDCs of a realm. @module */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { errorCodeOf, type KrbErrorCode } from '../krb5/errorcodes.ts'
import type { Attempt } from '../krb5/errors.ts'
import { messageTypes } from '../krb5/messages/codes.ts'
import { KrbErrorMessage } from '../krb5/messages/error.ts'
import type { KrbQuestions, RealmService } from '../krb5/questions.ts'
import type { TraceEvent } from '../krb5/trace.ts'
import { formatKdcAddress, type KdcAddress } from '../store/servers.ts'
import { Deadline, unlessAborted } from './deadline.ts'
import { race } from './race.ts'
import { requestByTcp } from './tcp.ts'
import { requestByUdp } from './udp.ts'

type Answer = KrbQuestions['send']['answer']
type Transport = 'udp' | 'tcp'

/** What an inquiry is made of. */
export interface InquiryOptions {
  readonly realm: string
  readonly message: Uint8Array
  readonly service: RealmService
  /** Milliseconds for one try at one address. */
  readonly attemptTimeout: number
  /** Milliseconds before the next KDC is asked as well. */
  readonly headStart: number
  /** For all of it. */
  readonly limit: Deadline
  readonly trace: ((event: TraceEvent) => void) | undefined
}

/** One way to one KDC. */
interface Route {
  readonly address: string
  readonly port: number
  readonly transport: Transport
  /** The KDC as people read it, without the transport. */
  readonly name: string
}

/** One message on its way to the KDCs of a realm; remembers every try that came to nothing. */
export class Inquiry {
  readonly attempts: Attempt[] = []
  readonly #options: InquiryOptions
  readonly #addresses = new Map<string, Promise<readonly string[]>>()
  /** What a KDC said that cannot serve now: the answer of last resort. */
  #unavailable: Answer | undefined

  constructor(options: InquiryOptions) {
    this.#options = options
  }

  /** Asks every KDC by the first of `transports`, then by the next; undefined when none answered. */
  async run(kdcs: readonly KdcAddress[], transports: readonly Transport[]): Promise<Answer | undefined> {
    const { headStart, limit } = this.#options
    const ways = transports.flatMap((transport) =>
      kdcs
        .filter(({ transport: only }) => only === undefined || only === transport)
        .map((kdc) => () => this.#askKdc(kdc, transport)),
    )
    return (await race(ways, headStart, limit.signal)) ?? this.#unavailable
  }

  /** Asks at each address that the KDC's name stands for, in the resolver's order. */
  async #askKdc({ host, port }: KdcAddress, transport: Transport): Promise<Answer | undefined> {
    const { headStart, limit } = this.#options
    const name = formatKdcAddress({ host, port })
    try {
      const addresses = await unlessAborted(this.#resolved(host), limit.signal)
      const nameOf = (address: string) => (addresses.length > 1 ? `${name} [${address}]` : name)
      const routes = addresses.map((address) => ({ address, port, transport, name: nameOf(address) }))
      return await race(
        routes.map((route) => () => this.#try(route)),
        headStart,
        limit.signal,
      )
    } catch (error) {
      this.#note(labelOf(name, transport), reasonOf(error))
      return undefined
    }
  }

  #resolved(host: string): Promise<readonly string[]> {
    const known = this.#addresses.get(host)
    if (known) return known
    const addresses = isIP(host)
      ? Promise.resolve([host])
      : lookup(host, { all: true, verbatim: true }).then((found) => found.map(({ address }) => address))
    this.#addresses.set(host, addresses)
    return addresses
  }

  /** One route's answer; undefined when it gave none, which is noted. */
  async #try(route: Route): Promise<Answer | undefined> {
    const { realm, message, attemptTimeout, limit, trace } = this.#options
    const kdc = labelOf(route.name, route.transport)
    trace?.({ kind: 'attempt', realm, kdc, size: message.length })
    const start = performance.now()
    using patience = new Deadline(attemptTimeout, limit.signal)
    try {
      return await this.#judge(route, { message: await this.#request(route, patience.signal), kdc })
    } catch (error) {
      this.#note(kdc, reasonOf(error, performance.now() - start))
      return undefined
    }
  }

  async #request({ address, port, transport, name }: Route, signal: AbortSignal): Promise<Uint8Array> {
    const { message, headStart, service } = this.#options
    if (transport === 'tcp') return requestByTcp({ address, port, message, signal })
    const kdc = labelOf(name, transport)
    const isAnswer = (octets: Uint8Array) => {
      const sane = isReply(octets, service)
      if (!sane) this.#note(kdc, noReply(octets))
      return sane
    }
    return requestByUdp({ address, port, message, signal, retransmit: headStart, isAnswer })
  }

  /** The answer, unless it sends us elsewhere: to TCP (RFC 4120 §7.2.1) or to another KDC. */
  async #judge(route: Route, answer: Answer): Promise<Answer | undefined> {
    if (!isReply(answer.message, this.#options.service)) {
      this.#note(answer.kdc, noReply(answer.message))
      return undefined
    }
    const code = errorIn(answer.message)
    if (code === 'KRB_ERR_RESPONSE_TOO_BIG' && route.transport === 'udp') {
      this.#note(answer.kdc, `the reply is too big for a datagram (${code})`)
      return this.#try({ ...route, transport: 'tcp' })
    }
    if (code !== 'KDC_ERR_SVC_UNAVAILABLE') return answer
    this.#note(answer.kdc, code)
    this.#unavailable ??= answer
    return undefined
  }

  #note(kdc: string, reason: string): void {
    const { realm, limit, trace } = this.#options
    // Another KDC has answered: that this one was given up is no failure.
    if (limit.over || this.attempts.length >= MAX_ATTEMPTS) return
    this.attempts.push({ kdc, reason })
    trace?.({ kind: 'attempt-failed', realm, kdc, reason })
  }
}

/** Failures that are told: a peer that sends rubbish without end must not fill the memory. */
const MAX_ATTEMPTS = 100

const labelOf = (name: string, transport: Transport): string => `${name} (${transport.toUpperCase()})`

/** `milliseconds` as people say it: `1.5 s`. */
export const inSeconds = (milliseconds: number): string => `${Math.round(milliseconds / 100) / 10} s`

/** Identifier octets of what a KDC answers with: AS-REP, TGS-REP, KRB-ERROR. */
const replies: readonly number[] = [messageTypes.asRep, messageTypes.tgsRep, messageTypes.error].map(
  (type) => 0x60 | type,
)
/** A password server's replies begin with their length, but for a bare KRB-ERROR (RFC 3244 §2). */
const isReply = (octets: Uint8Array, service: RealmService): boolean => {
  if (octets.length < 2) return false
  const framed = service === 'kpasswd' && ((octets[0]! << 8) | octets[1]!) === octets.length
  return framed || replies.includes(octets[0]!)
}
const noReply = ({ length }: Uint8Array): string => `${length} octets came that are no reply of a KDC`

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
  ENETDOWN: 'network down',
  EADDRNOTAVAIL: 'no such address from here',
  EACCES: 'not permitted here',
  EPERM: 'not permitted here',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up at the moment',
  EMSGSIZE: 'too big for a datagram',
  ETIMEDOUT: 'no answer',
}

/** Why a try came to nothing after `elapsed` milliseconds, in words. */
function reasonOf(error: unknown, elapsed?: number): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0], elapsed)
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return elapsed === undefined ? 'the name was not looked up in time' : `no answer in ${inSeconds(elapsed)}`
  const { code, message } = error as NodeJS.ErrnoException
  return (code && reasons[code]) ?? message ?? String(error)
}
