/** A query for URI records, which Node has none for. @module */
import { isIPv6 } from 'node:net'
import { decode, encode, type Packet, RECURSION_DESIRED, type RecordType } from 'dns-packet'
import type { UriRecord } from '../store/dnsrecords.ts'
import { Deadline } from './deadline.ts'
import { random } from './random.ts'
import { requestByTcp } from './tcp.ts'
import { requestByUdp } from './udp.ts'

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

/** How long to wait, in milliseconds. */
interface Patience {
  readonly timeout: number
  /** Before a silent resolver is asked once more. */
  readonly retransmit: number
}

/**
 * The URI records of `name`, which each resolver (`address` or `address:port`) is asked for in turn, by TCP where a datagram
 * does not hold them. Rejects with what the last one failed with: ETIMEOUT after `timeout` milliseconds, TransportError, or
 * that its answer cannot be taken.
 */
export async function resolveUri(
  name: string,
  servers: readonly string[],
  { timeout, retransmit }: Patience,
): Promise<readonly UriRecord[]> {
  using limit = new Deadline(timeout)
  let failure: unknown
  for (const server of servers) {
    try {
      return await askResolver(name, placeOf(server), limit.signal, { timeout: timeout / servers.length, retransmit })
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
  { timeout, retransmit }: Patience,
): Promise<readonly UriRecord[]> {
  using limit = new Deadline(timeout, source)
  const { signal } = limit
  const [high = 0, low = 0] = random(2)
  const id = (high << 8) | low
  const message = encode({
    ...{ type: 'query', id, flags: RECURSION_DESIRED },
    questions: [{ type: URI as RecordType, name }],
    additionals: [edns],
  })
  const isAnswer = (octets: Uint8Array) => answerTo(id, name, octets) !== undefined
  const datagram = await requestByUdp({ ...place, message, signal, retransmit, isAnswer })
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
