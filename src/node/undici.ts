/** Negotiate in undici with the credentials that C programs on this machine use. @module */
import type { Interceptor } from '../http/undici/dispatch.ts'
import {
  negotiate as contractNegotiate,
  negotiateProxy as contractProxy,
  type InterceptorOptions,
} from '../http/undici/interceptor.ts'
import { withDefaults } from './negotiation.ts'

export { type Connector, type TlsChannels, tlsChannels } from '../http/undici/channels.ts'
export type {
  DispatchController,
  DispatchHandler,
  DispatchOptions,
  Interceptor,
} from '../http/undici/dispatch.ts'
export type { InterceptorOptions } from '../http/undici/interceptor.ts'

/**
 * An interceptor that answers Negotiate challenges, by default with the tickets of the environment's ccache:
 * `new Agent().compose(negotiate())`. Throws TypeError for `delegate: true` and `opportunisticAuth: true` without `origins`.
 */
export function negotiate(options: Partial<InterceptorOptions> = {}): Interceptor {
  return contractNegotiate(withDefaults(options, 'initiate'))
}

/** The same for the CONNECT requests of a ProxyAgent, each with a token of its own: for its `clientFactory`. */
export function negotiateProxy(options: Partial<InterceptorOptions> = {}): Interceptor {
  return contractProxy(withDefaults(options, 'initiate'))
}
