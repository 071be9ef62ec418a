/** krb5.conf, credential caches and keytabs as values; files are somebody else's matter. @module */

export { type CacheConfig, type CacheConfigKey, cacheConfig, configEntry, configOf } from './cacheconfig.ts'
export { type CacheContents, type Ccache, formatCcache, parseCcache } from './ccache.ts'
export { type CcacheEntry, credentialOf, entryOf } from './ccacheentry.ts'
export {
  defaultConfig,
  formatConfig,
  type KrbConfig,
  krbConfig,
  type RealmConfig,
  readConfig,
  realmOfHost,
} from './config.ts'
export { ConfigError, StoreError, type StoreKind } from './error.ts'
export {
  entriesFromPassword,
  formatKeytab,
  type Keytab,
  type KeytabEntry,
  keysOf,
  parseKeytab,
} from './keytab.ts'
export { formatKirbi, parseKirbi } from './kirbi.ts'
export { type ConfigQuestions, loadProfile, type ProfileEntry, parseProfile, type Section } from './profile.ts'
export { StoredKey } from './storedkey.ts'
export { formatKdcAddress, type KdcAddress, parseDuration, parseKdcAddress } from './values.ts'
