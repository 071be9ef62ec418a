/** Which realm a host may belong to, as far as the configuration knows (MIT's "hostrealm" plug-ins profile and domain). @module */
import type { KrbConfig } from './options.ts'

/** The realm of a host: by its own name, then by ever larger domains; empty when none is named. */
export function realmOfHost({ domainRealm }: Pick<KrbConfig, 'domainRealm'>, host: string): string {
  const name = hostNameOf(host)
  const own = domainRealm.get(name)
  if (own !== undefined) return own
  for (const domain of domainsOf(name)) {
    const realm = domainRealm.get(`.${domain}`) ?? domainRealm.get(domain)
    if (realm !== undefined) return realm
  }
  return domainRealm.get('.') ?? ''
}

/**
 * Realms that a host may belong to by the name of its domains, the likeliest first: as many as realm_try_domains lets be
 * tried. The first that has a KDC is the host's.
 */
export const realmCandidates = ({ realmTryDomains }: Pick<KrbConfig, 'realmTryDomains'>, host: string): string[] =>
  [...(isAddress(host) ? [] : [hostNameOf(host)]), ...domainsOf(hostNameOf(host))]
    .slice(0, realmTryDomains + 1)
    .filter((domain) => domain.includes('.'))
    .map((domain) => domain.toUpperCase())

/** A host with the domain that qualify_shortname gives to names without one; as it is where that says none. */
export const qualifiedHost = ({ qualifyShortname }: Pick<KrbConfig, 'qualifyShortname'>, host: string): string =>
  qualifyShortname && !host.includes('.') && !isAddress(host) ? `${host}.${qualifyShortname}` : host

const hostNameOf = (host: string): string => host.toLowerCase().replace(/\.$/, '')

const isAddress = (name: string): boolean => name.includes(':') || /^[\d.]+$/.test(name)

/** Names in the DNS whose TXT record may say the realm of a host: the host's, then those of its domains (dns_lookup_realm). */
export const realmRecordNames = (host: string): string[] =>
  isAddress(host) ? [] : [hostNameOf(host), ...domainsOf(hostNameOf(host))].map((name) => `_kerberos.${name}`)

/** Every domain that a host is in, the smallest first. */
function domainsOf(name: string): string[] {
  if (isAddress(name)) return []
  const labels = name.split('.')
  return labels.slice(1).map((_, i) => labels.slice(i + 1).join('.'))
}
