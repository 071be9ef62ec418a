/** How a message reaches a KDC without datagrams and DNS: KDC proxies by `fetch` ([MS-KKDCP]), KDCs by TCP. @module */
import { errorIn, isReply, noReply } from '../krb5/answers.ts'
import { type Attempt, TransportError } from '../krb5/errors.ts'
import { requestByFetch } from '../krb5/proxyclient.ts'
import type { KrbQuestions, RealmService } from '../krb5/questions.ts'
import type { TraceEvent } from '../krb5/trace.ts'
import type { KrbConfig, RealmConfig } from '../store/options.ts'
import { formatKdcAddress, type KdcAddress } from '../store/servers.ts'
import { type Connect, requestBySocket } from './sockets.ts'

/** What a transport works with. */
export interface EdgeTransportOptions {
  readonly config: Pick<KrbConfig, 'realms'>
  /** Asks KDC proxies; the platform's unless said. */
  readonly fetch?: typeof fetch | undefined
  /** Opens connections to KDCs: `connect` of `cloudflare:sockets`. Without it only proxies are asked. */
  readonly connect?: Connect | undefined
  /** Milliseconds for one try: 10,000 unless said. */
  readonly attemptTimeout?: number | undefined
  readonly trace?: ((event: TraceEvent) => void) | undefined
}

type Send = KrbQuestions['send']

const ATTEMPT_TIMEOUT = 10_000

/**
 * Answers the question `send` by the servers that the configuration names for the realm, one after the other until one
 * answers. Throws TransportError with every try.
 */
export function edgeTransport(options: EdgeTransportOptions): (question: Send['ask']) => Promise<Send['answer']> {
  const { config, trace } = options
  return async ({ realm, message, service = 'kdc' }) => {
    const attempts: Attempt[] = []
    let unavailable: Send['answer'] | undefined
    for (const server of serversOf(config.realms.get(realm), service)) {
      const kdc = formatKdcAddress(server)
      const failed = (reason: string) => {
        attempts.push({ kdc, reason })
        trace?.({ kind: 'attempt-failed', realm, kdc, reason })
      }
      trace?.({ kind: 'attempt', realm, kdc, size: message.length })
      try {
        const answer = { message: await request(server, { realm, message }, options), kdc }
        if (!isReply(answer.message, service)) failed(noReply(answer.message))
        else if (errorIn(answer.message) !== 'KDC_ERR_SVC_UNAVAILABLE') return answer
        else {
          failed('KDC_ERR_SVC_UNAVAILABLE')
          unavailable ??= answer
        }
      } catch (error) {
        failed(error instanceof Error ? error.message : String(error))
      }
    }
    if (unavailable) return unavailable
    const what = attempts.length > 0 ? undefined : `no server of the kind ${service} is known`
    throw new TransportError(realm, attempts, what)
  }
}

/** Of a realm the servers of one kind; proxies among the KDCs reach those that change passwords too ([MS-KKDCP] §3.1.5.1). */
function serversOf(realm: RealmConfig | undefined, service: RealmService): readonly KdcAddress[] {
  if (!realm) return []
  if (service === 'primary') return realm.primaryKdcs
  if (service === 'kdc') return realm.kdcs
  return [...realm.kpasswdServers, ...realm.kdcs.filter(({ transport }) => transport === 'https')]
}

function request(
  server: KdcAddress,
  { realm, message }: Pick<Send['ask'], 'realm' | 'message'>,
  { fetch: send = globalThis.fetch, connect, attemptTimeout = ATTEMPT_TIMEOUT }: EdgeTransportOptions,
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(attemptTimeout)
  if (server.transport === 'https')
    return requestByFetch({ url: formatKdcAddress(server), realm, message, signal }, (input, init) => send(input, init))
  if (!connect || server.transport === 'udp')
    throw new TypeError(
      'this runtime reaches KDCs by a proxy alone: name one as https://host/KdcProxy, or pass connect',
    )
  return requestBySocket({ hostname: server.host, port: server.port, message, signal }, connect)
}
