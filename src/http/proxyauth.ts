import { type AuthorizationOptions, authorization } from './authorization.ts'

/** What an agent of proxy-agents 9 tells of a 407, as far as it is of interest. */
export interface ProxyAuthRequest {
  readonly response: { readonly headers: Readonly<Record<string, string | string[] | undefined>> }
}

/** The `onProxyAuth` of an agent: fields for the CONNECT or request that is sent again. */
export type OnProxyAuth = (request: ProxyAuthRequest) => Promise<{ headers: { 'Proxy-Authorization': string } }>

/**
 * `onProxyAuth` for the agents of https-proxy-agent and http-proxy-agent 9.1: a token of its own for each 407 of the proxy
 * at `proxy` (RFC 4559 §4, with the fields of RFC 9110 §11.7), to which these agents give no second leg. The proxy does not
 * prove who it is: the agents do not show what it answers. Rejects with what {@link authorization} rejects with.
 */
export function createProxyAuth(proxy: string | URL, options: AuthorizationOptions): OnProxyAuth {
  return async ({ response: { headers } }) => {
    const challenge = [headers['proxy-authenticate'] ?? []].flat().join(', ')
    using attempt = await authorization(proxy, { ...options, mutualAuthentication: 'disabled', challenge })
    return { headers: { 'Proxy-Authorization': attempt.header } }
  }
}
