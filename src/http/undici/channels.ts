import { type ChannelBindings, GssError, tlsServerEndPoint } from '../../gss/index.ts'

/** How undici learns of a connection. */
type ConnectCallback<Socket> = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void

/** As much of undici's connector as is needed: `buildConnector` makes them. */
export type Connector<Options, Socket> = (options: Options, callback: ConnectCallback<Socket>) => void

/** Where a connector connects to. */
interface Endpoint {
  readonly protocol: string
  readonly hostname: string
  readonly host?: string | undefined
}

/** As much of node:tls's TLSSocket as is needed. */
interface CertifiedSocket {
  getPeerCertificate?(): { readonly raw?: Uint8Array }
}

/** The certificates of the TLS connections that one dispatcher made. */
export interface TlsChannels {
  /** `connect`, whose certificates are noticed: for `new Agent({ connect })`, or in the `factory` of a ProxyAgent. */
  connector<Options extends Endpoint, Socket extends object>(
    connect: Connector<Options, Socket>,
  ): Connector<Options, Socket>
  /**
   * The tls-server-end-point bindings (RFC 5929 §4) of the newest connection to the URL's origin: undefined for http and
   * for certificates that have none. Throws GssError GSS_S_UNAVAILABLE before there is a connection.
   */
  readonly bindings: (url: URL) => ChannelBindings | undefined
}

/** Origins whose certificate is remembered; the one that was connected to longest ago makes room for the next. */
export const ORIGINS_MAX = 1024

/**
 * Remembers the certificate of each connection, so that tokens are bound to the channel they go through. Where the servers
 * behind one origin have different certificates, allow the dispatcher one connection an origin (`connections: 1`).
 */
export function tlsChannels(): TlsChannels {
  const certificates = new Map<string, Uint8Array>()
  const remember = (origin: string, certificate: Uint8Array) => {
    certificates.delete(origin)
    for (const oldest of certificates.keys()) {
      if (certificates.size < ORIGINS_MAX) break
      certificates.delete(oldest)
    }
    certificates.set(origin, certificate)
  }
  return {
    connector: (connect) => (options, callback) =>
      connect(options, (...result) => {
        const socket: CertifiedSocket | null = result[1]
        const certificate = socket?.getPeerCertificate?.().raw
        if (certificate) remember(originOf(options), certificate)
        callback(...result)
      }),
    bindings({ protocol, origin }) {
      if (protocol !== 'https:') return undefined
      const certificate = certificates.get(origin)
      if (!certificate)
        throw new GssError(
          'GSS_S_UNAVAILABLE',
          `no connection to ${origin} was made by this connector, so there is no certificate to bind a token to`,
        )
      return tlsServerEndPoint(certificate)
    },
  }
}

const originOf = ({ protocol, host, hostname }: Endpoint): string => new URL(`${protocol}//${host ?? hostname}`).origin
