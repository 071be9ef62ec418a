/** How a message reaches a KDC of its realm: RFC 4120 §7.2, with MIT's habits of trying several. @module */
import { type Attempt, TransportError } from '../krb5/errors.ts'
import type { KrbQuestions, RealmService } from '../krb5/questions.ts'
import type { TraceEvent } from '../krb5/trace.ts'
import { defaultConfig, type KrbConfig } from '../store/options.ts'
import { readAnchors } from './anchors.ts'
import { Deadline, unlessAborted } from './deadline.ts'
import { Inquiry, inSeconds } from './inquiry.ts'
import { type DnsAccess, serverLocator } from './locator.ts'
import { Reputation } from './reputation.ts'

/** How patient to be; milliseconds. */
export interface Patience {
  /** One try at one address: 10,000 unless said. */
  readonly attemptTimeout?: number | undefined
  /** The whole question: krb5.conf's request_timeout, or 30,000, unless said. */
  readonly deadline?: number | undefined
  /**
   * How long a silent KDC is waited for before the next one is asked as well, and before a datagram is sent once more:
   * 1,000 unless said.
   */
  readonly headStart?: number | undefined
  /** Gives the question up. */
  readonly signal?: AbortSignal | undefined
}

/** Answers the question `send`; throws TransportError when it reaches nobody. */
export type Transport = (question: Send['ask']) => Promise<Send['answer']>

/** What a transport works with. */
export interface TransportOptions extends Patience, DnsAccess {
  readonly config: Pick<KrbConfig, 'realms' | 'udpPreferenceLimit' | 'requestTimeout' | 'dnsLookupKdc' | 'dnsUriLookup'>
  readonly trace?: ((event: TraceEvent) => void) | undefined
  /** Asks HTTPS proxies in place of node:https. */
  readonly fetch?: typeof fetch | undefined
  /** Milliseconds, by a clock that goes forward only; the runtime's unless said. */
  readonly clock?: (() => number) | undefined
}

type Send = KrbQuestions['send']

/** Messages of more octets than this never go by UDP first, whatever the configuration says (MIT's HARD_UDP_LIMIT). */
const MAX_UDP_PREFERENCE = 32_700
const DEADLINE = 30_000

/**
 * Answers the question `send`: to the KDCs of the realm that krb5.conf or the DNS names, in order, by UDP and by TCP as
 * the size of the message and the configuration have it, or through their HTTPS proxies. A KDC that did not answer is
 * asked last for some minutes. Throws TransportError, and the signal's reason when it gives the question up.
 */
export function kdcTransport(options: TransportOptions): Transport {
  const { config, attemptTimeout = 10_000, headStart = 1_000, signal, trace, clock = () => performance.now() } = options
  const deadline = options.deadline ?? (config.requestTimeout > 0 ? config.requestTimeout * 1000 : DEADLINE)
  const { dnsServers, dnsTimeout, fetch } = options
  const locate = serverLocator({ config, dnsServers, dnsTimeout, clock })
  const reputation = new Reputation(clock)
  return async ({ realm, message, service = 'kdc' }) => {
    signal?.throwIfAborted()
    using limit = new Deadline(deadline, signal)
    const { servers, failures } = await unlessAborted(locate(realm, service), limit.signal).catch((error: unknown) => {
      if (limit.expired) throw new TransportError(realm, [], `the DNS did not answer in ${inSeconds(deadline)}`)
      throw error
    })
    if (servers.length === 0) throw new TransportError(realm, failures, unknownServer(service, realm, config))
    const anchors = () => readAnchors(config.realms.get(realm)?.httpAnchors ?? [])
    // A change asked of two servers at once would be made twice, the second time against the history of passwords.
    const patience = { attemptTimeout, headStart: service === 'kpasswd' ? attemptTimeout : headStart }
    const inquiry = new Inquiry({
      ...{ realm, message, service, ...patience, limit, trace, reputation },
      proxies: { anchors, fetch },
    })
    const answer = await inquiry.run(servers, transportsFor(message, service, config))
    if (answer) return answer
    signal?.throwIfAborted()
    const what = limit.expired ? `no KDC answered in ${inSeconds(deadline)}` : undefined
    throw new TransportError(realm, inquiry.attempts, what)
  }
}

/** Asks one transport after the other until one reaches somebody. Throws TransportError with the attempts of all. */
export function inTurn(transports: readonly Transport[]): Transport {
  return async (question) => {
    const attempts: Attempt[] = []
    for (const transport of transports)
      try {
        return await transport(question)
      } catch (error) {
        if (!(error instanceof TransportError)) throw error
        if (transports.length === 1) throw error
        attempts.push(...error.attempts)
      }
    throw new TransportError(question.realm, attempts)
  }
}

const unknown: Readonly<Record<RealmService, readonly [string, string, string]>> = {
  kdc: ['no KDC is known', 'kdc = host:port', '_kerberos._udp'],
  primary: ['no primary KDC is known', 'primary_kdc = host:port', '_kerberos-primary._udp'],
  kpasswd: ['no password server is known', 'kpasswd_server = host:port', '_kpasswd._udp'],
}

function unknownServer(service: RealmService, realm: string, { dnsLookupKdc }: TransportOptions['config']): string {
  const [what, relation, record] = unknown[service]
  const dns = dnsLookupKdc ? `, or publish SRV records of ${record}.${realm}` : ''
  return `${what}; name one as ${relation} under [realms] ${realm} = { }${dns}`
}

/** Requests to change passwords go by TCP first: they are not to be told twice. */
function transportsFor(
  message: Uint8Array,
  service: RealmService,
  config: Pick<KrbConfig, 'udpPreferenceLimit'>,
): readonly ('udp' | 'tcp')[] {
  return service !== 'kpasswd' && goesByUdpFirst(message, config) ? ['udp', 'tcp'] : ['tcp', 'udp']
}

/** MIT's udp_preference_limit: a negative one means the default, and 0 TCP first for everything. */
function goesByUdpFirst(
  message: Uint8Array,
  { udpPreferenceLimit: limit }: Pick<KrbConfig, 'udpPreferenceLimit'>,
): boolean {
  return message.length <= Math.min(limit < 0 ? defaultConfig.udpPreferenceLimit : limit, MAX_UDP_PREFERENCE)
}
