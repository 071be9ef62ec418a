/** Where the servers of a realm are: krb5.conf, then DNS URI, then DNS SRV (RFC 4120 §7.2.3, MIT's habits). @module */
import type { Random } from '../crypto/random.ts'
import { ask, type Exchange } from '../effects/index.ts'
import { isRefusal, merged, type SrvRecord, serversOfSrv, serversOfUri, type UriRecord } from './dnsrecords.ts'
import { realmCandidates, realmOfHost, realmRecordNames } from './hostrealm.ts'
import type { KrbConfig, RealmConfig } from './options.ts'
import { type KdcAddress, ports } from './servers.ts'

/** What finding servers asks of the DNS. A name without records, or that cannot be looked up, has none. */
export interface DnsQuestions {
  srv: { readonly ask: { readonly name: string }; readonly answer: readonly SrvRecord[] }
  uri: { readonly ask: { readonly name: string }; readonly answer: readonly UriRecord[] }
  txt: { readonly ask: { readonly name: string }; readonly answer: readonly string[] }
}

/** What a server of a realm is wanted for. */
export type ServerKind = 'kdc' | 'primary' | 'kpasswd'

/** How each kind is found. */
interface Kind {
  readonly configured: (realm: RealmConfig) => readonly KdcAddress[]
  readonly port: number
  /** First label of URI records. */
  readonly uri: string
  /** First labels of SRV records; the next one is asked for when there is none of the one before. */
  readonly srv: readonly string[]
}

const kinds: Readonly<Record<ServerKind | 'admin', Kind>> = {
  kdc: { configured: ({ kdcs }) => kdcs, port: ports.kdc, uri: '_kerberos', srv: ['_kerberos'] },
  primary: {
    configured: ({ primaryKdcs }) => primaryKdcs,
    port: ports.kdc,
    uri: '_kerberos',
    srv: ['_kerberos-primary', '_kerberos-master'],
  },
  kpasswd: {
    configured: ({ kpasswdServers }) => kpasswdServers,
    port: ports.kpasswd,
    uri: '_kpasswd',
    srv: ['_kpasswd'],
  },
  admin: {
    configured: ({ adminServers }) => adminServers,
    port: ports.kadmin,
    uri: '_kerberos-adm',
    srv: ['_kerberos-adm'],
  },
}

/** What finding servers goes by. */
export type LocateConfig = Pick<KrbConfig, 'realms' | 'dnsLookupKdc' | 'dnsUriLookup'>

/**
 * The servers of a realm for `kind`, in the order to try them; none when nobody knows any. Who changes passwords is at
 * port 464 of the admin server where nothing else is known (krb5.conf(5), kpasswd_server).
 */
export function* locateServers(
  config: LocateConfig,
  { realm, kind }: { readonly realm: string; readonly kind: ServerKind },
  random: Random,
): Exchange<DnsQuestions, readonly KdcAddress[]> {
  const servers = yield* locate(config, realm, kinds[kind], { kind, random })
  if (kind !== 'kpasswd' || servers.length > 0) return servers
  const admins = yield* locate(config, realm, kinds.admin, { kind, random })
  return admins.map(({ host }) => ({ host, port: ports.kpasswd }))
}

/**
 * The realm of a host: by [domain_realm], by the DNS where dns_lookup_realm allows it, by its domains as
 * realm_try_domains has it; empty when none is known, for the KDCs to refer (RFC 6806 §8).
 */
export function* locateRealm(
  config: LocateConfig & Pick<KrbConfig, 'domainRealm' | 'dnsLookupRealm' | 'realmTryDomains'>,
  host: string,
  random: Random,
): Exchange<DnsQuestions, string> {
  const configured = realmOfHost(config, host)
  if (configured) return configured
  if (config.dnsLookupRealm)
    for (const name of realmRecordNames(host).filter(isDomain)) {
      const [realm] = yield* ask<DnsQuestions, 'txt'>('txt', { name })
      if (realm) return realm
    }
  for (const realm of realmCandidates(config, host)) {
    const servers = yield* locateServers(config, { realm, kind: 'kdc' }, random)
    if (servers.length > 0) return realm
  }
  return ''
}

function* locate(
  config: LocateConfig,
  realm: string,
  { configured, port, uri, srv }: Kind,
  { kind, random }: { readonly kind: ServerKind; readonly random: Random },
): Exchange<DnsQuestions, readonly KdcAddress[]> {
  const known = config.realms.get(realm)
  const servers = known ? configured(known) : []
  // Where krb5.conf names KDCs and no primary, the DNS is not asked for one: that may be of another site.
  if (servers.length > 0 || (kind === 'primary' && known?.kdcs.length)) return servers
  if (!config.dnsLookupKdc || !isDomain(`_kerberos-primary._udp.${realm}`)) return []
  const suffixes = [...(known?.siteName ? [`${known.siteName}._sites.${realm}`] : []), realm]
  if (config.dnsUriLookup)
    for (const suffix of suffixes) {
      const records = yield* ask<DnsQuestions, 'uri'>('uri', { name: `${uri}.${suffix}` })
      if (isRefusal(records)) return []
      const found = serversOfUri(records, port, random).filter(({ primary }) => primary || kind !== 'primary')
      if (found.length > 0) return found.map(({ server }) => server)
    }
  const near = kind === 'kdc' && known?.siteName ? yield* nearServers(known.siteName, realm, random) : []
  for (const label of srv) {
    const [udp, tcp] = [yield* srvOf(`${label}._udp.${realm}`), yield* srvOf(`${label}._tcp.${realm}`)]
    if (isRefusal(udp) && isRefusal(tcp)) return near
    const found = merged(serversOfSrv(udp, 'udp', random), serversOfSrv(tcp, 'tcp', random))
    if (found.length > 0) return [...near, ...found.filter((server) => !near.some(({ host }) => host === server.host))]
  }
  return near
}

/** The domain controllers of a site of Active Directory ([MS-ADTS] §6.3.2.3), which speak UDP as well. */
function* nearServers(site: string, realm: string, random: Random): Exchange<DnsQuestions, readonly KdcAddress[]> {
  const name = `_kerberos._tcp.${site}._sites.dc._msdcs.${realm}`
  if (!isDomain(name)) return []
  return serversOfSrv(yield* srvOf(name), 'tcp', random).map(({ host, port }) => ({ host, port }))
}

const srvOf = (name: string) => ask<DnsQuestions, 'srv'>('srv', { name })

/** Whether the DNS can have such a name at all: what a peer calls a realm goes into a query only then. */
const isDomain = (name: string): boolean =>
  name.length <= 253 && name.split('.').every((label) => /^[\w-]{1,63}$/.test(label))
