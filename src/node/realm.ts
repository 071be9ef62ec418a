/** Throw-away realms on loopback, for tests and demonstrations. @module */
import { MemoryDatabase, type PrincipalOptions } from '../kdc/database.ts'
import { type Faults, InjectedFaults } from '../kdc/faults.ts'
import type { KdcEvent, KdcOptions } from '../kdc/kdc.ts'
import type { KpasswdOptions } from '../kdc/kpasswd.ts'
import type { Env } from '../krb5/env.ts'
import type { KdcPreauth } from '../krb5/preauth/kdc.ts'
import { formatConfig, krbConfig, type RealmServers } from '../store/config.ts'
import { realmOfHost } from '../store/hostrealm.ts'
import { defaultConfig, type KrbConfig } from '../store/options.ts'
import { formatKdcAddress } from '../store/servers.ts'
import { Kerberos, type KerberosOptions } from './kerberos.ts'
import type { ListenOptions } from './listen.ts'
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
  /** What tickets tell services of how users proved themselves, by the mechanism's name. */
  readonly indicators?: KdcOptions['indicators']
  /** Who may set whose password, and what is good enough for one. */
  readonly passwords?: Pick<KpasswdOptions, 'quality' | 'maySet' | 'log'>
  /** Told of every request to the KDC. */
  readonly log?: (event: KdcEvent) => void
  /** What is wrong with the KDC from the beginning: see {@link Realm.faults}. */
  readonly faults?: Faults
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
  /** What is wrong with the KDC, to see what clients make of it: `using broken = realm.faults.set({ drop: true })`. */
  readonly faults: InjectedFaults
  /** What clients need to find it, and the realms that it was started with. */
  readonly config: KrbConfig
  /** The same for MIT's and Heimdal's programs: the text of a krb5.conf. */
  readonly configText: string
  /** Kerberos set up for this realm, whatever the machine's own krb5.conf says. */
  kerberos(options?: Omit<KerberosOptions, 'config'>): Kerberos
  /** The keys of these services, as a keytab's octets. */
  keytab(...services: readonly string[]): Uint8Array<ArrayBuffer>
}

/** What several throw-away realms consist of. */
export interface RealmsOptions<Name extends string> {
  /** By name. */
  readonly realms: Readonly<Record<Name, Omit<RealmOptions, 'realm'>>>
  /** Pairs of realms whose users may get tickets of each other's services, each way (RFC 4120 §1.2). */
  readonly trusts?: readonly (readonly [Name, Name])[]
}

/** Realms that know of each other, by name. Disposing of them stops their KDCs. */
export type Realms<Name extends string> = Readonly<Record<Name, Realm>> & AsyncDisposable

const DEFAULT_REALM = 'LAB.TEST'
/** Seconds that a ticket for changing a password lives, as MIT's. */
const CHANGEPW_LIFE = 300

/** Starts a KDC for tests and demonstrations: `await using realm = await startRealm({ users: { alice: 'secret' } })`. */
export async function startRealm(options: RealmOptions = {}): Promise<Realm> {
  const known = { capaths: new Map(), domainRealm: domainsOf([options]) }
  const running = await run(options, known)
  return realmOf(running, [running], known)
}

/**
 * Starts several, whose configuration knows them all: `await using realms = await startRealms({ realms: { 'A.TEST': {},
 * 'B.TEST': {} }, trusts: [['A.TEST', 'B.TEST']] })`. Throws TypeError for a trust of a realm that is not among them.
 */
