import { MemoryDatabase, type PrincipalOptions } from '../kdc/database.ts'
import { createKdc, type KdcEvent } from '../kdc/kdc.ts'
import { createKpasswd, type KpasswdOptions } from '../kdc/kpasswd.ts'
import type { Env } from '../krb5/env.ts'
import type { KdcPreauth } from '../krb5/preauth/kdc.ts'
import { formatConfig, krbConfig } from '../store/config.ts'
import { defaultConfig, type KrbConfig } from '../store/options.ts'
import { formatKdcAddress } from '../store/servers.ts'
import { hostAddress } from './addresses.ts'
import { Kerberos, type KerberosOptions } from './kerberos.ts'
import { type ListenOptions, listen } from './listen.ts'
import { nodeEnv } from './world.ts'

/** What a throw-away realm consists of. */
export interface RealmOptions extends Pick<ListenOptions, 'host' | 'port' | 'maxDatagram'> {
  /** LAB.TEST unless said. */
  readonly realm?: string
  /** Users by name: their password, or more. */
  readonly users?: Readonly<Record<string, string | PrincipalOptions>>
  /** Services, as `HTTP/www.lab.test`; their keys are random. */
  readonly services?: readonly string[] | Readonly<Record<string, PrincipalOptions>>
  /** Hosts and domains that belong to the realm; those of the services unless said. */
  readonly domains?: readonly string[]
  /** Ways for users to prove who they are; the KDC's own list unless said. */
  readonly preauth?: readonly KdcPreauth[]
  /** Who may set whose password, and what is good enough for one. */
  readonly passwords?: Pick<KpasswdOptions, 'quality' | 'maySet' | 'log'>
  /** Told of every request to the KDC. */
  readonly log?: (event: KdcEvent) => void
  /** Another clock, randomness or list of enctypes than this machine's. */
  readonly env?: Partial<Env>
}

/** A realm with a KDC of its own on loopback. Disposing of it stops the KDC. */
export interface Realm extends AsyncDisposable {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Where passwords are changed, UDP and TCP (RFC 3244). */
  readonly kpasswdPort: number
  readonly database: MemoryDatabase
  /** What clients need to find it. */
  readonly config: KrbConfig
  /** The same for MIT's and Heimdal's programs: the text of a krb5.conf. */
  readonly configText: string
  /** Kerberos set up for this realm, whatever the machine's own krb5.conf says. */
  kerberos(options?: Omit<KerberosOptions, 'config'>): Kerberos
  /** The keys of these services, as a keytab's octets. */
  keytab(...services: readonly string[]): Uint8Array<ArrayBuffer>
}

/** Seconds that a ticket for changing a password lives, as MIT's. */
const CHANGEPW_LIFE = 300

/** Starts a KDC for tests and demonstrations: `await using realm = await startRealm({ users: { alice: 'secret' } })`. */
export async function startRealm(options: RealmOptions = {}): Promise<Realm> {
  const { realm: name = 'LAB.TEST', users = {}, services = [], passwords, preauth, log, ...address } = options
  const env = { ...nodeEnv(defaultConfig), ...options.env }
  const database = new MemoryDatabase(name, env.random)
  for (const [user, given] of Object.entries(users))
    database.add(user, typeof given === 'string' ? { password: given } : given)
  const byName = Array.isArray(services)
    ? Object.fromEntries(services.map((service: string) => [service, {}]))
    : services
  for (const [service, more] of Object.entries(byName as Record<string, PrincipalOptions>)) database.add(service, more)
  database.add('kadmin/changepw', { changesPasswords: true, maxLife: CHANGEPW_LIFE, renewable: false })
  const kdc = createKdc({ realm: name, database, env, preauth, log })
  const kpasswd = createKpasswd({ realm: name, database, env, ...passwords })
  const listening = await listen(kdc.respond, { ...address, tooBig: kdc.tooBig })
  const { host, port } = listening
  const changing = await listen((request, local) => kpasswd.handle(request, hostAddress(local)), {
    host,
    tooBig: kdc.tooBig,
  })
  const hosts = Object.keys(byName).flatMap((service) => service.split('/')[1] ?? [])
  const config = krbConfig({
    defaultRealm: name,
    realms: {
      [name]: {
        kdc: [formatKdcAddress({ host, port })],
        kpasswdServer: [formatKdcAddress({ host, port: changing.port })],
      },
    },
    domainRealm: Object.fromEntries((options.domains ?? hosts).map((domain) => [domain, name])),
    permittedEnctypes: env.enctypes,
  })
  return {
    ...{ name, host, port, database, config, kpasswdPort: changing.port },
    configText: formatConfig(config),
    kerberos: (more = {}) => new Kerberos({ environment: { configPaths: [] }, ...more, config }),
    keytab: (...names) => database.keytab(...names),
    async [Symbol.asyncDispose]() {
      await Promise.all([listening[Symbol.asyncDispose](), changing[Symbol.asyncDispose]()])
    },
  }
}
