/** GSS-Proxy: keys in a process of their own, as client and as server (the protocol of the gssproxy project). @module */
export {
  acquireByProxy,
  gssProxyMechanism,
  type LocalMechanism,
  type ProxyAcquisition,
  type ProxyCall,
  ProxyCredential,
  type ProxyQuestions,
} from './client.ts'
export { type GssProxyConfig, GssProxyConfigError, parseGssProxyConfig, type ServiceConfig } from './config.ts'
export { type CallReport, type GssProxyServer, gssProxyServer, type ProxyOptions } from './server.ts'
export type { Acquired, ProxyService, Vault } from './service.ts'
export { XdrError } from './xdr.ts'
