import { Secrets } from '../crypto/secrets.ts'
import { run, type World } from '../effects/index.ts'
import type { Credentials } from '../gss/credentials.ts'
import { Krb5Credential } from '../gss/krb5/credential.ts'
import { krb5Mechanism } from '../gss/krb5/mechanism.ts'
import { type BoundMechanism, bind } from '../gss/mechanism.ts'
import type { Credential, ServiceKey } from '../krb5/credential.ts'
import type { Env } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import type { AsResult } from '../krb5/exchanges/as.ts'
import { loginExchange } from '../krb5/exchanges/login.ts'
import { formatPrincipal, type Principal, parsePrincipal } from '../krb5/names.ts'
import type { KrbExchange, KrbQuestions, Prompt, ReplayRecord } from '../krb5/questions.ts'
import { MemoryReplayCache } from '../krb5/replay.ts'
import { keysSecret, passwordSecret } from '../krb5/secret.ts'
import { spnego } from '../spnego/mechanism.ts'
import { qualifiedHost, realmOfHost } from '../store/hostrealm.ts'
import { keysOf, parseKeytab } from '../store/keytab.ts'
import type { KrbConfig } from '../store/options.ts'
import { type EdgeTransportOptions, edgeTransport } from './transport.ts'
import { edgeEnv } from './world.ts'

/** How to set Kerberos up where nothing is to be found: `config` is that of `krbConfig` or `readConfig` of `kerb/store`. */
export interface EdgeOptions extends Omit<EdgeTransportOptions, 'config'> {
  readonly config: KrbConfig
  /** Carries messages to KDCs in place of `fetch` and `connect`. */
  readonly transport?: World<KrbQuestions>['send'] | undefined
  /** Asks the user for a secret; without it a login must bring its own. */
  readonly prompt?: ((text: string, kind: Prompt['kind']) => string | Promise<string>) | undefined
  /** Remembers authenticators; this object's memory unless said. A service on several machines shares one among them. */
  readonly replayCache?: { seen(record: ReplayRecord): boolean | Promise<boolean> } | undefined
}

/** What to log in by, one of both; without either `prompt` is asked. */
export interface EdgeLoginOptions {
  readonly password?: string | undefined
  /** A keytab's octets. */
  readonly keytab?: Uint8Array | undefined
  /** Seconds that the ticket is to live. */
  readonly lifetime?: number | undefined
}

/** Somebody who is logged in. Disposing of it wipes the ticket's key. */
export interface EdgeLogin extends Disposable {
  readonly principal: Principal
  readonly credentials: Credentials
  readonly ticket: Credential
}

/** Kerberos by the web platform alone: KDC proxies by `fetch`, KDCs by `cloudflare:sockets`, no files. */
export class EdgeKerberos {
  readonly config: KrbConfig
  readonly env: Env
  readonly world: World<KrbQuestions>
  readonly krb5: BoundMechanism
  readonly spnego: BoundMechanism

  constructor({ transport, prompt = unprompted, replayCache = new MemoryReplayCache(), ...options }: EdgeOptions) {
    const { config, trace } = options
    this.config = config
    this.env = edgeEnv(config, trace)
    this.world = {
      send: transport ?? edgeTransport(options),
      prompt: ({ text, kind }) => prompt(text, kind),
      replay: (record) => replayCache.seen(record),
      compute: ({ work }) => work(),
      keep: () => undefined,
    }
    const { defaultRealm } = config
    const krb5 = krb5Mechanism(this.env, {
      defaultRealm,
      realmOfHost: (host) => realmOfHost(config, host),
      qualifiedHost: (host) => qualifiedHost(config, host),
    })
    this.krb5 = bind(krb5, this.world)
    this.spnego = bind(spnego([krb5]), this.world)
  }

  /** Runs an exchange to its end. */
  run<T>(exchange: KrbExchange<T>): Promise<T> {
    return run<KrbQuestions, T>(exchange, this.world)
  }

  /** Gets a ticket-granting ticket from the KDC. Throws KrbError, TransportError, and StoreError for a bad keytab. */
  async login(name: string, options: EdgeLoginOptions = {}): Promise<EdgeLogin> {
    const client = parsePrincipal(name, { realm: this.config.defaultRealm })
    const { credential, clockOffset, fastAvailable } = await this.#login(client, options)
    const { server, key } = credential
    const tickets = [credential]
    const parts = { client: credential.client, tickets, clockOffset, startRealm: server.realm, fastAvailable }
    return {
      principal: credential.client,
      credentials: Krb5Credential.credentials({ initiate: parts }),
      ticket: credential,
      [Symbol.dispose]: () => key[Symbol.dispose](),
    }
  }

  /** Credentials to accept with, by a keytab's octets; of one service where `name` says which. Throws KrbError NO_KEY, StoreError. */
  acceptor(keytab: Uint8Array, name?: string): Credentials {
    const principal = name === undefined ? undefined : parsePrincipal(name, { realm: this.config.defaultRealm })
    return Krb5Credential.acceptor(this.#keys(keytab, principal), principal)
  }

  async #login(client: Principal, { password, keytab, lifetime }: EdgeLoginOptions): Promise<AsResult> {
    using secrets = new Secrets()
    const keys = keytab && this.#keys(keytab, client)
    for (const { key } of keys ?? []) secrets.keep(key)
    const newest = keys?.filter(({ kvno }) => kvno === keys[0]!.kvno).map(({ key }) => key)
    const { ticketLifetime, renewLifetime, followClock, kdcDefaultOptions, forwardable, tktEnctypes } = this.config
    const request = {
      client,
      secret: newest ? keysSecret(client, newest) : passwordSecret(client, password),
      lifetime: lifetime ?? ticketLifetime,
      ...{ renewLifetime, followClock, renewsPassword: false },
      options: [...kdcDefaultOptions, ...(forwardable ? (['forwardable'] as const) : [])],
    }
    return await this.run(loginExchange(request, { ...this.env, enctypes: tktEnctypes }))
  }

  #keys(keytab: Uint8Array, principal: Principal | undefined): readonly ServiceKey[] {
    const keys = keysOf(parseKeytab(keytab), this.env.enctypes, principal)
    if (keys.length > 0) return keys
    throw new KrbError('NO_KEY', `no usable key${principal ? ` of ${formatPrincipal(principal)}` : ''} in the keytab`)
  }
}

function unprompted(text: string): never {
  throw new TypeError(`nobody to ask "${text.trim()}": pass a password, a keytab or a prompt`)
}
