/** What krb5.conf can say, as typed values, and what holds where it says nothing. @module */
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { enctypes } from '../crypto/enctypes/table.ts'
import type { KdcOptions } from '../krb5/messages/basics.ts'
import { emptySection, type Section } from './section.ts'
import type { KdcAddress } from './servers.ts'

/** Where a realm's servers are, and what holds for its principals alone. Lists are in the order to try. */
export interface RealmConfig {
  readonly kdcs: readonly KdcAddress[]
  /** KDCs that know of a changed password at once. */
  readonly primaryKdcs: readonly KdcAddress[]
  readonly kpasswdServers: readonly KdcAddress[]
  readonly adminServers: readonly KdcAddress[]
  /** CAs of HTTPS proxies, as `FILE:path`, `DIR:path` or `ENV:variable`; those of the system when empty. */
  readonly httpAnchors: readonly string[]
  /** The site whose KDCs are asked for first in the DNS. */
  readonly siteName?: string | undefined
  /** Rules as written, `RULE:…` or `DEFAULT`. */
  readonly authToLocal: readonly string[]
  readonly authToLocalNames: ReadonlyMap<string, string>
}

/** What [libdefaults] says of every realm, or of one. Durations are in seconds. */
export interface LibDefaults {
  /** Empty when there is none. */
  readonly defaultRealm: string
  readonly clockSkew: number
  readonly ticketLifetime: number
  readonly renewLifetime: number
  readonly forwardable: boolean
  readonly proxiable: boolean
  readonly canonicalize: boolean
  /** Options of every AS-REQ. */
  readonly kdcDefaultOptions: KdcOptions
  /** Whether to follow the KDC's clock. */
  readonly followClock: boolean
  /** Whether initial tickets are good from every address. */
  readonly noAddresses: boolean
  /** Addresses of a NAT, which initial tickets are to be good from as well. */
  readonly extraAddresses: readonly string[]
  /** Types of pre-authentication to be tried before others. */
  readonly preferredPreauthTypes: readonly number[]
  readonly disableEncryptedTimestamp: boolean
  /** Names of RFC 9588's groups; all that are known when empty. */
  readonly spakeGroups: readonly string[]
  /** Messages of more octets than this go by TCP first. */
  readonly udpPreferenceLimit: number
  /** For one question to the KDCs of a realm; 0 for no other bound than the caller's. */
  readonly requestTimeout: number
  /** Whether the DNS may say where servers are. */
  readonly dnsLookupKdc: boolean
  /** Whether it is asked for URI records before SRV records. */
  readonly dnsUriLookup: boolean
  /** Whether the DNS may say which realm a host belongs to. */
  readonly dnsLookupRealm: boolean
  /** How many parents of a host's domain may name its realm; -1 for none, not even the domain. */
  readonly realmTryDomains: number
  readonly dnsCanonicalizeHostname: boolean | 'fallback'
  readonly rdns: boolean
  /** The domain of short host names; undefined for the system's, empty for none. */
  readonly qualifyShortname?: string | undefined
  readonly permittedEnctypes: readonly Enctype[]
  /** What an AS-REQ asks for. */
  readonly tktEnctypes: readonly Enctype[]
  /** What a TGS-REQ asks for. */
  readonly tgsEnctypes: readonly Enctype[]
  readonly enforceOkAsDelegate: boolean
  readonly clientAwareChannelBindings: boolean
  readonly ignoreAcceptorHostname: boolean
  readonly verifyApReqNofail: boolean
  readonly k5loginAuthoritative: boolean
  readonly k5loginDirectory?: string | undefined
  /** Path of the KCM daemon's socket; undefined for the usual one. */
  readonly kcmSocket?: string | undefined
  /** As written, prefixes and `%{…}` included; undefined for the default of the system. */
  readonly defaultCcacheName?: string | undefined
  readonly defaultKeytabName?: string | undefined
  readonly defaultClientKeytabName?: string | undefined
  readonly defaultRcacheName?: string | undefined
  /** As written: `FILE:…`, `DIR:…`, `PKCS12:…`, `ENV:…`; so are the other places of certificates. */
  readonly pkinitAnchors: readonly string[]
  readonly pkinitIdentities: readonly string[]
  readonly pkinitPool: readonly string[]
  readonly pkinitRevoke: readonly string[]
  readonly pkinitRequireCrlChecking: boolean
  readonly pkinitCertMatch: readonly string[]
  /** Names that a KDC's certificate may have in place of the KDC's own. */
  readonly pkinitKdcHostnames: readonly string[]
  readonly pkinitEkuChecking: 'kpKDC' | 'kpServerAuth' | 'none'
  /** Bits of the modulus, or the name of a curve. */
  readonly pkinitDhMinBits: 1024 | 2048 | 4096 | 'P-256' | 'P-384' | 'P-521'
}

