/** krb5.conf, credential caches and keytabs as values; files are somebody else's matter. @module */

export { appDefault } from './appdefaults.ts'
export { type CacheConfig, type CacheConfigKey, cacheConfig, configEntry, configOf } from './cacheconfig.ts'
export { type CacheContents, type Ccache, formatCcache, parseCcache } from './ccache.ts'
export { type CcacheEntry, credentialOf, entryOf } from './ccacheentry.ts'
export { configOfRealm, formatConfig, krbConfig, type RealmServers, readConfig } from './config.ts'
export type { SrvRecord, UriRecord } from './dnsrecords.ts'
export { ConfigError, StoreError, type StoreKind } from './error.ts'
export { realmCandidates, realmOfHost } from './hostrealm.ts'
export {
  entriesFromPassword,
  formatKeytab,
  type Keytab,
  type KeytabEntry,
  keysOf,
  parseKeytab,
} from './keytab.ts'
export { formatKirbi, parseKirbi } from './kirbi.ts'
export { localName } from './localname.ts'
export { type DnsQuestions, type LocateConfig, locateRealm, locateServers, type ServerKind } from './locate.ts'
export { defaultConfig, type KrbConfig, type LibDefaults, type PluginConfig, type RealmConfig } from './options.ts'
export { type ConfigQuestions, loadProfile, parseProfile } from './profile.ts'
export { type ProfileEntry, type Section, valuesOf } from './section.ts'
export { formatKdcAddress, type KdcAddress, parseKdcAddress } from './servers.ts'
export { StoredKey } from './storedkey.ts'
export { parseDuration } from './values.ts'
