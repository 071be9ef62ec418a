/** Kerberos on Node, Deno and Bun: sockets, files, the terminal, and a KDC to listen on. @module */
export type { AcquireOptions, CredentialStore } from './acquire.ts'
export { hostAddress, ownAddresses } from './addresses.ts'
export type { CacheCollection, CredentialCache } from './caches/cache.ts'
export { type CachesOptions, CredentialCaches } from './caches/caches.ts'
export { type Environment, environment, loadConfig } from './environment.ts'
export { GssProxyConnection, type GssProxyOptions } from './gssproxy/client.ts'
export { type GssProxyListening, listenGssProxy, type ProxySocket } from './gssproxy/listen.ts'
export { KerberosService, type ServiceOptions } from './gssproxy/service.ts'
export { MemoryVault } from './gssproxy/vault.ts'
export { kdcProxyListener } from './kdcproxy.ts'
export { Kerberos, type KerberosOptions } from './kerberos.ts'
export { type KeytabStore, Keytabs } from './keytabs.ts'
export { type Handler, type Listening, type ListenOptions, listen } from './listen.ts'
export type { DnsAccess } from './locator.ts'
export { Login, type LoginResult } from './login.ts'
export type { LoginOptions } from './loginoptions.ts'
export type { ChangeOptions, CheckOptions } from './logins.ts'
export { PromptError, promptSecret, secretPrompter } from './prompt.ts'

export {
  type Realm,
  type RealmOptions,
  type Realms,
  type RealmsOptions,
  startRealm,
  startRealms,
} from './realm.ts'
export type { RedisClient, RedisOptions } from './redis.ts'
export type { ReplayCache } from './replay/cache.ts'
export { File2ReplayCache } from './replay/file2.ts'
export { replayCacheNamed } from './replay/named.ts'
export { RedisReplayCache } from './replay/redis.ts'
export type { Stored, StoreOptions } from './storedcredentials.ts'
export { kdcTransport, type Patience, type Transport, type TransportOptions } from './transport.ts'
export { nodeEnv, nodeWorld, traceTo, type WorldOptions } from './world.ts'
