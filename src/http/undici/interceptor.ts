import type { AuthorizationOptions } from '../authorization.ts'
import { AskingFolders, type OpportunisticAuth } from '../opportunity.ts'
import { type Origins, originTest } from '../origins.ts'
import { REPLAY_OCTETS_MAX } from '../request.ts'
import type { DispatchHandler, DispatchOptions, Interceptor } from './dispatch.ts'
import { Negotiation, originServer, proxyServer } from './negotiation.ts'

/** What {@link negotiate} and {@link negotiateProxy} need to know. */
export interface InterceptorOptions extends AuthorizationOptions {
  /** Where the user may be named; wherever a challenge comes from unless said. Needed by `delegate` and `opportunisticAuth`. */
  readonly origins?: Origins | undefined
  /** As in createNegotiateFetch; but a token goes out unasked to the `origins` that are listed alone. */
  readonly opportunisticAuth?: OpportunisticAuth | undefined
  /** Octets of a streamed body that are kept, so that it can be sent again. */
  readonly maxReplayBytes?: number | undefined
  /** Whether an error without the proof that is `required` loses its body and most fields. Yes unless said. */
  readonly sanitizeMutualErrorResponse?: boolean | undefined
  /** Learns why a server refused the credentials, as far as it told; the 401 is passed on all the same. */
  readonly onRefused?: ((error: Error, url: URL) => void) | undefined
}

/**
 * An interceptor that answers Negotiate challenges (RFC 4559): `new Agent().compose(negotiate(options))`. It is to be the
 * first of those that are composed, so that redirects and retries, composed after it, get a fresh token each. Requests fail
 * with what the mechanism or `credentials` throw, with MutualAuthenticationError and with NegotiateError.
 *
 * Throws TypeError for `delegate: true` and `opportunisticAuth: true` without `origins`: it does not see what the caller
 * asked for, only where redirects lead.
 */
export function negotiate(options: InterceptorOptions): Interceptor {
  const { origins, delegate, opportunisticAuth = false } = options
  if (!origins && (delegate === true || opportunisticAuth === true))
    throw new TypeError('delegate: true and opportunisticAuth: true are for origins that are listed: set origins')
  return interceptor(originServer, { ...options, opportunisticAuth })
}

/**
 * As {@link negotiate}, for a proxy: a token of its own for each CONNECT, without waiting for a 407 unless `opportunisticAuth`
 * is false. For ProxyAgent's `clientFactory`: `(url, options) => new Pool(url, options).compose(negotiateProxy({ … }))`.
 * Requests fail with NegotiateError PROXY_REFUSED where the proxy does not let the user through.
 *
 * `mutualAuthentication` is `optional` unless said: proxies seldom prove who they are, and TLS through them does not depend on it.
 */
export function negotiateProxy(options: InterceptorOptions): Interceptor {
  const { opportunisticAuth = true, mutualAuthentication = 'optional' } = options
  return interceptor(proxyServer, { ...options, opportunisticAuth, mutualAuthentication })
}

function interceptor(
  server: typeof originServer | typeof proxyServer,
  options: InterceptorOptions & { readonly opportunisticAuth: OpportunisticAuth },
): Interceptor {
  const mayLearn = options.origins ? originTest(options.origins) : () => true
  const { maxReplayBytes = REPLAY_OCTETS_MAX, opportunisticAuth } = options
  const settings = {
    ...{ ...options, server, asking: new AskingFolders() },
    replay: { octets: maxReplayBytes, orOnce: opportunisticAuth === true },
  }
  return (dispatch) => (request, handler) => {
    const url = urlOf(request)
    if (!mayLearn(url)) return dispatch(request, handler)
    // Whatever else the dispatcher's own types say of both is handed on untouched.
    const send = dispatch as unknown as (request: DispatchOptions, handler: DispatchHandler) => boolean
    void new Negotiation(send, request, handler as DispatchHandler, url, settings).start()
    return true
  }
}

/** Where a request goes. Throws TypeError where that is not said: an Agent says it, a Client or a Pool does not. */
function urlOf({ origin, path }: DispatchOptions): URL {
  // A CONNECT has no path, but the host to connect to.
  const reference = path.startsWith('/') ? path : '/'
  if (origin === undefined || !URL.canParse(reference, String(origin)))
    throw new TypeError(
      `whom to authenticate to is not known: give the request an origin (not ${origin}), or use an Agent`,
    )
  return new URL(reference, origin)
}
