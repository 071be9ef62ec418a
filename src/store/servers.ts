/** How krb5.conf writes where the servers of a realm listen. @module */
import { type Notation, quote } from './values.ts'

/** Where a server of a realm listens. */
export interface KdcAddress {
  readonly host: string
  readonly port: number
  /** The only transport to use, `https` for a proxy (MS-KKDCP); undefined for UDP and TCP. */
  readonly transport?: 'udp' | 'tcp' | 'https' | undefined
  /** What a proxy is asked for: `/KdcProxy`. */
  readonly path?: string | undefined
}

/** Ports of servers that name none: RFC 4120 §7.2.1, RFC 3244 §2, IANA, RFC 9110 §4.2.2. */
export const ports = { kdc: 88, kpasswd: 464, kadmin: 749, https: 443 } as const

/** `udp/` or `tcp/`, then a v6 address in brackets or bare, or a name or v4 address; then a port. */
const SERVER =
  /^(?:(udp|tcp)\/)?(?:(?:\[([\da-f:.]+(?:%\w+)?)\]|([^:/[\]\s]+))(?::(\d{1,5}))?|([\da-f]{0,4}(?::[\da-f]{0,4}){2,7}))$/i
const PROXY = /^https:\/\/([^/?#@\s]+)(\/[^\s?#]*)?$/i

/**
 * `host`, `host:port`, `[v6]:port`, with `udp/` or `tcp/` in front, or the `https://` URL of a proxy; without a port it
 * is `defaultPort`. Throws TypeError.
 */
export function parseKdcAddress(text: string, defaultPort: number = ports.kdc): KdcAddress {
  const [, authority, path = '/'] = PROXY.exec(text.trim()) ?? []
  if (authority !== undefined && !/^(?:udp|tcp)\//i.test(authority)) {
    const { host, port } = parseKdcAddress(authority, ports.https)
    return { host, port, transport: 'https', path }
  }
  const [, transport, bracketed, name, digits, bare] = SERVER.exec(text.trim()) ?? []
  const host = bracketed ?? name ?? bare
  const port = digits === undefined ? defaultPort : Number(digits)
  if (!host || port < 1 || port > 65_535)
    throw new TypeError(`${quote(text)} is not a server; write host, host:port, [v6 address]:port or https://host/path`)
  return { host, port, ...(transport ? { transport: transport.toLowerCase() as 'udp' | 'tcp' } : {}) }
}

/** The inverse of {@link parseKdcAddress}; the port is always written. */
export function formatKdcAddress({ host, port, transport, path = '/' }: KdcAddress): string {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (transport === 'https') return `https://${place}${path}`
  return `${transport ? `${transport}/` : ''}${place}`
}

/** A server that listens on `port` unless it says another. */
export const server = (port: number): Notation<KdcAddress> => ({
  parse: (text) => parseKdcAddress(text, port),
  format: formatKdcAddress,
})
