/** Kerberos where there are no sockets of node:net and no files: workers, browsers. @module */
export { EdgeKerberos, type EdgeLogin, type EdgeLoginOptions, type EdgeOptions } from './kerberos.ts'
export type { Connect, EdgeSocket } from './sockets.ts'
export { type EdgeTransportOptions, edgeTransport } from './transport.ts'
export { edgeEnv } from './world.ts'
