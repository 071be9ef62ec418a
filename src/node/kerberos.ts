import { run, type World } from '../effects/index.ts'
import type { Credentials } from '../gss/credentials.ts'
import { type IakerbOptions, iakerbMechanism } from '../gss/krb5/iakerb.ts'
import { impersonate } from '../gss/krb5/impersonate.ts'
import { krb5Mechanism } from '../gss/krb5/mechanism.ts'
import { type NameRules, principalFrom } from '../gss/krb5/names.ts'
import { type BoundMechanism, bind } from '../gss/mechanism.ts'
import type { Name } from '../gss/name.ts'
import type { ServiceKey } from '../krb5/credential.ts'
import type { Env } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { ticketAgain } from '../krb5/exchanges/tgs.ts'
import { formatPrincipal, type Principal, parsePrincipal } from '../krb5/names.ts'
import type { PasswordResult } from '../krb5/passwordresult.ts'
import type { KrbExchange, KrbQuestions } from '../krb5/questions.ts'
import { MemoryReplayCache } from '../krb5/replay.ts'
import { spnego } from '../spnego/mechanism.ts'
import { qualifiedHost, realmOfHost } from '../store/hostrealm.ts'
import { type Keytab, keysOf, parseKeytab } from '../store/keytab.ts'
import type { KrbConfig } from '../store/options.ts'
import { type AcquireOptions, acquire } from './acquire.ts'
import { CredentialCaches } from './caches/caches.ts'
import { anonymousClient } from './certificates.ts'
import {
  defaultCcacheName,
  defaultClientKeytabName,
  defaultKeytabName,
  type Environment,
  environment,
  loadConfig,
} from './environment.ts'
import { importCredentials } from './importedcredentials.ts'
import { type KeytabStore, Keytabs } from './keytabs.ts'
import { type DnsAccess, locateRealmOf } from './locator.ts'
import { Login, type LoginResult } from './login.ts'
import { type LoginOptions, nameTypeOf } from './loginoptions.ts'
import {
  type ChangeOptions,
  type CheckOptions,
  changeOwnPassword,
  logIn,
  setOtherPassword,
  ticketIn,
  verify,
} from './logins.ts'
import { defaultReplayCache } from './replay/named.ts'
import { type Stored, type StoreOptions, store } from './storedcredentials.ts'
import { nodeEnv, nodeWorld, traceTo, type WorldOptions } from './world.ts'

/** How to set Kerberos up; what is left out comes from the environment and krb5.conf, as C programs have it. */
export interface KerberosOptions extends Partial<Omit<WorldOptions, 'caches'>> {
  readonly environment?: Environment | undefined
  /** How IAKERB is spoken, and whose KDCs an acceptor of it asks. */
  readonly iakerb?: IakerbOptions | undefined
}

/** Kerberos on this machine: configuration, clock, sockets and files, and the mechanisms over them. Holds no tickets. */
export class Kerberos {
  readonly config: KrbConfig
  readonly environment: Environment
  readonly env: Env
  readonly world: World<KrbQuestions>
  readonly krb5: BoundMechanism
  readonly spnego: BoundMechanism
  /** Logins and tickets by way of the acceptor, for clients that reach no KDC. */
  readonly iakerb: BoundMechanism
  /** The credential caches that names reach; those in MEMORY are this object's alone. */
  readonly caches: CredentialCaches
  /** The keytabs that names reach; those in MEMORY are this object's alone. */
  readonly keytabs = new Keytabs()
  readonly #rules: NameRules
  readonly #dns: DnsAccess

