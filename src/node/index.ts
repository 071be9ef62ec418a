/** Kerberos on Node, Deno and Bun: sockets, files, the terminal, and a KDC to listen on. @module */
export type { CacheCollection, CredentialCache } from './caches/cache.ts'
export { type CachesOptions, CredentialCaches } from './caches/caches.ts'
export { type Environment, environment, loadConfig } from './environment.ts'
export {
  type AcquireOptions,
  type CredentialStore,
  Kerberos,
  type KerberosOptions,
  type LoginOptions,
} from './kerberos.ts'
export { type KeytabStore, Keytabs } from './keytabs.ts'
export { type Handler, type Listening, type ListenOptions, listen } from './listen.ts'
export { Login } from './login.ts'
export { PromptError, promptSecret } from './prompt.ts'
export { type Realm, type RealmOptions, startRealm } from './realm.ts'
export { kdcTransport, type Patience, type TransportOptions } from './transport.ts'
export { nodeEnv, nodeWorld, type ReplayCache, traceTo, type WorldOptions } from './world.ts'
