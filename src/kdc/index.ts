/** A KDC as a function from request octets to reply octets, with its principals in memory. @module */
export {
  MemoryDatabase,
  type PasswordDatabase,
  type PrincipalDatabase,
  type PrincipalOptions,
  type PrincipalRecord,
} from './database.ts'
export { type AnswerFaults, type Faults, InjectedFaults } from './faults.ts'
export type { Identity } from './identity.ts'
export { createKdc, type KdcEvent, type KdcFunction, type KdcOptions } from './kdc.ts'
export {
  type AskedChange,
  createKpasswd,
  type KpasswdEvent,
  type KpasswdFunction,
  type KpasswdOptions,
} from './kpasswd.ts'
export type { Limits } from './policy.ts'
export {
  createKdcProxy,
  type ProxiedMessage,
  type ProxyAnswer,
  type ProxyRequest,
  type ProxyTarget,
} from './proxy.ts'
