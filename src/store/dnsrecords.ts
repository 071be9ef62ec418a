/** DNS records as an ordered list of servers: RFC 2782, RFC 7553 and the URI records of MIT krb5. @module */
import type { Random } from '../crypto/random.ts'
import { type KdcAddress, parseKdcAddress } from './servers.ts'

/** RFC 2782 */
export interface SrvRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  /** `.` where the service is decidedly not offered. */
  readonly target: string
}

/** RFC 7553 §4 */
export interface UriRecord {
  readonly priority: number
  readonly weight: number
  readonly target: string
}

/** Servers that one realm may have; records beyond are let be. */
const MAX_SERVERS = 64

/** Records in the order to try them: by priority, and by chance as their weights have it within one (RFC 2782). */
export function inOrder<T extends Pick<SrvRecord, 'priority' | 'weight'>>(
  records: readonly T[],
  random: Random,
): readonly T[] {
  const left = [...records].sort((a, b) => a.priority - b.priority || Number(a.weight > 0) - Number(b.weight > 0))
  const ordered: T[] = []
  while (left.length > 0 && ordered.length < MAX_SERVERS) {
    const peers = left.filter(({ priority }) => priority === left[0]!.priority)
    const chosen = Math.floor(chance(random) * (peers.reduce((sum, { weight }) => sum + weight, 0) + 1))
    let sum = 0
    const at = peers.findIndex(({ weight }) => (sum += weight) >= chosen)
    ordered.push(...left.splice(at, 1))
  }
  return ordered
}

/** Whether the only record says that there is no such service (RFC 2782, a target of `.`). */
export const isRefusal = (records: readonly Pick<SrvRecord, 'target'>[]): boolean =>
  records.length === 1 && (records[0]!.target === '.' || records[0]!.target === '')

/** The servers that SRV records name, to be asked by the one transport that the records are of. */
export const serversOfSrv = (
  records: readonly SrvRecord[],
  transport: 'udp' | 'tcp',
  random: Random,
): readonly KdcAddress[] =>
  inOrder(records, random).flatMap(({ target, port }) => {
    const host = target.replace(/\.$/, '')
    return host === '' || port === 0 ? [] : [{ host, port, transport }]
  })

/** Servers of both transports as one list: a server of both is asked by both. */
export function merged(udp: readonly KdcAddress[], tcp: readonly KdcAddress[]): readonly KdcAddress[] {
  const same = (a: KdcAddress, b: KdcAddress) => a.host.toLowerCase() === b.host.toLowerCase() && a.port === b.port
  const both = udp.map((server) => (tcp.some((other) => same(server, other)) ? plain(server) : server))
  return [...both, ...tcp.filter((server) => !udp.some((other) => same(server, other)))]
}

/** A server that a URI record names. */
export interface UriServer {
  readonly server: KdcAddress
  /** Marked `m`: it knows of a changed password at once. */
  readonly primary: boolean
}

/**
 * The servers that URI records name: `krb5srv:FLAGS:udp:host:port`, `krb5srv:FLAGS:tcp:host:port`,
 * `krb5srv:FLAGS:kkdcp:https://host/path` (MIT krb5, "Hostnames for KDCs"). Others are let be, as are unknown flags.
 */
export const serversOfUri = (
  records: readonly UriRecord[],
  defaultPort: number,
  random: Random,
): readonly UriServer[] =>
  inOrder(records, random).flatMap(({ target }) => {
    const [, flags = '', transport = '', residual = ''] = /^krb5srv:([^:]*):([^:]*):(.*)$/i.exec(target) ?? []
    const server = serverOf(transport.toLowerCase(), residual, defaultPort)
    return server ? [{ server, primary: /m/i.test(flags) }] : []
  })

function serverOf(transport: string, residual: string, defaultPort: number): KdcAddress | undefined {
  try {
    const server = parseKdcAddress(residual.replace(/\.(?=$|:\d+$)/, ''), defaultPort)
    if (transport === 'kkdcp') return server.transport === 'https' ? server : undefined
    if (transport !== 'udp' && transport !== 'tcp') return undefined
    return server.transport === undefined ? { ...server, transport } : undefined
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

const plain = ({ host, port }: KdcAddress): KdcAddress => ({ host, port })

/** A number from 0 up to, but not, 1. */
function chance(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(4)
  return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32
}
