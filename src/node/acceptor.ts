/** What web servers on this machine accept with: its keytab, its names of users, its certificate, its KDCs for passwords. @module */
import { tlsServerEndPoint } from '../gss/channelbindings.ts'
import type { Credentials } from '../gss/credentials.ts'
import { initiatorAttributes, ticketAttributes } from '../gss/krb5/attributes.ts'
import { iakerbMechanism } from '../gss/krb5/iakerb.ts'
import { krb5Mechanism } from '../gss/krb5/mechanism.ts'
import { nameOf } from '../gss/krb5/names.ts'
import { type BoundMechanism, bind, type ChannelBindings } from '../gss/mechanism.ts'
import { Name } from '../gss/name.ts'
import { mechanismOids } from '../gss/oids.ts'
import type { BasicOptions, CheckedPassword } from '../http/basic.ts'
import type { NegotiateRequest } from '../http/peer.ts'
import {
  createNegotiateAcceptor as contractAcceptor,
  type NegotiateAcceptor,
  type NegotiateAcceptorOptions,
} from '../http/server.ts'
import { KrbError } from '../krb5/errors.ts'
import { spnego } from '../spnego/mechanism.ts'
import type { CredentialStore } from './acquire.ts'
import { defaultKerberos, localName } from './gss.ts'
import { HeldCredentials } from './heldcredentials.ts'
import type { Kerberos } from './kerberos.ts'
import type { CheckOptions } from './logins.ts'
import { random } from './random.ts'

/** What a web server accepts with; all that is left out is the environment's, as C programs have it. */
export interface NodeAcceptorOptions
  extends Partial<Omit<NegotiateAcceptorOptions, 'basic' | 'localName' | 'channelBindings'>> {
  /** Whose configuration, clock and KDCs. */
  readonly kerberos?: Kerberos | undefined
  /** Where keys come from, and tickets where the server is to act on (mod_auth_gssapi's GssapiCredStore). */
  readonly store?: CredentialStore | undefined
  /** As whom to accept, as `HTTP@www.example.com`, or how to tell that from the request; whatever there is a key of unless said. */
  readonly acceptorName?: string | ((request: NegotiateRequest) => string) | undefined
  /** What SPNEGO may choose; krb5 alone unless said. With `iakerb`, the server asks KDCs for clients who reach none. */
  readonly mechs?: readonly ('krb5' | 'iakerb')[] | undefined
  /** Whether to act on for users who hand over no tickets, as the KDC allows it; they are in the peer's `credentials` then. */
  readonly s4u2proxy?: boolean | undefined
  /** Who a name is on this machine: by krb5.conf's auth_to_local, or otherwise. */
  readonly localName?: true | NegotiateAcceptorOptions['localName']
  /** What tokens are bound to: `tls-server-end-point` for the certificate of each connection (RFC 5929). */
  readonly channelBindings?: 'tls-server-end-point' | NegotiateAcceptorOptions['channelBindings']
  /** Passwords for those who have no tickets: they are held against the KDC, and the KDC against the keytab. */
  readonly basic?: boolean | NodeBasicOptions | undefined
}

/** How passwords are taken. */
export interface NodeBasicOptions extends Partial<BasicOptions> {
  /** Seconds that the tickets of a password live, and its session with them; 300 unless said. */
  readonly lifetime?: number | undefined
}

/** Seconds that the tickets of a password live unless said, as with mod_auth_gssapi. */
const BASIC_LIFETIME = 300

/** A server's side of HTTP Negotiate, by default with the keys of the environment's keytab. Throws ConfigError and TypeError. */
export function createNegotiateAcceptor(options: NodeAcceptorOptions = {}): NegotiateAcceptor {
  const { kerberos = defaultKerberos(), store, acceptorName, mechs, s4u2proxy, ...rest } = options
  const { localName: local, channelBindings, basic, ...plain } = rest
  const now = () => Date.now() * 1000
  const iakerb = mechs?.includes('iakerb') ?? false
  return contractAcceptor({
    now,
    random,
    attributes: initiatorAttributes,
    mech: mechs ? mechanismOf(kerberos, mechs) : kerberos.spnego,
    credentials: heldBy(kerberos, { store, acceptorName, s4u2proxy, iakerb }),
    ...plain,
    localName: local === true ? (name) => localName(name, kerberos) : local,
    channelBindings: channelBindings === 'tls-server-end-point' ? endPointOf() : channelBindings,
    basic: basic
      ? { check: checkOf(kerberos, store, basic === true ? {} : basic), ...(basic !== true && basic) }
      : undefined,
  })
}