export async function startRealms<const Name extends string>({
  realms,
  trusts = [],
}: RealmsOptions<Name>): Promise<Realms<Name>> {
  const names = Object.keys(realms) as Name[]
  const stranger = trusts.flat().find((name) => !names.includes(name))
  if (stranger !== undefined) throw new TypeError(`a trust with ${stranger}, which is none of ${names.join(', ')}`)
  const all = names.map((realm): RealmOptions => ({ ...realms[realm], realm }))
  const known = { capaths: pathsOf(names, trusts), domainRealm: domainsOf(all) }
  const starting = await Promise.allSettled(all.map((options) => run(options, known)))
  const running = starting.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const stop = async () => void (await Promise.all(running.map((one) => one.stop())))
  const failed = starting.find((one) => one.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  for (const pair of trusts) trust(...(pair.map((name) => running[names.indexOf(name)]!) as [Running, Running]))
  const entries = running.map((one) => [one.name, realmOf(one, running, known)] as const)
  return { ...(Object.fromEntries(entries) as Record<Name, Realm>), [Symbol.asyncDispose]: stop }
}

/** What realms know of each other. */
type Known = Pick<KrbConfig, 'capaths' | 'domainRealm'>

/** A KDC that runs. */
interface Running extends Pick<Realm, 'name' | 'host' | 'port' | 'kpasswdPort' | 'database' | 'faults'> {
  readonly env: Env
  stop(): Promise<void>
}

async function run(options: RealmOptions, { capaths, domainRealm }: Known): Promise<Running> {
  const {
    realm: name = DEFAULT_REALM,
    users = {},
    services = [],
    passwords,
    preauth,
    indicators,
    log,
    ...address
  } = options
  const env = { ...nodeEnv({ ...defaultConfig, capaths }), ...options.env }
  const database = new MemoryDatabase(name, env.random)
  for (const [user, given] of Object.entries(users))
    database.add(user, typeof given === 'string' ? { password: given } : given)
  const byName = Array.isArray(services)
    ? Object.fromEntries(services.map((service: string) => [service, {}]))
    : services
  for (const [service, more] of Object.entries(byName as Record<string, PrincipalOptions>)) database.add(service, more)
  database.add('kadmin/changepw', { changesPasswords: true, maxLife: CHANGEPW_LIFE, renewable: false })
  const ofHost = (host: string) => realmOfHost({ domainRealm }, host)
  const faults = new InjectedFaults(options.faults)
  const kdc = { realm: name, database, env, preauth, indicators, realmOfHost: ofHost, log }
  // a KDC is much to load, which those who start none need not
  const { serveRealm } = await import('./realmservers.ts')
  const { host, port, kpasswdPort, stop } = await serveRealm(kdc, { ...passwords }, faults, address)
  let stopped: Promise<void> | undefined
  return {
    ...{ name, host, port, database, faults, env, kpasswdPort },
    // one realm of several is disposed of twice
    stop: () => (stopped ??= stop()),
  }
}

function realmOf(running: Running, all: readonly Running[], { capaths, domainRealm }: Known): Realm {
  const { env, stop, ...told } = running
  const { name, database } = told
  const config = krbConfig({
    defaultRealm: name,
    realms: Object.fromEntries(all.map((one) => [one.name, serversOf(one)])),
    domainRealm: Object.fromEntries(domainRealm),
    permittedEnctypes: env.enctypes,
    capaths,
  })
  return {
    ...told,
    config,
    configText: formatConfig(config),
    kerberos: (more = {}) => new Kerberos({ environment: { configPaths: [] }, ...more, config }),
    keytab: (...names) => database.keytab(...names),
    [Symbol.asyncDispose]: stop,
  }
}

/** The realm of each host and domain, by its name in lower case. */
const domainsOf = (all: readonly RealmOptions[]): KrbConfig['domainRealm'] =>
  new Map(
    all.flatMap(({ realm = DEFAULT_REALM, services = [], domains }) => {
      const names = Array.isArray(services) ? (services as readonly string[]) : Object.keys(services)
      const hosts = names.flatMap((service) => service.split('/')[1] ?? [])
      return (domains ?? hosts).map((domain) => [domain.toLowerCase(), realm] as const)
    }),
  )

const serversOf = ({ host, port, kpasswdPort }: Running): RealmServers => ({
  kdc: [formatKdcAddress({ host, port })],
  kpasswdServer: [formatKdcAddress({ host, port: kpasswdPort })],
})

/** Has two realms share the keys of the tickets that lead from the one to the other. */
function trust(a: Running, b: Running): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const name = `krbtgt/${to.name}@${from.name}`
    const { keys } = from.database.add(name)
    to.database.add(name, { keys })
  }
}

/** The shortest way along trusts from each realm to each that can be reached, as [capaths] has it. */
function pathsOf(names: readonly string[], trusts: readonly (readonly [string, string])[]): KrbConfig['capaths'] {
  const neighbours = (name: string) => trusts.flatMap(([a, b]) => (a === name ? [b] : b === name ? [a] : []))
  const from = (start: string) => {
    const ways = new Map<string, readonly string[]>([[start, []]])
    for (const [name, way] of ways)
      for (const next of neighbours(name)) if (!ways.has(next)) ways.set(next, name === start ? [] : [...way, name])
    ways.delete(start)
    return new Map([...ways].map(([name, way]) => [name, way.length > 0 ? way : ['.']]))
  }
  return trusts.length > 0 ? new Map(names.map((name) => [name, from(name)])) : new Map()
}