  /** Reads krb5.conf unless `config` is given. Throws ConfigError. */
  constructor(options: KerberosOptions = {}) {
    this.environment = options.environment ?? environment()
    const { tracePath } = this.environment
    const trace = options.trace ?? (tracePath ? traceTo(tracePath) : undefined)
    this.config = options.config ?? loadConfig(this.environment.configPaths)
    this.env = nodeEnv(this.config, trace)
    this.#dns = { dnsServers: options.dnsServers, dnsTimeout: options.dnsTimeout }
    this.caches = new CredentialCaches({
      defaultName: defaultCcacheName(this.environment, this.config),
      kcmSocket: this.config.kcmSocket,
    })
    const replayCache =
      options.replayCache ?? defaultReplayCache(this.environment, this.config) ?? new MemoryReplayCache()
    const { rcacheFolder } = this.environment
    this.world = nodeWorld({ ...options, config: this.config, replayCache, rcacheFolder, trace, caches: this.caches })
    const { defaultRealm, enforceOkAsDelegate } = this.config
    this.#rules = {
      defaultRealm,
      enforceOkAsDelegate,
      realmOfHost: (host) => realmOfHost(this.config, host),
      qualifiedHost: (host) => qualifiedHost(this.config, host),
    }
    const krb5 = krb5Mechanism(this.env, this.#rules)
    this.krb5 = bind(krb5, this.world)
    this.spnego = bind(spnego([krb5]), this.world)
    this.iakerb = bind(
      iakerbMechanism(this.env, this.#rules, { realms: [...this.config.realms.keys()], ...options.iakerb }),
      this.world,
    )
  }

  /** Runs an exchange to its end, with this machine's answers. */
  run<T>(exchange: KrbExchange<T>): Promise<T> {
    return run<KrbQuestions, T>(exchange, this.world)
  }

  /**
   * The principal of a user's name, in the default realm unless it says another; `type` is one of nameTypes. Throws
   * TypeError and KrbError REALM_UNKNOWN.
   */
  principal(name: string, type?: number): Principal {
    const principal = parsePrincipal(name, { realm: this.config.defaultRealm, ...(type === undefined ? {} : { type }) })
    if (!principal.realm) throw new KrbError('REALM_UNKNOWN', `${name} names no realm, and there is no default_realm`)
    return principal
  }

  /** The principal that a name stands for here. Throws GssError. */
  principalOf(name: Name): Principal {
    return principalFrom(name, this.#rules)
  }

  /**
   * The realm of a host: by [domain_realm], by the DNS where dns_lookup_realm allows it, by its domains as
   * realm_try_domains has it; empty when none is known, for the KDCs to refer. Contexts go by [domain_realm] alone.
   */
  realmOf(host: string): Promise<string> {
    return locateRealmOf(this.config, host, this.#dns)
  }

  /** Gets a ticket-granting ticket from the KDC. Throws KrbError and TransportError. */
  async login(name: string, options: LoginOptions = {}): Promise<Login> {
    const client = options.anonymous
      ? anonymousClient(name, this.config.defaultRealm)
      : this.principal(name, nameTypeOf(options))
    return new Login(await logIn(this, client, options), this.caches)
  }

  /** Who is logged in by the tickets of a ccache; the environment's unless said. Throws KrbError NO_TICKET and StoreError. */
  async resume(name?: string): Promise<Login> {
    return new Login(await ticketIn(this, name), this.caches)
  }

  /** Gives the ticket of a login, or of a ccache, a longer life (RFC 4120 §2.3). Throws KrbError and TransportError. */
  renew(of?: Login | string, service?: string): Promise<Login> {
    return this.#again('renew', of, service)
  }

  /** Makes a postdated ticket valid, now that its time has come (RFC 4120 §2.4). Throws KrbError and TransportError. */
  validate(of?: Login | string, service?: string): Promise<Login> {
    return this.#again('validate', of, service)
  }

  /**
   * Logs in and proves that it was the KDC who took the password, by a ticket for a service in `keytab`. Throws KrbError:
   * KDC_ERR_PREAUTH_FAILED for a wrong password, NO_KEY when nothing can be proved, unless `unverified` allows that.
   */
  async checkPassword(name: string, password: string, options: CheckOptions = {}): Promise<Login> {
    const login = await this.login(name, { ...options, password, keytab: undefined })
    try {
      await verify(this, login, options)
      return login
    } catch (error) {
      login[Symbol.dispose]()
      throw error
    }
  }

  /** Changes the password of `name`; gives what the server says. Throws KrbError, with the `result`, and TransportError. */
  changePassword(name: string, options: ChangeOptions = {}): Promise<PasswordResult> {
    return changeOwnPassword(this, this.principal(name, nameTypeOf(options)), options)
  }

  /** Sets the password of another, as an administrator who is logged in (RFC 3244). Throws KrbError and TransportError. */
  setPassword(target: string, newPassword: string, { ticket, clockOffset }: Login): Promise<PasswordResult> {
    return setOtherPassword(this, { tgt: ticket, clockOffset }, this.principal(target), newPassword)
  }

  /**
   * Credentials out of a ccache to initiate with, or by a login where `store` has a password; out of a keytab to accept
   * with. Where the ccache has no tickets, the client keytab gets some (KRB5_CLIENT_KTNAME, default_client_keytab_name),
   * and anew at half their life. IAKERB's need a password, and no KDC yet. Throws KrbError NO_TICKET and NO_KEY, StoreError,
   * and GssError GSS_S_NO_CRED when they are not the ones of `name`, GSS_S_BAD_MECH.
   */
  acquire(options: AcquireOptions = {}): Promise<Credentials> {
    return acquire(this, options)
  }

  /** Writes tickets, delegated ones for instance, into a ccache (RFC 5588). Throws GssError GSS_S_DUPLICATE_ELEMENT, StoreError. */
  store(credentials: Credentials, options?: StoreOptions): Promise<Stored> {
    return store(this, credentials, options)
  }

  /**
   * Credentials that this library or a C program exported (gss_import_cred): a token names files, and is to be believed
   * as a program's own settings are. Throws GssError, KrbError and StoreError.
   */
  importCredentials(token: Uint8Array): Promise<Credentials> {
    return importCredentials(this, token)
  }

  /** A service's credentials in the name of a user who need not be there (S4U2Self). Throws KrbError and GssError. */
  impersonate(service: Credentials, user: Name): Promise<Credentials> {
    return this.run(impersonate(service, this.principalOf(user), this.env))
  }

  /** The full name of the ccache that `name` or the environment says: of a collection, that of its primary. */
  async ccacheName(name?: string): Promise<string> {
    return (await this.caches.resolve(name)).name
  }

  /** The full name of the keytab that `name` or the environment says. */
  keytabName(name?: string): string {
    return this.#keytabStore(name).name
  }

  /** The full name of the keytab that clients log in with (KRB5_CLIENT_KTNAME, default_client_keytab_name). */
  clientKeytabName(): string {
    return this.#keytabStore(defaultClientKeytabName(this.environment, this.config)).name
  }

  /** The keys of a keytab, of `principal` alone if said. Throws KrbError NO_KEY when there are none that can be used, StoreError. */
  async keys(keytab?: string | Uint8Array, principal?: Principal): Promise<readonly ServiceKey[]> {
    const keys = keysOf(await this.#keytab(keytab), this.env.enctypes, principal)
    if (keys.length > 0) return keys
    const whose = principal ? ` of ${formatPrincipal(principal)}` : ''
    const where = keytab instanceof Uint8Array ? 'the keytab' : this.keytabName(keytab)
    throw new KrbError('NO_KEY', `no usable key${whose} in ${where}`)
  }

  async #again(how: 'renew' | 'validate', of: Login | string | undefined, service?: string): Promise<Login> {
    const held: LoginResult = of instanceof Login ? { ...of, credential: of.ticket } : await ticketIn(this, of, service)
    const { credential: tgt, clockOffset, preauthType, fastAvailable } = held
    const fast = fastAvailable ? 'when available' : undefined
    const bought = await this.run(ticketAgain(how, { tgt, clockOffset, fast }, this.env))
    return new Login({ ...bought, preauthType, fastAvailable }, this.caches)
  }

  async #keytab(keytab: string | Uint8Array | undefined): Promise<Keytab> {
    return keytab instanceof Uint8Array ? parseKeytab(keytab) : this.#keytabStore(keytab).read()
  }

  #keytabStore(name = defaultKeytabName(this.environment, this.config)): KeytabStore {
    return this.keytabs.resolve(name)
  }
}
