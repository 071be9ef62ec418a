/** Negotiate in undici (RFC 4559): for requests, for CONNECT at a proxy, and channel bindings of its TLS connections. @module */
export { type Connector, type TlsChannels, tlsChannels } from './channels.ts'
export type { DispatchController, DispatchHandler, DispatchOptions, Interceptor } from './dispatch.ts'
export { type InterceptorOptions, negotiate, negotiateProxy } from './interceptor.ts'
