/** krb5.conf, credential caches and keytabs as values; files are somebody else's matter. @module */

export { appDefault } from './appdefaults.ts'
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
export { configOfRealm, formatConfig, krbConfig, type RealmServers, readConfig } from './config.ts'
export { ConfigError, StoreError } from './error.ts'
export { realmCandidates, realmOfDomain, realmOfHost } from './hostrealm.ts'
export {
  entriesFromPassword,
  formatEntry,
  formatKeytab,
  type Keytab,
  type KeytabEntry,
  keysOf,
  parseKeytab,
} from './keytab.ts'
export { defaultConfig, type KrbConfig, type LibDefaults, type PluginConfig, type RealmConfig } from './options.ts'
export { type ConfigQuestions, loadProfile, parseProfile } from './profile.ts'
export { type ProfileEntry, type Section, valuesOf } from './section.ts'
export { formatKdcAddress, type KdcAddress, parseKdcAddress } from './servers.ts'
export { StoredKey } from './storedkey.ts'
export { parseDuration } from './values.ts'
