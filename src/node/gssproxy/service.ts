/** A service of the GSS-Proxy daemon, over this machine's Kerberos. @module */
import { Credentials, type Usage } from '../../gss/credentials.ts'
import { GssError } from '../../gss/error.ts'
import type { GssFlag } from '../../gss/flags.ts'
import { Krb5Credential } from '../../gss/krb5/credential.ts'
import { asGssError } from '../../gss/krb5/failure.ts'
import { nameOf } from '../../gss/krb5/names.ts'
import type { BoundMechanism, EstablishedContext } from '../../gss/mechanism.ts'
import type { Name } from '../../gss/name.ts'
import type { Acquired, ProxyService, UnixUser } from '../../gssproxy/service.ts'
import { errorCodes } from '../../krb5/errorcodes.ts'
import { KrbError } from '../../krb5/errors.ts'
import type { Acceptor } from '../../krb5/exchanges/accept.ts'
import { formatPrincipal, type Principal } from '../../krb5/names.ts'
import { StoreError } from '../../store/error.ts'
import { localName } from '../../store/localname.ts'
import { accountOf, groupsOf } from '../accounts.ts'
import type { Kerberos } from '../kerberos.ts'
import { LentElement, stampOf } from './lent.ts'
import { formatLucid } from './lucid.ts'
import { packCredentials, unpackCredentials } from './packed.ts'

/** What a service has. */
export interface ServiceOptions {
  readonly name: string
  readonly usage?: Usage | undefined
  /** Keys to accept with: the name of a keytab or its octets. */
  readonly keytab?: string | Uint8Array | undefined
  /** Keys to log in with. */
  readonly clientKeytab?: string | Uint8Array | undefined
  /** Where tickets are; in the daemon's memory unless said. */
  readonly ccache?: string | undefined
  /** Who the service is, unless its client says. */
  readonly principal?: string | undefined
  /** Seconds that credentials must have left; 15 unless said, as with gssproxy. */
  readonly minLifetime?: number | undefined
  readonly filterFlags?: readonly GssFlag[] | undefined
  readonly enforceFlags?: readonly GssFlag[] | undefined
  /** Whether clients may have credentials in the names of users who are not there (S4U2Self). */
  readonly protocolTransition?: boolean | undefined
  /** Whether clients may initiate with those (S4U2Proxy). */
  readonly constrainedDelegation?: boolean | undefined
  /** Whether clients may have the tickets that are bought with their handles, sealed into those. */
  readonly clientSync?: boolean | undefined
}

/** The first number of MIT's error table for Kerberos, as C programs have it. */
const KRB5_ERROR_BASE = -1765328384
/** Seconds, as with gssproxy. */
const MIN_LIFETIME = 15

/** Principals of one service whose keys are held at once. */
const MAX_ACCEPTORS = 64

/** Keys and tickets of one service. */
export class KerberosService implements ProxyService {
  readonly name: string
  readonly mechanism: BoundMechanism
  readonly usage: Usage
  readonly minLifetime: number
  readonly filterFlags: readonly GssFlag[]
  readonly enforceFlags: readonly GssFlag[]
  readonly protocolTransition: boolean
  readonly constrainedDelegation: boolean
  readonly clientSync: boolean
  readonly #kerberos: Kerberos
  readonly #options: ServiceOptions
  /** Keys that were read, by the principal that was asked for. */
  readonly #acceptors = new Map<string, { readonly stamp: string; readonly lent: LentElement; readonly name: Name }>()
  /** Logins that run, by principal: others who want the same wait for them. */
  readonly #logins = new Map<string, Promise<void>>()

  constructor(kerberos: Kerberos, options: ServiceOptions) {
    const { name, usage = 'both', minLifetime = MIN_LIFETIME } = options
    this.name = name
    this.mechanism = kerberos.krb5
    this.usage = usage
    this.minLifetime = minLifetime
    this.filterFlags = options.filterFlags ?? ['delegateToPeer']
    this.enforceFlags = options.enforceFlags ?? []
    this.protocolTransition = options.protocolTransition ?? false
    this.constrainedDelegation = options.constrainedDelegation ?? false
    this.clientSync = options.clientSync ?? false
    this.#kerberos = kerberos
    this.#options = options
  }

  acquire(usage: Usage, name: Name | undefined): Promise<Acquired> {
    return orNoCredentials(async () => {
      const { principal } = this.#options
      const whom = name ? this.#kerberos.principalOf(name) : principal ? this.#kerberos.principal(principal) : undefined
      if (usage === 'accept') return this.#acceptor(whom)
      const initiate = await this.#tickets(whom)
      const accept = usage === 'initiate' ? undefined : await this.#keys(whom)
      const credentials = Krb5Credential.credentials({ initiate, accept })
      return { credentials, name: nameOf(initiate.client) }
    })
  }

