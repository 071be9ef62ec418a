/** A krb5.conf as a configuration, and back (MIT's krb5.conf(5)). @module */
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { allowancesFor, allowedOf, defaultEnctypes } from './enctypelist.ts'
import { ConfigError } from './error.ts'
import {
  defaultConfig,
  defaultRealmConfig,
  type KrbConfig,
  type LibDefaults,
  type PluginConfig,
  type RealmConfig,
} from './options.ts'
import { type Ignored, libdefaultsOptions, type Option, realmDefaultsOptions, realmsOptions } from './optionstable.ts'
import { emptySection, type Relation, relationsOf, type Section, sectionsOf, subsection, valuesOf } from './section.ts'
import { parseKdcAddress, ports } from './servers.ts'
import { formatProfile } from './syntax.ts'
import { parseBoolean } from './values.ts'

/** The configuration that a profile holds. Options that are not known are let be; throws {@link ConfigError} for a wrong value. */
export function readConfig(profile: Section): KrbConfig {
  const libdefaults = subsection(profile, 'libdefaults')
  const realms = subsection(profile, 'realms')
  const names = [...sectionsOf(libdefaults), ...sectionsOf(realms)].map(({ name }) => name)
  const allow = { rc4: allows(libdefaults, 'allow_rc4'), des3: allows(libdefaults, 'allow_des3') }
  const general = readDefaults(libdefaults, allow)
  const byRealm = [...new Set(names)].map((name) => {
    const ofRealm = readFields<LibDefaults>(subsection(realms, name), realmDefaultsOptions)
    return [name, { ...ofRealm, ...readDefaults(subsection(libdefaults, name), allow) }] as const
  })
  const fallback = allowedOf(defaultEnctypes, allow)
  const permittedEnctypes = general.permittedEnctypes ?? fallback
  return {
    ...defaultConfig,
    ...{ permittedEnctypes, ...askedAsPermitted({ permittedEnctypes }) },
    ...general,
    byRealm: new Map(byRealm.filter(([, fields]) => Object.keys(fields).length > 0)),
    realms: new Map(sectionsOf(realms).map(({ name, value }) => [name, readRealm(value)])),
    domainRealm: pairsOf(subsection(profile, 'domain_realm'), (name) => name.toLowerCase()),
    capaths: new Map(sectionsOf(subsection(profile, 'capaths')).map(({ name, value }) => [name, readPaths(value)])),
    plugins: new Map(sectionsOf(subsection(profile, 'plugins')).map(({ name, value }) => [name, readPlugins(value)])),
    appDefaults: subsection(profile, 'appdefaults') ?? emptySection,
  }
}

/** What is asked for is what is permitted, unless said (MIT 1.18). */
const askedAsPermitted = ({ permittedEnctypes }: Pick<LibDefaults, 'permittedEnctypes'>) => ({
  tktEnctypes: permittedEnctypes,
  tgsEnctypes: permittedEnctypes,
})

/** The configuration for principals of a realm: what is said of it alone, else what is said of all (krb5.conf(5), "PKINIT options"). */
export const configOfRealm = (config: KrbConfig, realm: string): KrbConfig => ({
  ...config,
  ...config.byRealm.get(realm),
})

/** The servers of a realm made in code, each as krb5.conf writes it. */
export interface RealmServers {
  readonly kdc: readonly string[]
  readonly primaryKdc?: readonly string[]
  readonly kpasswdServer?: readonly string[]
  readonly httpAnchors?: readonly string[]
}

/**
 * A configuration made in code: `krbConfig({ defaultRealm: 'LAB.TEST', realms: { 'LAB.TEST': { kdc: ['127.0.0.1:88'] } } })`.
 * It asks no DNS unless told to. Throws TypeError.
 */
export function krbConfig({
  realms = {},
  domainRealm = {},
  ...rest
}: Partial<Omit<KrbConfig, 'realms' | 'domainRealm'>> & {
  readonly realms?: Readonly<Record<string, RealmServers>>
  readonly domainRealm?: Readonly<Record<string, string>>
}): KrbConfig {
  const { permittedEnctypes = defaultConfig.permittedEnctypes } = rest
  return {
    ...defaultConfig,
    ...askedAsPermitted({ permittedEnctypes }),
    dnsLookupKdc: false,
    ...rest,
    realms: new Map(Object.entries(realms).map(([realm, servers]) => [realm, realmOf(servers)])),
    domainRealm: new Map(Object.entries(domainRealm).map(([domain, realm]) => [domain.toLowerCase(), realm])),
  }
}

function realmOf({ kdc, primaryKdc = [], kpasswdServer = [], httpAnchors = [] }: RealmServers): RealmConfig {
  return {
    ...defaultRealmConfig,
    kdcs: kdc.map((text) => parseKdcAddress(text)),
    primaryKdcs: primaryKdc.map((text) => parseKdcAddress(text)),
    kpasswdServers: kpasswdServer.map((text) => parseKdcAddress(text, ports.kpasswd)),
    httpAnchors,
  }
}