/** SPNEGO over these. Names of acceptors come as principals, so no rules for them are needed. */
function mechanismOf(kerberos: Kerberos, names: readonly ('krb5' | 'iakerb')[]): BoundMechanism {
  const { env, config, world } = kerberos
  const made = {
    krb5: () => krb5Mechanism(env),
    iakerb: () => iakerbMechanism(env, undefined, { realms: [...config.realms.keys()] }),
  }
  return bind(spnego(names.map((name) => made[name]())), world)
}

interface Held extends Pick<NodeAcceptorOptions, 'store' | 'acceptorName' | 's4u2proxy'> {
  readonly iakerb: boolean
}

function heldBy(kerberos: Kerberos, { store = {}, acceptorName, s4u2proxy, iakerb }: Held) {
  const held = new HeldCredentials(async (text) => {
    const name = text === '' ? undefined : Name.hostbased(text)
    const found = await kerberos.acquire({ usage: s4u2proxy ? 'both' : 'accept', name, store })
    return iakerb ? alsoForIakerb(found) : found
  })
  return (request: NegotiateRequest): Promise<Credentials> =>
    held.of(typeof acceptorName === 'function' ? acceptorName(request) : (acceptorName ?? ''))
}

/** Accepting by IAKERB takes krb5's keys; SPNEGO only wants to see that it is meant. */
function alsoForIakerb(credentials: Credentials): Credentials {
  const { name, endtime } = credentials
  credentials.add({ mechanism: mechanismOids.iakerb, usage: 'accept', name, endtime, [Symbol.dispose]() {} })
  return credentials
}

/** As much of a TLS connection's server side as is needed. */
interface TlsConnection {
  getCertificate(): { readonly raw?: Uint8Array } | null
}

/** The bindings of each connection to its certificate; none where there is no TLS, or a certificate that has none. */
function endPointOf() {
  const known = new WeakMap<object, ChannelBindings>()
  return (connection: object | undefined): ChannelBindings | undefined => {
    if (!connection || !('getCertificate' in connection)) return undefined
    const raw = known.has(connection) ? undefined : (connection as TlsConnection).getCertificate()?.raw
    const bindings = raw && tlsServerEndPoint(Uint8Array.from(raw))
    if (bindings) known.set(connection, bindings)
    return known.get(connection)
  }
}

/** Holds a password against the KDC, and the KDC against the keytab. Nobody is asked for anything on the server's terminal. */
function checkOf(
  kerberos: Kerberos,
  { keytab }: CredentialStore = {},
  { lifetime = BASIC_LIFETIME }: NodeBasicOptions,
): BasicOptions['check'] {
  const more = () => {
    throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'the KDC wants more than a password')
  }
  return async (user, password): Promise<CheckedPassword> => {
    if (!isName(kerberos, user)) throw new KrbError('KDC_ERR_C_PRINCIPAL_UNKNOWN', `no name of a user: ${user}`)
    let attributes: CheckedPassword['attributes']
    const onAccepted: CheckOptions['onAccepted'] = ({ ticket: part, serverKey }) => {
      attributes = ticketAttributes({ part, serverKey })
    }
    const login = await kerberos.checkPassword(user, password, { keytab, lifetime, onAccepted, otp: more, pin: more })
    const { principal, ticket, credentials } = login
    return { initiator: nameOf(principal), endtime: ticket.endtime, credentials, attributes }
  }
}

function isName(kerberos: Kerberos, user: string): boolean {
  try {
    return kerberos.principal(user).components.length > 0
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}