  async impersonate(user: Name, name: Name | undefined): Promise<Acquired> {
    const { credentials } = await this.acquire('initiate', name)
    using own = credentials
    return await orNoCredentials(async () => named(await this.#kerberos.impersonate(own, user)))
  }

  pack(credentials: Credentials): Uint8Array {
    return packCredentials(credentials)
  }

  unpack(octets: Uint8Array): Acquired {
    return named(unpackCredentials(octets, this.#kerberos.env.enctypes))
  }

  localName(name: Name): string | undefined {
    return localName(this.#kerberos.config, this.#kerberos.principalOf(name))
  }

  unixUser(name: Name): UnixUser | undefined {
    const user = this.localName(name)
    const account = user === undefined ? undefined : accountOf(user)
    return account && { uid: account.uid, gid: account.gid, groups: groupsOf(account) }
  }

  lucid(context: EstablishedContext): Uint8Array {
    return formatLucid(context)
  }

  minorOf(reason: string | undefined): number {
    const number = errorCodes[reason as keyof typeof errorCodes]?.number
    return number === undefined || number < 0 ? 0 : KRB5_ERROR_BASE + number
  }

  async #keys(whom: Principal | undefined): Promise<Acceptor> {
    return { keys: await this.#kerberos.keys(this.#options.keytab, whom), principal: whom }
  }

  /** Keys are read, and what is derived of them is kept, until the keytab changes. */
  async #acceptor(whom: Principal | undefined): Promise<Acquired> {
    const { keytab } = this.#options
    const stamp = stampOf(keytab instanceof Uint8Array ? keytab : this.#kerberos.keytabName(keytab))
    const who = whom ? formatPrincipal(whom) : ''
    const known = this.#acceptors.get(who)
    if (known && known.stamp === stamp) return { credentials: known.lent.lend(), name: known.name }
    const accept = await this.#keys(whom)
    const element = new Krb5Credential({ accept })
    const name = nameOf(accept.keys[0]!.principal)
    if (stamp === undefined) return { credentials: new Credentials([element]), name }
    const lent = new LentElement(element)
    const credentials = lent.lend()
    for (const [other, held] of this.#acceptors)
      if (other === who || held.stamp !== stamp || this.#acceptors.size >= MAX_ACCEPTORS) {
        held.lent.withdraw()
        this.#acceptors.delete(other)
      }
    this.#acceptors.set(who, { stamp, lent, name })
    return { credentials, name }
  }

  /** Tickets of the ccache; bought with the client keytab where those there are over. */
  async #tickets(whom: Principal | undefined) {
    const { clientKeytab, name } = this.#options
    if (clientKeytab === undefined) return this.#held(whom)
    const keys = await this.#kerberos.keys(clientKeytab, whom)
    const client = keys[0]!.principal
    for (const { key } of keys) key[Symbol.dispose]()
    const own = `MEMORY:${name} ${formatPrincipal(client)}`
    const ccache = this.#options.ccache ?? own
    // without a name: it would find the same client's tickets of another service, which are got as that one may
    const whose = ccache === own ? undefined : client
    try {
      return await this.#held(whose, ccache)
    } catch (error) {
      if (!(error instanceof KrbError || error instanceof GssError)) throw error
    }
    await this.#login(client, ccache)
    return this.#held(whose, ccache)
  }

  async #held(whom: Principal | undefined, ccache = this.#options.ccache) {
    const name = whom && nameOf(whom)
    const credentials: Credentials = await this.#kerberos.acquire({ usage: 'initiate', name, store: { ccache } })
    const element = credentials.element(this.mechanism.oid) as Krb5Credential
    const left = (element.endtime ?? 0) - this.#kerberos.env.now() / 1e6
    if (left < this.minLifetime) {
      credentials[Symbol.dispose]()
      throw new GssError('GSS_S_CREDENTIALS_EXPIRED', `the tickets of ${formatPrincipal(element.client!)} are over`)
    }
    const { client, tickets, clockOffset, cache } = element
    return { client: client!, tickets, clockOffset, cache }
  }

  /** Tickets are asked to be good for others where clients may hand them over or act by them; krb5.conf says, otherwise. */
  get #forwardable() {
    return !this.filterFlags.includes('delegateToPeer') || this.constrainedDelegation ? { forwardable: true } : {}
  }

  #login(client: Principal, ccache: string): Promise<void> {
    const who = formatPrincipal(client)
    const running = this.#logins.get(who)
    if (running) return running
    const login = async () => {
      try {
        using login = await this.#kerberos.login(who, { keytab: this.#options.clientKeytab, ...this.#forwardable })
        await login.save(ccache)
      } finally {
        this.#logins.delete(who)
      }
    }
    const started = login()
    this.#logins.set(who, started)
    return started
  }
}

/** Whatever keeps credentials from being had is told as their want (RFC 2743 §2.1.1), with its own reason. */
async function orNoCredentials(acquire: () => Promise<Acquired>): Promise<Acquired> {
  try {
    return await acquire()
  } catch (error) {
    if (error instanceof StoreError) throw new GssError('GSS_S_NO_CRED', error.message, { cause: error })
    const gss = asGssError(error)
    throw gss instanceof GssError && gss.major === 'GSS_S_FAILURE'
      ? new GssError('GSS_S_NO_CRED', (error as Error).message, {
          cause: error,
          ...(gss.minor ? { minor: gss.minor } : {}),
        })
      : gss
  }
}

const named = (credentials: Credentials): Acquired => ({ credentials, name: credentials.name! })
