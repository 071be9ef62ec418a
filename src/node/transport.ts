/** How a message reaches a KDC of its realm: RFC 4120 §7.2, with MIT's habits of trying several. @module */
import { TransportError } from '../krb5/errors.ts'
import type { KrbQuestions } from '../krb5/questions.ts'
import type { TraceEvent } from '../krb5/trace.ts'
import { defaultConfig, type KrbConfig } from '../store/options.ts'
import { Deadline } from './deadline.ts'
import { Inquiry, inSeconds } from './inquiry.ts'

/** How patient to be; milliseconds. */
export interface Patience {
  /** One try at one address: 10,000 unless said. */
  readonly attemptTimeout?: number | undefined
  /** The whole question: 30,000 unless said. */
  readonly deadline?: number | undefined
  /**
   * How long a silent KDC is waited for before the next one is asked as well, and before a datagram is sent once more:
   * 1,000 unless said.
   */
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

/** Messages of more octets than this never go by UDP first, whatever the configuration says (MIT's HARD_UDP_LIMIT). */
const MAX_UDP_PREFERENCE = 32_700

/**
 * Answers the question `send`: to the KDCs of the realm, in order, by UDP and by TCP as the size of the message and the
 * configuration have it. Throws TransportError, and the signal's reason when it gives the question up.
 */
export function kdcTransport(options: TransportOptions): (question: Send['ask']) => Promise<Send['answer']> {
  const { config, attemptTimeout = 10_000, deadline = 30_000, headStart = 1_000, signal, trace } = options
  return async ({ realm, message, service = 'kdc' }) => {
    const servers = config.realms.get(realm)
    const changing = service === 'kpasswd'
    const kdcs = (changing ? servers?.kpasswdServers : servers?.kdcs) ?? []
    if (changing && kdcs.length === 0)
      throw new TransportError(
        realm,
        [],
        `no password server is known; name one as kpasswd_server = host under [realms] ${realm} = { }`,
      )
    if (kdcs.length === 0)
      throw new TransportError(realm, [], `no KDC is known; name one as kdc = host:port under [realms] ${realm} = { }`)
    signal?.throwIfAborted()
    using limit = new Deadline(deadline, signal)
    // A change asked of two servers at once would be made twice, the second time against the history of passwords.
    const patience = { attemptTimeout, headStart: changing ? attemptTimeout : headStart }
    const inquiry = new Inquiry({ realm, message, service, ...patience, limit, trace })
    const udpFirst = !changing && goesByUdpFirst(message, config)
    const answer = await inquiry.run(kdcs, udpFirst ? ['udp', 'tcp'] : ['tcp', 'udp'])
    if (answer) return answer
    signal?.throwIfAborted()
    const what = limit.expired ? `no KDC answered in ${inSeconds(deadline)}` : undefined
    throw new TransportError(realm, inquiry.attempts, what)
  }
}

/** MIT's udp_preference_limit: a negative one means the default, and 0 TCP first for everything. */
function goesByUdpFirst(
  message: Uint8Array,
  { udpPreferenceLimit: limit }: Pick<KrbConfig, 'udpPreferenceLimit'>,
): boolean {
  return message.length <= Math.min(limit < 0 ? defaultConfig.udpPreferenceLimit : limit, MAX_UDP_PREFERENCE)
}
