/** Every option of MIT's krb5.conf(5) (1.21, and what 1.22 added), one row each: read into a field, or let be for a reason. @module */
import { decode, encode } from '../asn1/codec.ts'
import { KdcOptions } from '../krb5/messages/basics.ts'
import { enctypeList } from './enctypelist.ts'
import type { LibDefaults, RealmConfig } from './options.ts'
import { ports, server } from './servers.ts'
import { duration, integer, listOf, type Notation, numericTruth, oneOf, text, truth, truthOrFallback } from './values.ts'

/** An option that ends in a field of `Fields`. */
export interface Option<Fields> {
  readonly field: keyof Fields & string
  /** How the value is written; of a list, how one item is. */
  readonly notation: Notation<unknown>
  /** `first`: of several relations the first counts; `each`: every one adds an item; `words`: every one adds a list of items. */
  readonly takes: 'first' | 'each' | 'words'
  readonly meaning: string
}

/** An option that is let be, and why. */
export interface Ignored {
  readonly ignored: string
}

type Item<T> = T extends readonly (infer One)[] ? One : never

const ignored = (why: string): Ignored => ({ ignored: why })

function takers<Fields>() {
  return {
    first: <F extends keyof Fields & string>(field: F, notation: Notation<NonNullable<Fields[F]>>, meaning: string): Option<Fields> =>
      ({ field, notation: notation as Notation<unknown>, takes: 'first', meaning }),
    each: <F extends keyof Fields & string>(field: F, notation: Notation<Item<Fields[F]>>, meaning: string): Option<Fields> =>
      ({ field, notation: notation as Notation<unknown>, takes: 'each', meaning }),
    words: <F extends keyof Fields & string>(field: F, notation: Notation<Item<Fields[F]>>, meaning: string): Option<Fields> =>
      ({ field, notation: listOf(notation) as Notation<unknown>, takes: 'words', meaning }),
  }
}

const lib = takers<LibDefaults>()
const realm = takers<RealmConfig>()

/** KDC options as one number of 32 bits, the first flag the highest (RFC 4120 §5.4.1). */
const kdcOptionsNumber: Notation<KdcOptions> = {
  parse(text) {
    const word = integer.parse(text)
    return decode(KdcOptions, Uint8Array.of(3, 5, 0, word >>> 24, word >>> 16, word >>> 8, word))
  },
  format(options) {
    const der = encode(KdcOptions, options)
    return `0x${new DataView(der.buffer, der.byteOffset).getUint32(3).toString(16).padStart(8, '0')}`
  },
}

const dhBits: Notation<LibDefaults['pkinitDhMinBits']> = {
  parse(text) {
    const word = oneOf('1024', '2048', '4096', 'P-256', 'P-384', 'P-521').parse(text)
    return word === '1024' ? 1024 : word === '2048' ? 2048 : word === '4096' ? 4096 : word
  },
  format: String,
}

/** What may stand in [libdefaults] for all realms, in [libdefaults] REALM = { } for one, and in [realms] REALM = { } as well. */
export const realmDefaultsOptions: Readonly<Record<string, Option<LibDefaults>>> = {
  disable_encrypted_timestamp:  lib.first('disableEncryptedTimestamp', truth,     'never prove knowledge of the password by an encrypted timestamp'),
  pkinit_anchors:               lib.each('pkinitAnchors', text,                   'CAs that KDC certificates must come from'),
  pkinit_cert_match:            lib.each('pkinitCertMatch', text,                 'which of several certificates is the user\'s'),
  pkinit_dh_min_bits:           lib.first('pkinitDhMinBits', dhBits,              'the smallest key agreement that is offered and taken'),
  pkinit_eku_checking:          lib.first('pkinitEkuChecking', oneOf('kpKDC', 'kpServerAuth', 'none'), 'the extended key usage that a KDC certificate must have'),
  pkinit_identities:            lib.each('pkinitIdentities', text,                'where the user\'s certificate and key are; the first that is there counts'),
  pkinit_kdc_hostname:          lib.each('pkinitKdcHostnames', text,              'DNS names that a KDC certificate may have in place of the KDC\'s principal'),
  pkinit_pool:                  lib.each('pkinitPool', text,                      'intermediate CAs'),
  pkinit_require_crl_checking:  lib.first('pkinitRequireCrlChecking', truth,      'refuse a KDC certificate whose CA has no revocation list here'),
  pkinit_revoke:                lib.each('pkinitRevoke', text,                    'revocation lists'),
}

