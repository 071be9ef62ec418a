/** What krb5.conf says, as values: libdefaults, realms, domain_realm (MIT's krb5.conf(5)). @module */
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { deprecatedEnctypes, enctypes } from '../crypto/enctypes/table.ts'
import { ConfigError } from './error.ts'
import { entriesOf, type ProfileEntry, type Section, subsection } from './profile.ts'
import {
  formatKdcAddress,
  type KdcAddress,
  parseBoolean,
  parseDuration,
  parseEnctypes,
  parseInteger,
  parseKdcAddress,
} from './values.ts'

/** Where a realm's servers are. */
export interface RealmConfig {
  /** In the order to try them. */
  readonly kdcs: readonly KdcAddress[]
}

/** The configuration that exchanges run under. Durations are in seconds. */
export interface KrbConfig {
  /** Empty when there is none. */
  readonly defaultRealm: string
  readonly realms: ReadonlyMap<string, RealmConfig>
  /** Realms by host name, and by domain with a dot in front; names in lower case. */
  readonly domainRealm: ReadonlyMap<string, string>
  readonly clockSkew: number
  readonly ticketLifetime: number
  readonly renewLifetime: number
  readonly forwardable: boolean
  readonly proxiable: boolean
  readonly canonicalize: boolean
  /** Whether to follow the KDC's clock. */
  readonly followClock: boolean
  /** Messages of more octets than this go by TCP first. */
  readonly udpPreferenceLimit: number
  readonly permittedEnctypes: readonly Enctype[]
  /** As written, prefixes and `%{…}` included; undefined for the default of the system. */
  readonly defaultCcacheName?: string | undefined
  readonly defaultKeytabName?: string | undefined
  readonly defaultClientKeytabName?: string | undefined
  /** Path of the KCM daemon's socket; undefined for the usual one. */
  readonly kcmSocket?: string | undefined
}

/** What holds when a configuration says nothing: MIT's defaults, without RC4 and DES3. */
export const defaultConfig: KrbConfig = {
  defaultRealm: '',
  realms: new Map(),
  domainRealm: new Map(),
  clockSkew: 300,
  ticketLifetime: 86_400,
  renewLifetime: 0,
  forwardable: false,
  proxiable: false,
  canonicalize: false,
  followClock: true,
  udpPreferenceLimit: 1465,
  permittedEnctypes: enctypes,
}

/** Each option of libdefaults that is read: its field and how its value is written. All others are let be. */
const libdefaults = {
  default_realm: ['defaultRealm', (text: string) => text],
  clockskew: ['clockSkew', parseDuration],
  ticket_lifetime: ['ticketLifetime', parseDuration],
  renew_lifetime: ['renewLifetime', parseDuration],
  forwardable: ['forwardable', parseBoolean],
  proxiable: ['proxiable', parseBoolean],
  canonicalize: ['canonicalize', parseBoolean],
  kdc_timesync: ['followClock', parseBoolean],
  udp_preference_limit: ['udpPreferenceLimit', parseInteger],
  default_ccache_name: ['defaultCcacheName', (text: string) => text],
  default_keytab_name: ['defaultKeytabName', (text: string) => text],
  default_client_keytab_name: ['defaultClientKeytabName', (text: string) => text],
  kcm_socket: ['kcmSocket', (text: string) => text],
} as const satisfies Record<string, readonly [keyof KrbConfig, (text: string) => unknown]>

/** The configuration that a profile holds. Options that are not known are let be; throws {@link ConfigError} for a wrong value. */
export function readConfig(profile: Section): KrbConfig {
  const options = subsection(profile, 'libdefaults')
  const said = Object.entries(libdefaults).flatMap(([name, [field, parse]]) => {
    const entry = entriesOf(options, name).find(({ value }) => typeof value === 'string')
    return entry ? [[field, parsed<unknown>(entry, parse)] as const] : []
  })
  return {
    ...defaultConfig,
    ...Object.fromEntries(said),
    permittedEnctypes: permitted(options),
    realms: readRealms(subsection(profile, 'realms')),
    domainRealm: readDomains(subsection(profile, 'domain_realm')),
  }
}