/** What [plugins] says of one kind of plug-in. */
export interface PluginConfig {
  readonly disable: readonly string[]
  /** The only ones to use, in this order; all when empty. */
  readonly enableOnly: readonly string[]
}

/** The configuration that exchanges run under. */
export interface KrbConfig extends LibDefaults {
  readonly realms: ReadonlyMap<string, RealmConfig>
  /** What holds for principals of a realm in place of the fields above; see configOfRealm. */
  readonly byRealm: ReadonlyMap<string, Partial<LibDefaults>>
  /** Realms by host name, and by domain with a dot in front; names in lower case. */
  readonly domainRealm: ReadonlyMap<string, string>
  /** The realms on the way, by the client's realm, then by the server's; `.` for none. */
  readonly capaths: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>
  readonly plugins: ReadonlyMap<string, PluginConfig>
  /** As written; see appDefault. */
  readonly appDefaults: Section
}

/** A realm of which nothing is said. */
export const defaultRealmConfig: RealmConfig = {
  kdcs: [],
  primaryKdcs: [],
  kpasswdServers: [],
  adminServers: [],
  httpAnchors: [],
  authToLocal: [],
  authToLocalNames: new Map(),
}

/** What holds when a configuration says nothing: MIT's defaults, without RC4, DES3, and names that the DNS makes up. */
export const defaultConfig: KrbConfig = {
  defaultRealm: '',
  clockSkew: 300,
  ticketLifetime: 86_400,
  renewLifetime: 0,
  forwardable: false,
  proxiable: false,
  canonicalize: false,
  kdcDefaultOptions: new Set(['renewableOk']),
  followClock: true,
  noAddresses: true,
  extraAddresses: [],
  preferredPreauthTypes: [17, 16, 15, 14],
  disableEncryptedTimestamp: false,
  spakeGroups: [],
  udpPreferenceLimit: 1465,
  requestTimeout: 0,
  dnsLookupKdc: true,
  dnsUriLookup: true,
  dnsLookupRealm: false,
  realmTryDomains: -1,
  dnsCanonicalizeHostname: false,
  rdns: false,
  permittedEnctypes: enctypes,
  tktEnctypes: enctypes,
  tgsEnctypes: enctypes,
  enforceOkAsDelegate: false,
  clientAwareChannelBindings: false,
  ignoreAcceptorHostname: false,
  verifyApReqNofail: false,
  k5loginAuthoritative: true,
  pkinitAnchors: [],
  pkinitIdentities: [],
  pkinitPool: [],
  pkinitRevoke: [],
  pkinitRequireCrlChecking: false,
  pkinitCertMatch: [],
  pkinitKdcHostnames: [],
  pkinitEkuChecking: 'kpKDC',
  pkinitDhMinBits: 2048,
  realms: new Map(),
  byRealm: new Map(),
  domainRealm: new Map(),
  capaths: new Map(),
  plugins: new Map(),
  appDefaults: emptySection,
}
