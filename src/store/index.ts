/** krb5.conf, credential caches and keytabs as values; files are somebody else's matter. @module */
export {
  type Ccache,
  type CcacheEntry,
  CONFIG_REALM,
  configOf,
  credentialOf,
  entryOf,
  formatCcache,
  formatCcacheEntry,
  parseCcache,
} from './ccache.ts'
export {
  defaultConfig,
  formatConfig,
  type KrbConfig,
  krbConfig,
  type RealmConfig,
  readConfig,
  realmOfHost,
} from './config.ts'
export { ConfigError, StoreError } from './error.ts'
export {
  entriesFromPassword,
  formatEntry,
  formatKeytab,
  type Keytab,
  type KeytabEntry,
  keysOf,
  parseKeytab,
} from './keytab.ts'
export { type ConfigQuestions, loadProfile, type ProfileEntry, parseProfile, type Section } from './profile.ts'
export { StoredKey } from './storedkey.ts'
export { formatKdcAddress, type KdcAddress, parseDuration, parseKdcAddress } from './values.ts'
