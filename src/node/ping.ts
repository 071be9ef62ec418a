/** What every KDC of a realm says to a stranger, by every transport and address. @module */
import { lookup } from 'node:dns/promises'
import { isIP, isIPv6 } from 'node:net'
import { decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { type Env, randomNumber, seconds } from '../krb5/env.ts'
import { errorCodeOf } from '../krb5/errorcodes.ts'
import { TransportError } from '../krb5/errors.ts'
import { MethodData } from '../krb5/messages/basics.ts'
import { paTypes } from '../krb5/messages/codes.ts'
import { KrbErrorMessage } from '../krb5/messages/error.ts'
import { AsAnswer, AsReq, KdcReqBody } from '../krb5/messages/kdc.ts'
import { EtypeInfo2 } from '../krb5/messages/preauth.ts'
import { type Principal, principalNameOf, ticketGrantingService } from '../krb5/names.ts'
import type { KrbConfig } from '../store/options.ts'
import { formatKdcAddress, type KdcAddress } from '../store/servers.ts'
import { type DnsAccess, serverLocator } from './locator.ts'
import { kdcTransport } from './transport.ts'

/** What came back by one way. */
export interface Ping {
  readonly kdc: string
  /** The address that the name stands for; empty for proxies. */
  readonly address: string
  readonly transport: 'udp' | 'tcp' | 'https'
  readonly milliseconds: number
  /** Code of the KDC's answer, or `AS-REP`; undefined when there was none. */
  readonly answer: string | undefined
  /** Why there was none. */
  readonly failure: string | undefined
  /** The KDC's clock less ours, in whole seconds; undefined when it did not tell. */
  readonly clockOffset: number | undefined
  /** Enctypes of the client's keys, best first. */
  readonly enctypes: readonly string[]
  /** Ways to pre-authenticate that the KDC offers. */
  readonly preauth: readonly string[]
}

/** Whom to ask, for whom, and how. */
export interface PingOptions extends DnsAccess {
  readonly config: KrbConfig
  readonly env: Env
  readonly client: Principal
  /** Milliseconds for one try. */
  readonly attemptTimeout: number
  /** Told of each result as it comes. */
  readonly onResult?: ((ping: Ping, done: number, of: number) => void) | undefined
}

/** Asks every KDC of the client's realm for a ticket without pre-authentication. Throws TransportError when none is known. */
export async function pingRealm(options: PingOptions): Promise<readonly Ping[]> {
  const { config, client, onResult } = options
  const locate = serverLocator({ ...options, clock: () => performance.now() })
  const { servers, failures } = await locate(client.realm, 'kdc')
  if (servers.length === 0) throw new TransportError(client.realm, failures, 'no KDC is known')
  const ways = (await Promise.all(servers.map(waysTo))).flat()
  const anchors = config.realms.get(client.realm)?.httpAnchors ?? []
  const pings: Ping[] = []
  for (const way of ways) {
    const ping = await pingBy(way, anchors, options)
    pings.push(ping)
    onResult?.(ping, pings.length, ways.length)
  }
  return pings
}

/** One address of one KDC by one transport. */
interface Way {
  readonly kdc: string
  readonly server: KdcAddress
  readonly transport: Ping['transport']
}

async function waysTo(server: KdcAddress): Promise<readonly Way[]> {
  const { host, port, transport: only } = server
  const kdc = formatKdcAddress(server)
  if (only === 'https') return [{ kdc, server, transport: 'https' }]
  const found = isIP(host) ? [{ address: host }] : await lookup(host, { all: true }).catch(() => [{ address: host }])
  return (['udp', 'tcp'] as const)
    .filter((transport) => only === undefined || only === transport)
    .flatMap((transport) =>
      found.map(({ address }) => ({ kdc, transport, server: { host: address, port, transport } })),
    )
}

async function pingBy(
  { kdc, server, transport }: Way,
  httpAnchors: readonly string[],
  { config, env, client, attemptTimeout }: PingOptions,
): Promise<Ping> {
  const realm = config.realms.get(client.realm)
  const only = { ...config, realms: new Map([[client.realm, { ...realm!, kdcs: [server], httpAnchors }]]) }
  const send = kdcTransport({ config: { ...only, dnsLookupKdc: false }, attemptTimeout, deadline: attemptTimeout })
  const start = performance.now()
  const base = { kdc, transport, address: transport === 'https' ? '' : server.host }
  const nothing = { answer: undefined, failure: undefined, clockOffset: undefined, enctypes: [], preauth: [] }
  try {
    const { message } = await send({ realm: client.realm, message: requestFor(client, env) })
    return { ...base, milliseconds: performance.now() - start, ...nothing, ...readAnswer(message, env) }
  } catch (error) {
    if (!(error instanceof TransportError || error instanceof Asn1Error)) throw error
    const failure = error instanceof TransportError ? (error.attempts[0]?.reason ?? error.message) : error.message
    return { ...base, milliseconds: performance.now() - start, ...nothing, failure }
  }
}

/** An AS-REQ without pre-authentication (RFC 4120 §3.1.1), for a minute's ticket. */
function requestFor(client: Principal, env: Env): Uint8Array {
  const body: KdcReqBody = {
    kdcOptions: new Set(),
    cname: principalNameOf(client),
    realm: client.realm,
    sname: principalNameOf(ticketGrantingService(client.realm)),
    till: seconds(env.now()) + 60,
    nonce: randomNumber(env),
    etype: env.enctypes.map(({ id }) => id),
  }
  return encode(AsReq, { reqBody: { value: body, der: encode(KdcReqBody, body) } })
}

function readAnswer(message: Uint8Array, env: Env): Partial<Ping> {
  const answer = decode(AsAnswer, message)
  if (answer.kind === 'reply')
    return { answer: 'AS-REP', enctypes: [enctypeName(answer.value.encPart.etype)], preauth: ['none needed'] }
  const { errorCode, stime, eData } = decode(KrbErrorMessage, message)
  const code = errorCodeOf(errorCode)
  const offers = eData && code === 'KDC_ERR_PREAUTH_REQUIRED' ? decode(MethodData, eData) : []
  const info = offers.find(({ padataType }) => padataType === paTypes.etypeInfo2)
  return {
    answer: code,
    clockOffset: stime - seconds(env.now()),
    enctypes: info ? decode(EtypeInfo2, info.padataValue).map(({ etype }) => enctypeName(etype)) : [],
    preauth: offers.map(({ padataType }) => preauthName(padataType)),
  }
}

/** What people call a type of pre-authentication data, or its number. */
function preauthName(type: number): string {
  const [name] = Object.entries(paTypes).find(([, number]) => number === type) ?? []
  return name ? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) : `type ${type}`
}

/** `IPv4`, `IPv6`, or nothing for a name. */
export const familyOf = (address: string): string => (isIP(address) === 0 ? '' : isIPv6(address) ? 'IPv6' : 'IPv4')
