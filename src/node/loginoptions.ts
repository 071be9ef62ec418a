/** What a login is told, and what that means under krb5.conf. @module */
import type { Identity } from '../cms/identity.ts'
import type { AsRequest } from '../krb5/exchanges/asrequest.ts'
import type { Armor } from '../krb5/exchanges/fast.ts'
import type { HostAddress } from '../krb5/messages/basics.ts'
import { nameTypes } from '../krb5/messages/codes.ts'
import { type Principal, parsePrincipal } from '../krb5/names.ts'
import type { KrbConfig } from '../store/options.ts'
import { hostAddress, ownAddresses } from './addresses.ts'

/** Gives what the user would be asked for; `text` is the question. */
export type Answer = (text: string) => string | Promise<string>

/** What answers for the user; whoever is left out is asked where the machine asks users. */
export interface Answers {
  /** Gives a new password where the present one has expired, for `why`; without it, only a password that is asked for is renewed. */
  readonly newPassword?: ((why: string) => string | Promise<string>) | undefined
  /** Gives the value that a token shows (RFC 6560). */
  readonly otp?: Answer | undefined
  /** Gives the PIN of a token (RFC 6560). */
  readonly pin?: Answer | undefined
  /** Gives what the key of a certificate is locked with. */
  readonly certificatePin?: Answer | undefined
}

/** Armor that belongs to nobody: a ticket that is got by anonymous PKINIT first. */
export interface AnonymousArmor extends Omit<Armor, 'ticket' | 'clockOffset'> {
  readonly anonymous: true
}

/** What to log in with: a password, a keytab, a certificate, or nothing to be asked for the password. */
export interface LoginOptions extends Answers, Pick<AsRequest, 'options' | 'preauth' | 'pac' | 'startTime'> {
  /** Or what gives it when it is first needed. */
  readonly password?: string | (() => string | Promise<string>) | undefined
  /** The name of a keytab (`FILE:path` or a path), or its octets. */
  readonly keytab?: string | Uint8Array | undefined
  /**
   * A certificate and its key (PKINIT), as `FILE:cert.pem,key.pem` or `PKCS12:file`, or whatever signs; krb5.conf's
   * pkinit_identities unless said, where neither password nor keytab is. A password beside it is the second way.
   */
  readonly certificate?: string | Identity | undefined
  /** The authorities to believe KDCs by, as `FILE:ca.pem` or `DIR:folder`; krb5.conf's pkinit_anchors unless said. */
  readonly anchors?: readonly string[] | undefined
  /** Whether to log in as nobody in particular (RFC 8062): the name is empty then, or `@REALM`. */
  readonly anonymous?: boolean | undefined
  /** Seconds; krb5.conf's ticket_lifetime unless said. */
  readonly lifetime?: number | undefined
  /** Seconds; krb5.conf's renew_lifetime unless said, 0 for not renewable. */
  readonly renewLifetime?: number | undefined
  readonly forwardable?: boolean | undefined
  readonly proxiable?: boolean | undefined
  /** Whether the KDC may answer with another name, or refer to another realm (RFC 6806). */
  readonly canonicalize?: boolean | undefined
  /** Whether the name is one like `carol@corp.example`, whose realm the KDC finds (RFC 6806 §5). */
  readonly enterprise?: boolean | undefined
  /** Addresses that the ticket is to be good from: some, `own` ones, or `none`; as krb5.conf has it unless said. */
  readonly addresses?: readonly HostAddress[] | 'own' | 'none' | undefined
  /**
   * What to go through FAST with (RFC 6113): the name of a ccache with a ticket for the client's realm, the ticket, or one
   * that is got anonymously for it.
   */
  readonly armor?: string | Armor | AnonymousArmor | undefined
  /** Another service than the ticket-granting one. */
  readonly service?: string | undefined
}

/** The type that a name is read with. */
export const nameTypeOf = ({ enterprise = false }: Pick<LoginOptions, 'enterprise'>): number | undefined =>
  enterprise ? nameTypes.enterprise : undefined

/** What the KDC is asked for, the secret aside. Throws TypeError for a service that is no name. */
export function requestOf(
  client: Principal,
  options: LoginOptions,
  config: KrbConfig,
): Omit<AsRequest, 'secret' | 'armor' | 'preauth'> {
  const { lifetime = config.ticketLifetime, renewLifetime = config.renewLifetime, service } = options
  const { pac, startTime } = options
  const { forwardable, proxiable, canonicalize } = { ...config, ...defined(options) }
  return {
    client,
    service: service === undefined ? undefined : parsePrincipal(service, { realm: client.realm }),
    followClock: config.followClock,
    options: [
      ...config.kdcDefaultOptions,
      ...(options.options ?? []),
      ...(forwardable ? (['forwardable'] as const) : []),
      ...(proxiable ? (['proxiable'] as const) : []),
      ...(canonicalize || options.enterprise ? (['canonicalize'] as const) : []),
    ],
    ...{ lifetime, renewLifetime, pac, startTime },
    addresses: addressesOf(options, config),
  }
}

/** The options that say something. */
function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}

function addressesOf({ addresses }: LoginOptions, { noAddresses, extraAddresses }: KrbConfig) {
  const wanted = addresses ?? (noAddresses ? 'none' : 'own')
  if (wanted === 'none') return undefined
  return wanted === 'own' ? [...ownAddresses(), ...extraAddresses.map(hostAddress)] : wanted
}