/** What may stand in [libdefaults] for all realms, or in [libdefaults] REALM = { } for one. */
export const libdefaultsOptions: Readonly<Record<string, Option<LibDefaults> | Ignored>> = {
  allow_des3:                   ignored('not a field: lets des3-cbc-sha1-kd through in the lists of enctypes'),
  allow_rc4:                    ignored('not a field: lets rc4-hmac through in the lists of enctypes'),
  allow_weak_crypto:            ignored('single DES and export RC4 are not spoken here, whatever is allowed'),
  ap_req_checksum_type:         ignored('the enctype\'s own checksum is used, as RFC 4120 wants'),
  canonicalize:                 lib.first('canonicalize', truth,                  'let the KDC answer with another name of the client'),
  ccache_type:                  ignored('caches are written in version 4, which every program reads'),
  client_aware_channel_bindings: lib.first('clientAwareChannelBindings', truth,   'tell acceptors that channel bindings would be sent if there were any'),
  clockskew:                    lib.first('clockSkew', duration,                  'how far clocks may be apart; at most five minutes, for which replay caches remember'),
  default_ccache_name:          lib.first('defaultCcacheName', text,              'the cache where KRB5CCNAME names none'),
  default_client_keytab_name:   lib.first('defaultClientKeytabName', text,        'the keytab to log in with where KRB5_CLIENT_KTNAME names none'),
  default_keytab_name:          lib.first('defaultKeytabName', text,              'the keytab of services where KRB5_KTNAME names none'),
  default_rcache_name:          lib.first('defaultRcacheName', text,              'the replay cache where KRB5RCACHENAME names none'),
  default_realm:                lib.first('defaultRealm', text,                   'the realm of names that give none'),
  default_tgs_enctypes:         lib.first('tgsEnctypes', enctypeList,             'what service tickets are asked for; permitted_enctypes unless said'),
  default_tkt_enctypes:         lib.first('tktEnctypes', enctypeList,             'what initial tickets are asked for; permitted_enctypes unless said'),
  dns_canonicalize_hostname:    lib.first('dnsCanonicalizeHostname', truthOrFallback, 'have the DNS complete the host names of services; MIT says true unless told otherwise, kerb false, for the DNS is nobody to trust'),
  dns_fallback:                 ignored('an old name of dns_lookup_kdc and dns_lookup_realm together'),
  dns_lookup_kdc:               lib.first('dnsLookupKdc', truth,                  'find servers in the DNS where [realms] names none'),
  dns_lookup_realm:             lib.first('dnsLookupRealm', truth,                'find the realm of a host in the DNS (TXT _kerberos) where [domain_realm] names none'),
  dns_uri_lookup:               lib.first('dnsUriLookup', truth,                  'look for URI records before SRV records'),
  enforce_ok_as_delegate:       lib.first('enforceOkAsDelegate', truth,           'delegate only to services that the KDC marked ok-as-delegate'),
  err_fmt:                      ignored('errors are values here; whoever prints them decides how'),
  extra_addresses:              lib.words('extraAddresses', text,                 'addresses of a NAT that tickets are to be good from as well'),
  forwardable:                  lib.first('forwardable', truth,                   'ask for forwardable tickets'),
  ignore_acceptor_hostname:     lib.first('ignoreAcceptorHostname', truth,        'accept for any host\'s key of the service that was named'),
  k5login_authoritative:        lib.first('k5loginAuthoritative', truth,          'whether nobody but who is in a user\'s k5login file may act as that user'),
  k5login_directory:            lib.first('k5loginDirectory', text,               'the folder of k5login files, each named as its user; .k5login in users\' homes unless said'),
  kcm_mach_service:             ignored('macOS only; the KCM daemon is spoken to by its socket'),
  kcm_socket:                   lib.first('kcmSocket', text,                      'where the KCM daemon listens'),
  kdc_default_options:          lib.first('kdcDefaultOptions', kdcOptionsNumber,  'options of every request for an initial ticket'),
  kdc_req_checksum_type:        ignored('the enctype\'s own checksum is used, as RFC 4120 wants'),
  kdc_timesync:                 lib.first('followClock', numericTruth,            'follow the KDC\'s clock where it differs from ours'),
  noaddresses:                  lib.first('noAddresses', truth,                   'ask for tickets that are good from any address'),
  permitted_enctypes:           lib.first('permittedEnctypes', enctypeList,       'the enctypes that are offered and accepted, best first'),
  plugin_base_dir:              ignored('there are no plug-ins to load'),
  preferred_preauth_types:      lib.words('preferredPreauthTypes', integer,       'ways to pre-authenticate that are tried before others, by number'),
  proxiable:                    lib.first('proxiable', truth,                     'ask for proxiable tickets'),
  qualify_shortname:            lib.first('qualifyShortname', text,               'the domain of host names without one'),
  rdns:                         lib.first('rdns', truth,                          'complete host names by reverse look-up, too; false unless said, unlike MIT\'s'),
  realm_try_domains:            lib.first('realmTryDomains', integer,             'how many parents of a host\'s domain may name its realm'),
  renew_lifetime:               lib.first('renewLifetime', duration,              'how long tickets are to be renewable for'),
  request_timeout:              lib.first('requestTimeout', duration,             'how long the KDCs of a realm are asked in all'),
  safe_checksum_type:           ignored('the enctype\'s own checksum is used, as RFC 4120 wants'),
  spake_preauth_groups:         lib.words('spakeGroups', text,                    'groups that SPAKE may use; all that RFC 9588 has unless said'),
  ticket_lifetime:              lib.first('ticketLifetime', duration,             'how long tickets are to be good for'),
  udp_preference_limit:         lib.first('udpPreferenceLimit', integer,          'messages of more octets go by TCP first'),
  verify_ap_req_nofail:         lib.first('verifyApReqNofail', truth,             'take a password for unproved where there is no keytab to verify its ticket with'),
  ...realmDefaultsOptions,
}