/** A configuration made in code: `krbConfig({ defaultRealm: 'LAB.TEST', realms: { 'LAB.TEST': { kdc: ['127.0.0.1:88'] } } })`. Throws TypeError. */
export function krbConfig({
  realms = {},
  domainRealm = {},
  ...rest
}: Partial<Omit<KrbConfig, 'realms' | 'domainRealm'>> & {
  readonly realms?: Readonly<Record<string, { readonly kdc: readonly string[] }>>
  readonly domainRealm?: Readonly<Record<string, string>>
}): KrbConfig {
  return {
    ...defaultConfig,
    ...rest,
    realms: new Map(Object.entries(realms).map(([realm, { kdc }]) => [realm, { kdcs: kdc.map(parseKdcAddress) }])),
    domainRealm: new Map(Object.entries(domainRealm).map(([domain, realm]) => [domain.toLowerCase(), realm])),
  }
}

/** The realm of a host: by its own name, then by ever larger domains; empty when none is named. */
export function realmOfHost({ domainRealm }: Pick<KrbConfig, 'domainRealm'>, host: string): string {
  const name = host.toLowerCase().replace(/\.$/, '')
  const own = domainRealm.get(name)
  if (own !== undefined) return own
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const realm = domainRealm.get(name.slice(dot)) ?? domainRealm.get(name.slice(dot + 1))
    if (realm !== undefined) return realm
  }
  return domainRealm.get('.') ?? ''
}

/** A krb5.conf for MIT's and our tools: what differs from the defaults, the realms and the domains. */
export function formatConfig(config: KrbConfig): string {
  const relation = (name: string, value: unknown) => `  ${name} = ${value}`
  const realms = [...config.realms].flatMap(([name, { kdcs }]) => [
    `  ${name} = {`,
    ...kdcs.map((kdc) => `  ${relation('kdc', formatKdcAddress(kdc))}`),
    '  }',
  ])
  return [
    '[libdefaults]',
    ...(config.defaultRealm ? [relation('default_realm', config.defaultRealm)] : []),
    relation('dns_lookup_kdc', false),
    relation('dns_lookup_realm', false),
    relation('dns_canonicalize_hostname', false),
    relation('rdns', false),
    relation('permitted_enctypes', config.permittedEnctypes.map(({ name }) => name).join(' ')),
    '[realms]',
    ...realms,
    '[domain_realm]',
    ...[...config.domainRealm].map(([domain, realm]) => relation(domain, realm)),
    '',
  ].join('\n')
}

function parsed<T>({ name, value, file, line }: ProfileEntry, parse: (text: string) => T): T {
  try {
    return parse(value as string)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new ConfigError(file, line, `${name}: ${cause.message}`, { cause })
  }
}

/** permitted_enctypes, without the deprecated ones unless they are allowed by name and by allow_rc4 or allow_des3. */
function permitted(options: Section | undefined): readonly Enctype[] {
  const truth = (name: string) => entriesOf(options, name).some((entry) => parsed(entry, parseBoolean))
  const weak = deprecatedEnctypes.filter(
    ({ name }) =>
      (truth('allow_rc4') && name.includes('rc4')) ||
      (truth('allow_des3') && name.startsWith('des3')) ||
      name.startsWith('camellia'),
  )
  const [entry] = entriesOf(options, 'permitted_enctypes')
  if (!entry) return enctypes
  const list = parsed(entry, (text) => parseEnctypes(text, [...enctypes, ...weak]))
  if (list.length === 0)
    throw new ConfigError(entry.file, entry.line, 'permitted_enctypes leaves no enctype that is spoken here')
  return list
}

function readRealms(section: Section | undefined): Map<string, RealmConfig> {
  const names = [...new Set(section?.entries.map(({ name }) => name))]
  return new Map(
    names.map((name) => {
      const kdcs = entriesOf(subsection(section, name), 'kdc').filter(({ value }) => typeof value === 'string')
      const spoken = kdcs.filter(({ value }) => !/^https?:\/\//.test(value as string))
      return [
        name,
        {
          kdcs: spoken.flatMap((entry) =>
            parsed(entry, (text) =>
              text
                .split(/[\s,]+/)
                .filter(Boolean)
                .map(parseKdcAddress),
            ),
          ),
        },
      ]
    }),
  )
}

function readDomains(section: Section | undefined): Map<string, string> {
  const domains = new Map<string, string>()
  for (const { name, value } of section?.entries ?? [])
    if (typeof value === 'string' && !domains.has(name.toLowerCase())) domains.set(name.toLowerCase(), value)
  return domains
}
