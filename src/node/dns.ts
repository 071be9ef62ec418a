/** What the DNS says of where servers are: the system's resolvers, asked without its search list. @module */
import { getServers } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { decode, encode, type Packet, RECURSION_DESIRED, type RecordType } from 'dns-packet'
import type { World } from '../effects/index.ts'
import type { UriRecord } from '../store/dnsrecords.ts'
import type { DnsQuestions } from '../store/locate.ts'
import { Deadline } from './deadline.ts'
import { random } from './random.ts'
import { requestByTcp } from './tcp.ts'
import { requestByUdp } from './udp.ts'

/** How the DNS is asked. */
export interface DnsOptions {
  /** `address` or `address:port` of the resolvers; the system's unless said. */
  readonly servers?: readonly string[] | undefined
  /** Milliseconds for one name. */
  readonly timeout: number
  /** Told of names that could not be looked up; a name without records is no failure. */
  readonly onFailure: (name: string, reason: string) => void
}

/** Milliseconds before a silent resolver is asked once more. */
const RETRANSMIT = 1_000
/** Octets of an answer that a datagram may bring (EDNS, RFC 6891); the DNS community's advice against fragments. */
const MAX_DATAGRAM = 1_232
/** RFC 6891 §6.1.2 */
const edns = {
  ...{ type: 'OPT' as const, name: '.', udpPayloadSize: MAX_DATAGRAM, options: [] },
  ...{ flags: 0, extendedRcode: 0, ednsVersion: 0, flag_do: false },
}
/** RFC 7553. dns-packet has no name for it. */
const URI: string = 'UNKNOWN_256'
const DNS_PORT = 53

/** Answers by the system's resolvers. A name that cannot be looked up in time has no records. */
export function dnsWorld({ servers, timeout, onFailure }: DnsOptions): World<DnsQuestions> {
  const resolver = new Resolver({ timeout: RETRANSMIT, tries: Math.max(1, Math.floor(timeout / RETRANSMIT / 2)) })
  if (servers) resolver.setServers(servers)
  const looked = async <T>(name: string, look: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await look()
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      if (!absent.includes(code)) onFailure(name, reasons[code] ?? message)
      return []
    }
  }
  return {
    srv: ({ name }) =>
      looked(`SRV ${name}`, async () =>
        (await resolver.resolveSrv(name)).map(({ name: target, ...record }) => ({ target: target || '.', ...record })),
      ),
    txt: ({ name }) => looked(`TXT ${name}`, async () => (await resolver.resolveTxt(name)).map((t) => t.join(''))),
    uri: ({ name }) => looked(`URI ${name}`, () => resolveUri(name, servers ?? getServers(), timeout)),
  }
}

const absent: readonly string[] = ['ENOTFOUND', 'ENODATA']
const reasons: Readonly<Record<string, string>> = {
  ETIMEOUT: 'the resolver did not answer',
  ECONNREFUSED: 'no resolver answers',
  ESERVFAIL: 'the resolver failed',
  EREFUSED: 'the resolver refused',
}

/** Node has no query for URI records: asks each resolver in turn, by TCP where a datagram does not hold the answer. */
async function resolveUri(name: string, servers: readonly string[], timeout: number): Promise<readonly UriRecord[]> {
  using limit = new Deadline(timeout)
  let failure: unknown
  for (const server of servers) {
    try {
      return await askResolver(name, placeOf(server), limit.signal, timeout / servers.length)
    } catch (error) {
      failure = error
    }
  }
  if (failure === undefined) return []
  const late = failure instanceof DOMException && failure.name === 'TimeoutError'
  throw late ? Object.assign(new DnsError('the resolver did not answer'), { code: 'ETIMEOUT' }) : failure
}

/** An answer of a resolver that cannot be taken. */
class DnsError extends Error {
  override readonly name = 'DnsError'
}

async function askResolver(
  name: string,
  place: { readonly address: string; readonly port: number },
  source: AbortSignal,
  timeout: number,
): Promise<readonly UriRecord[]> {
  using patience = new Deadline(timeout, source)
  const { signal } = patience
  const [high = 0, low = 0] = random(2)
  const id = (high << 8) | low
  const message = encode({
    ...{ type: 'query', id, flags: RECURSION_DESIRED },
    questions: [{ type: URI as RecordType, name }],
    additionals: [edns],
  })
  const isAnswer = (octets: Uint8Array) => answerTo(id, name, octets) !== undefined
  const datagram = await requestByUdp({ ...place, message, signal, retransmit: RETRANSMIT, isAnswer })
  const answer = answerTo(id, name, datagram)
  if (!answer?.flag_tc) return recordsIn(answer)
  return recordsIn(answerTo(id, name, await requestByTcp({ ...place, message, signal, lengthSize: 2 })))
}

type Answer = ReturnType<typeof decode>

/** The answer to the very question; undefined for octets that are none. */
function answerTo(id: number, name: string, octets: Uint8Array): Answer | undefined {
  try {
    const answer = decode(Buffer.from(octets))
    const [question] = answer.questions ?? []
    const same = question?.name.toLowerCase() === name.toLowerCase() && `${question.type}` === URI
    return answer.type === 'response' && answer.id === id && same ? answer : undefined
  } catch {
    return undefined // dns-packet throws whatever comes up
  }
}

function recordsIn(answer: (Answer & Pick<Packet, 'answers'>) | undefined): readonly UriRecord[] {
  const rcode = answer ? (answer.flags ?? 0) & 0xf : SERVFAIL
  if (rcode !== 0 && rcode !== NXDOMAIN) throw new DnsError(`the resolver answered with code ${rcode}`)
  return (answer?.answers ?? []).flatMap((record) => {
    if (`${record.type}` !== URI || !('data' in record) || !(record.data instanceof Uint8Array)) return []
    const { data } = record
    if (data.length < URI_HEADER) return []
    const view = new DataView(data.buffer, data.byteOffset, data.length)
    const target = Buffer.from(data.subarray(URI_HEADER)).toString('latin1')
    return [{ priority: view.getUint16(0), weight: view.getUint16(2), target }]
  })
}

/** RFC 1035 §4.1.1 */
const SERVFAIL = 2
const NXDOMAIN = 3
/** Octets of priority and weight (RFC 7553 §4.5). */
const URI_HEADER = 4

/** `address`, `v4:port` or `[v6]:port`, as dns.getServers has them. */
function placeOf(server: string): { readonly address: string; readonly port: number } {
  if (isIPv6(server)) return { address: server, port: DNS_PORT }
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(server) ?? []
  return { address: bracketed ?? plain, port: port === undefined ? DNS_PORT : Number(port) }
}
