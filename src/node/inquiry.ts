/** One message on its way to the KDCs of a realm. @module */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { errorIn, isReply, noReply } from '../krb5/answers.ts'
import type { Attempt } from '../krb5/errors.ts'
import type { KrbQuestions, RealmService } from '../krb5/questions.ts'
import type { TraceEvent } from '../krb5/trace.ts'
import { formatKdcAddress, type KdcAddress } from '../store/servers.ts'
import { Deadline, unlessAborted } from './deadline.ts'
import { requestByProxy } from './https.ts'
import { race } from './race.ts'
import type { Reputation } from './reputation.ts'
import { requestByTcp } from './tcp.ts'
import { requestByUdp } from './udp.ts'

type Answer = KrbQuestions['send']['answer']
type Transport = 'udp' | 'tcp' | 'https'

/** What an inquiry is made of. */
export interface InquiryOptions {
  readonly realm: string
  readonly message: Uint8Array
  readonly service: RealmService
  readonly reputation: Reputation
  readonly proxies: ProxyTrust
  /** Milliseconds for one try at one address. */
  readonly attemptTimeout: number
  /** Milliseconds before the next KDC is asked as well. */
  readonly headStart: number
  /** For all of it. */
  readonly limit: Deadline
  readonly trace: ((event: TraceEvent) => void) | undefined
}

/** How HTTPS proxies are asked. */
export interface ProxyTrust {
  /** CAs of the proxies of a realm, in PEM; undefined for the system's. Throws ConfigError. */
  readonly anchors: () => string | undefined
  readonly fetch: typeof fetch | undefined
}

/** One way to one KDC. */
interface Route {
  readonly address: string
  readonly port: number
  readonly transport: 'udp' | 'tcp'
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

  /**
   * Asks every KDC by the first of `transports`, then by the next, and proxies among the first; those that did not answer
   * of late come last. Undefined when none answered.
   */
  async run(kdcs: readonly KdcAddress[], transports: readonly ('udp' | 'tcp')[]): Promise<Answer | undefined> {
    const { headStart, limit, reputation } = this.#options
    const ways = transports.flatMap((transport, round) =>
      kdcs.flatMap((kdc) => {
        if (kdc.transport === 'https') return round === 0 ? [wayTo(kdc, 'https')] : []
        return kdc.transport === undefined || kdc.transport === transport ? [wayTo(kdc, transport)] : []
      }),
    )
    const isBad = ({ label }: Way) => reputation.isBad(label)
    const ordered = [...ways.filter((way) => !isBad(way)), ...ways.filter(isBad)]
    const runners = ordered.map((way) => () => this.#follow(way))
    return (await race(runners, headStart, limit.signal)) ?? this.#unavailable
  }

  /** Asks one KDC, and remembers whether it answered; one that was given up before its head start was over is not blamed. */
  async #follow({ kdc, transport, label }: Way): Promise<Answer | undefined> {
    const { headStart, limit, reputation } = this.#options
    const start = performance.now()
    const answer = await (transport === 'https' ? this.#askProxy(kdc) : this.#askKdc(kdc, transport))
    if (answer) reputation.answered(label)
    else if (!limit.signal.aborted || limit.expired || performance.now() - start >= headStart) reputation.failed(label)
    return answer
  }

  /** Asks at each address that the KDC's name stands for, in the resolver's order. */
  async #askKdc({ host, port }: KdcAddress, transport: 'udp' | 'tcp'): Promise<Answer | undefined> {
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

  async #askProxy(kdc: KdcAddress): Promise<Answer | undefined> {
    const { realm, proxies } = this.#options
    const url = formatKdcAddress(kdc)
    return this.#attempt({ label: url, transport: 'https' }, async (message, signal) =>
      requestByProxy({ url, realm, message, signal, ca: proxies.anchors(), fetch: proxies.fetch }),
    )
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
  #try(route: Route): Promise<Answer | undefined> {
    const { transport } = route
    return this.#attempt({ label: labelOf(route.name, transport), transport, route }, (_, signal) =>
      this.#request(route, signal),
    )
  }

  async #attempt(
    { label: kdc, ...way }: { readonly label: string; readonly transport: Transport; readonly route?: Route },
    request: (message: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>,
  ): Promise<Answer | undefined> {
    const { realm, message, attemptTimeout, limit, trace } = this.#options
    trace?.({ kind: 'attempt', realm, kdc, size: message.length })
    const start = performance.now()
    using patience = new Deadline(attemptTimeout, limit.signal)
    try {
      return await this.#judge({ message: await request(message, patience.signal), kdc }, way.route)
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
  async #judge(answer: Answer, route: Route | undefined): Promise<Answer | undefined> {
    if (!isReply(answer.message, this.#options.service)) {
      this.#note(answer.kdc, noReply(answer.message))
      return undefined
    }
    const code = errorIn(answer.message)
    if (code === 'KRB_ERR_RESPONSE_TOO_BIG' && route?.transport === 'udp') {
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

/** One KDC by one transport. */
interface Way {
  readonly kdc: KdcAddress
  readonly transport: Transport
  /** What it is remembered as. */
  readonly label: string
}

const wayTo = (kdc: KdcAddress, transport: Transport): Way => ({
  ...{ kdc, transport },
  label: transport === 'https' ? formatKdcAddress(kdc) : labelOf(formatKdcAddress(kdc), transport),
})

const labelOf = (name: string, transport: Transport): string => `${name} (${transport.toUpperCase()})`

/** `milliseconds` as people say it: `1.5 s`. */
export const inSeconds = (milliseconds: number): string => `${Math.round(milliseconds / 100) / 10} s`

const UNTRUSTED = "the proxy's certificate is of no CA that is trusted here; name its CA as http_anchors"

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
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
}

/** Why a try came to nothing after `elapsed` milliseconds, in words. */
function reasonOf(error: unknown, elapsed?: number): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0], elapsed)
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return elapsed === undefined ? 'the name was not looked up in time' : `no answer in ${inSeconds(elapsed)}`
  const { code, message } = error as NodeJS.ErrnoException
  return (code && reasons[code]) ?? message ?? String(error)
}
