/** The embedded KDC: realms to start for tests, and what they are made of. @module */
export {
  MemoryDatabase,
  type PasswordDatabase,
  type PrincipalDatabase,
  type PrincipalOptions,
  type PrincipalRecord,
} from '../kdc/database.ts'
export { type AnswerFaults, type Faults, InjectedFaults } from '../kdc/faults.ts'
export type { Identity } from '../kdc/identity.ts'
export { createKdc, type KdcEvent, type KdcFunction, type KdcOptions } from '../kdc/kdc.ts'
export {
  type AskedChange,
  createKpasswd,
  type KpasswdEvent,
  type KpasswdFunction,
  type KpasswdOptions,
} from '../kdc/kpasswd.ts'
export type { Limits } from '../kdc/policy.ts'
export {
  createKdcProxy,
  type ProxiedMessage,
  type ProxyAnswer,
  type ProxyRequest,
  type ProxyTarget,
} from '../kdc/proxy.ts'
export {
  type Realm,
  type RealmOptions,
  type Realms,
  type RealmsOptions,
  startRealm,
  startRealms,
} from './realm.ts'