/** A krb5.conf for MIT's and our tools: what differs from MIT's defaults or ours, the realms and the domains. Throws TypeError. */
export function formatConfig(config: KrbConfig): string {
  const { rc4, des3 } = allowancesFor([...config.permittedEnctypes, ...config.tktEnctypes, ...config.tgsEnctypes])
  const allowances = [...(rc4 ? ['allow_rc4'] : []), ...(des3 ? ['allow_des3'] : [])]
  const { byRealm, domainRealm, capaths } = config
  const profile = section([
    [
      'libdefaults',
      section([
        ...allowances.map((name) => [name, 'true'] as const),
        ...written(config, { ...defaultConfig, ...askedAsPermitted(config) }, libdefaultsOptions, differsFromMit),
        ...[...byRealm].map(([realm, fields]) => [realm, section(written(fields, {}, libdefaultsOptions))] as const),
      ]),
    ],
    [
      'realms',
      section(
        [...config.realms].map(([name, realm]) => [name, section(written(realm, defaultRealmConfig, realmsOptions))]),
      ),
    ],
    ['domain_realm', section([...domainRealm])],
    [
      'capaths',
      section(
        [...capaths].map(([client, servers]) => [
          client,
          section([...servers].flatMap(([server, path]) => path.map((realm) => [server, realm] as const))),
        ]),
      ),
    ],
  ])
  return formatProfile({ ...profile, entries: profile.entries.filter(({ value }) => hasEntries(value)) })
}

/** Options where MIT's default is another than ours, so that they are always written. */
const differsFromMit: readonly string[] = [
  'dns_canonicalize_hostname',
  'rdns',
  'permitted_enctypes',
  'dns_lookup_realm',
  'dns_lookup_kdc',
]

const hasEntries = (value: string | Section): boolean => typeof value !== 'string' && value.entries.length > 0

/** The relations that say what `fields` holds and `defaults` does not. */
function written<Fields extends object>(
  fields: Partial<Fields>,
  defaults: Partial<Fields>,
  table: Readonly<Record<string, Option<Fields> | Ignored>>,
  always: readonly string[] = [],
): readonly (readonly [string, string])[] {
  const rows = Object.entries(table).flatMap(([name, option]) => ('ignored' in option ? [] : [[name, option] as const]))
  // Of two names for one field the last one is written, as it is the one that counts when it is read.
  const names = new Map(rows.map(([name, { field }]) => [field, name]))
  return rows.flatMap(([name, { field, notation, takes }]) => {
    const value: unknown = fields[field]
    if (value === undefined || names.get(field) !== name) return []
    if (same(value, defaults[field]) && !always.includes(name)) return []
    if (takes === 'each') return (value as readonly unknown[]).map((item) => [name, notation.format(item)] as const)
    return [[name, notation.format(value)] as const]
  })
}

function same(a: unknown, b: unknown): boolean {
  const plain = (value: unknown) => (value instanceof Set || Array.isArray(value) ? [...value] : [value])
  const [left, right] = [plain(a), plain(b)]
  return left.length === right.length && left.every((item, i) => item === right[i])
}

const section = (pairs: readonly (readonly [string, string | Section])[]): Section => ({
  final: false,
  entries: pairs.map(([name, value]) => ({ name, value, file: '', line: 0, final: false })),
})

function readDefaults(
  section: Section | undefined,
  allow: { readonly rc4: boolean; readonly des3: boolean },
): Partial<LibDefaults> {
  const fields = readFields<LibDefaults>(section, libdefaultsOptions)
  const lists = (['permitted_enctypes', 'default_tkt_enctypes', 'default_tgs_enctypes'] as const).flatMap((name) => {
    const { field } = libdefaultsOptions[name] as Option<LibDefaults>
    const list = fields[field] as readonly Enctype[] | undefined
    if (!list) return []
    const left = allowedOf(list, allow)
    const [entry] = relationsOf(section, name)
    if (left.length === 0 && entry)
      throw new ConfigError(entry.file, entry.line, `${name} leaves no enctype that is spoken here`)
    return [[field, left] as const]
  })
  return { ...fields, ...Object.fromEntries(lists) }
}

/** The fields that a section says something of. */
function readFields<Fields>(
  section: Section | undefined,
  table: Readonly<Record<string, Option<Fields> | Ignored>>,
): Partial<Fields> {
  const said = Object.entries(table).flatMap(([name, option]) => {
    const relations = relationsOf(section, name)
    const [first] = relations
    if ('ignored' in option || !first) return []
    const { field, notation, takes } = option
    if (takes === 'first') return [[field, parsed(first, notation.parse)] as const]
    return [[field, relations.flatMap((relation) => parsed(relation, notation.parse))] as const]
  })
  return Object.fromEntries(said) as Partial<Fields>
}

function readRealm(section: Section): RealmConfig {
  const spoken = section.entries.filter(({ value }) => typeof value !== 'string' || !/^http:\/\//i.test(value))
  const fields = readFields<RealmConfig>({ ...section, entries: spoken }, realmsOptions)
  return { ...defaultRealmConfig, ...fields, authToLocalNames: lastOf(subsection(section, 'auth_to_local_names')) }
}

/** The relations of a section, of which the last of a name counts, as MIT has local names. */
const lastOf = (section: Section | undefined): ReadonlyMap<string, string> =>
  new Map(section?.entries.flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value] as const] : [])))

const readPaths = (section: Section): ReadonlyMap<string, readonly string[]> =>
  new Map(section.entries.map(({ name }) => [name, valuesOf(section, name)]))

const readPlugins = (section: Section): PluginConfig => ({
  disable: valuesOf(section, 'disable'),
  enableOnly: valuesOf(section, 'enable_only'),
})

/** The relations of a section, of which the first of a name counts. */
function pairsOf(section: Section | undefined, nameOf = (name: string) => name): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  for (const { name, value } of section?.entries ?? [])
    if (typeof value === 'string' && !pairs.has(nameOf(name))) pairs.set(nameOf(name), value)
  return pairs
}

const allows = (section: Section | undefined, name: string): boolean =>
  relationsOf(section, name)
    .slice(0, 1)
    .some((relation) => parsed(relation, parseBoolean))

function parsed<T>({ name, value, file, line }: Relation, parse: (text: string) => T): T {
  try {
    return parse(value)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new ConfigError(file, line, `${name}: ${cause.message}`, { cause })
  }
}