/** What may stand in [realms] REALM = { }, next to {@link realmDefaultsOptions}. */
export const realmsOptions: Readonly<Record<string, Option<RealmConfig> | Ignored>> = {
  admin_server:         realm.each('adminServers', server(ports.kadmin),      'the host of kadmind, whose port 464 is the last place to change a password at'),
  auth_to_local:        realm.each('authToLocal', text,                       'rules that make a local name of a principal'),
  auth_to_local_names:  ignored('a subsection, read into authToLocalNames: local names of principals, one by one'),
  default_domain:       ignored('Kerberos 4'),
  http_anchors:         realm.each('httpAnchors', text,                       'CAs that the certificates of HTTPS proxies must come from'),
  kdc:                  realm.words('kdcs', server(ports.kdc),                'host, host:port, [v6]:port, tcp/host, udp/host, or https://host/KdcProxy (MS-KKDCP)'),
  kpasswd_server:       realm.words('kpasswdServers', server(ports.kpasswd),  'where passwords are changed'),
  master_kdc:           realm.words('primaryKdcs', server(ports.kdc),         'older name of primary_kdc'),
  primary_kdc:          realm.words('primaryKdcs', server(ports.kdc),         'KDCs that know of a changed password at once'),
  sitename:             realm.first('siteName', text,                         'the site whose KDCs are asked for first in the DNS'),
  v4_instance_convert:  ignored('Kerberos 4'),
  v4_realm:             ignored('Kerberos 4'),
}

/** Whole sections, and what becomes of each; others are let be as well. */
export const sections: Readonly<Record<string, string>> = {
  libdefaults:  'read, see below',
  realms:       'read, see below',
  domain_realm: 'read into domainRealm: realms of hosts and of domains',
  capaths:      'read into capaths: the realms on the way from a client\'s to a server\'s',
  appdefaults:  'kept as it is in appDefaults, for appDefault() to look up as MIT\'s krb5_appdefault functions do',
  plugins:      'disable and enable_only are read into plugins; module is let be, for nothing is loaded',
  dbdefaults:   'let be: of the KDC',
  dbmodules:    'let be: of the KDC',
  kadmin:       'let be: of the KDC (Heimdal)',
  kcm:          'let be: of the KCM daemon (Heimdal)',
  kdc:          'let be: of the KDC (Heimdal)',
  kdcdefaults:  'let be: of the KDC',
  logging:      'let be: of the daemons',
  login:        'let be: Kerberos 4',
  otp:          'let be: of the KDC',
  password_quality: 'let be: of the KDC (Heimdal)',
}
