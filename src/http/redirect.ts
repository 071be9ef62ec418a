import { NegotiateError } from './error.ts'
import type { Outgoing } from './request.ts'

/** Redirects that are followed for one call, as many as `fetch` follows. */
export const REDIRECTS_MAX = 20

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Fields that describe a body, and go when it goes (Fetch standard, "request-body-header name"). */
const bodyFields = ['content-encoding', 'content-language', 'content-length', 'content-location', 'content-type']

/** Fields that were meant for one origin alone. */
const originFields = ['authorization', 'cookie', 'host', 'proxy-authorization']

/**
 * The request that `response` redirects to, as the Fetch standard's HTTP-redirect fetch makes it; undefined when it is
 * no redirect or the caller follows redirects himself. What was meant for one origin does not reach another, and from
 * https to http nobody authenticates. Throws {@link NegotiateError} BAD_REDIRECT.
 */
export function redirection(request: Outgoing, response: Response): Outgoing | undefined {
  if (request.redirect !== 'follow') return undefined
  if (response.type === 'opaqueredirect')
    throw new NegotiateError('BAD_REDIRECT', `${request.url.href}: this runtime does not tell where redirects lead`)
  const location = response.headers.get('location')
  if (!redirectStatuses.has(response.status) || location === null) return undefined
  const url = target(location, request.url)
  const headers = new Headers(request.headers)
  const becomesGet = turnsIntoGet(response.status, request.method)
  if (becomesGet) for (const field of bodyFields) headers.delete(field)
  if (url.origin !== request.url.origin) for (const field of originFields) headers.delete(field)
  const insecure = request.url.protocol === 'https:' && url.protocol === 'http:'
  return {
    ...request,
    url,
    headers,
    method: becomesGet ? 'GET' : request.method,
    body: becomesGet ? () => null : request.body,
    mayAuthenticate: request.mayAuthenticate && !insecure,
  }
}

function target(location: string, base: URL): URL {
  let url: URL
  try {
    url = new URL(location, base)
  } catch (cause) {
    throw new NegotiateError('BAD_REDIRECT', `${base.href} redirects to what is no URL`, { cause })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new NegotiateError('BAD_REDIRECT', `${base.href} redirects to ${url.protocol}, where HTTP does not lead`)
  if (url.username !== '' || url.password !== '')
    throw new NegotiateError('BAD_REDIRECT', `${base.href} redirects to a URL with a user's name or password in it`)
  url.hash ||= base.hash
  return url
}

function turnsIntoGet(status: number, method: string): boolean {
  const name = method.toUpperCase()
  if (status === 303) return name !== 'GET' && name !== 'HEAD'
  return (status === 301 || status === 302) && name === 'POST'
}
