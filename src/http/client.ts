import { GssError, type SecurityContext } from '../gss/index.ts'
import { type Authorization, type AuthorizationOptions, authorization } from './authorization.ts'
import { negotiateChallenge } from './challenge.ts'
import { MutualAuthenticationError, NegotiateError } from './error.ts'
import { type Origins, originTest } from './origins.ts'
import { REDIRECTS_MAX, redirection } from './redirect.ts'
import { argumentsOf, drain, type Outgoing, outgoing } from './request.ts'

/** What {@link createNegotiateFetch} needs to know. */
export interface NegotiateFetchOptions extends AuthorizationOptions {
  /** Where the user may be named; wherever a challenge comes from unless said. A 401 from elsewhere is returned as it is. */
  readonly origins?: Origins | undefined
  /**
   * Whether an error (400 and up) without the proof that is `required` loses its body and its fields but `date` and
   * `server`: somebody else may have written it. Yes unless said; a 401 is returned as it is in any case.
   */
  readonly sanitizeMutualErrorResponse?: boolean | undefined
  /** What sends each request; the runtime's own unless said. */
  readonly fetch?: typeof fetch | undefined
  /** Takes over the established context of an authenticated response, and disposes of it. */
  readonly onContext?: ((context: SecurityContext, response: Response) => void) | undefined
  /** Learns why a server refused the credentials, as far as it told; the 401 is returned all the same. */
  readonly onRefused?: ((error: GssError, response: Response) => void) | undefined
}

/**
 * A `fetch` that answers Negotiate challenges (RFC 4559). Each request has a context of its own; no token is sent twice,
 * and none without a challenge of that origin. Redirects are followed here, so that each hop gets its own token.
 *
 * A 401 with other challenges, or one that refuses the token, is returned as it is. Rejects with what the mechanism or
 * `credentials` throw when there is no token to be had (GssError, its `cause` kept), with {@link MutualAuthenticationError},
 * with {@link NegotiateError}, with the signal's reason, and with whatever the underlying `fetch` rejects with.
 */
export function createNegotiateFetch(options: NegotiateFetchOptions): typeof fetch {
  const mayLearn = options.origins ? originTest(options.origins) : () => true
  const settings = { ...options, fetch: options.fetch ?? globalThis.fetch, mayLearn }
  return async (input, init) => {
    let request = await outgoing(input, init)
    for (let redirects = 0; ; redirects++) {
      const response = await exchange(request, settings)
      const next = await orDiscard(response, () => redirection(request, response))
      if (!next) return redirects === 0 ? response : markRedirected(response)
      await drain(response)
      if (redirects === REDIRECTS_MAX)
        throw new NegotiateError('BAD_REDIRECT', `${next.url.href} is the end of more than ${REDIRECTS_MAX} redirects`)
      request = next
    }
  }
}

type Settings = NegotiateFetchOptions & { readonly fetch: typeof fetch; readonly mayLearn: (url: URL) => boolean }

/** One request and its answer: with a context once the server asks for one. */
async function exchange(request: Outgoing, settings: Settings): Promise<Response> {
  const { url, signal, mayAuthenticate } = request
  const first = await transmit(request, settings)
  if (first.status !== 401 || !mayAuthenticate || !settings.mayLearn(url) || !challengeOf(first)) return first
  // A forwarded ticket is for the site that the caller named, and for those that he listed.
  const { delegate } = settings
  const withheld = delegate === true && !settings.origins && url.origin !== request.home
  const attempt = await orDiscard(first, () =>
    authorization(url, { ...settings, delegate: withheld ? false : delegate, signal }),
  )
  let handedOver = false
  try {
    const response = await authenticate(attempt, first, request, settings)
    if (attempt.context.complete && response.status !== 401 && settings.onContext) {
      handedOver = true
      settings.onContext(attempt.context, response)
    }
    return response
  } finally {
    if (!handedOver) attempt[Symbol.dispose]()
  }
}

/** Sends tokens until the server is content, refuses, or has nothing further to say. */
async function authenticate(
  attempt: Authorization,
  first: Response,
  request: Outgoing,
  settings: Settings,
): Promise<Response> {
  let response = first
  for (let header: string | undefined = attempt.header; header !== undefined; ) {
    await drain(response)
    const answer = await transmit(request, settings, header)
    response = answer
    if (answer.status !== 401) return orDiscard(answer, () => confirm(attempt, answer, settings))
    try {
      header = await orDiscardUnlessRefused(answer, () => attempt.answer(answer.headers.get('www-authenticate')))
    } catch (error) {
      if (!(error instanceof GssError)) throw error
      settings.onRefused?.(error, answer)
      return answer
    }
  }
  return response
}

/** The response, or what may be shown of it, once the server has proved who it is. Throws {@link MutualAuthenticationError}. */
async function confirm(
  attempt: Authorization,
  response: Response,
  { sanitizeMutualErrorResponse = true }: Settings,
): Promise<Response> {
  const proven = await attempt.isProven(response.headers.get('www-authenticate'))
  if (proven || attempt.mutualAuthentication === 'optional') return response
  // A redirect says where to believe the next answer: it has to be the server's own as much as a page.
  if (response.status < 400)
    throw new MutualAuthenticationError(
      attempt.url.href,
      `the server answered ${response.status} without a token that says who it is; if it cannot send one, ` +
        "set mutualAuthentication to 'optional' and rely on TLS",
    )
  if (!sanitizeMutualErrorResponse) return response
  await drain(response)
  return sanitized(response)
}

/** What an error says that anybody may have written: its status, when, and by what kind of server. */
function sanitized({ status, statusText, headers, url }: Response): Response {
  const kept = ['date', 'server'].flatMap((name) => {
    const value = headers.get(name)
    return value === null ? [] : [[name, value] as [string, string]]
  })
  const response = new Response(null, { status, statusText, headers: [...kept, ['content-length', '0']] })
  return Object.defineProperty(response, 'url', { value: url })
}

function transmit(request: Outgoing, { fetch: send }: Settings, header?: string): Promise<Response> {
  return send(...argumentsOf(request, header))
}

const challengeOf = ({ headers }: Response) => negotiateChallenge(headers.get('www-authenticate'))

/** As orDiscard, but a refusal's response is the caller's to read. */
function orDiscardUnlessRefused<T>(response: Response, work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) =>
    error instanceof GssError
      ? Promise.reject(error)
      : orDiscard(response, () => {
          throw error
        }),
  )
}

/** Runs `work`; when it fails, nobody will read `response`, so its connection is let go. */
async function orDiscard<T>(response: Response, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await response.body?.cancel().catch(() => undefined)
    throw error
  }
}

/** What `fetch` itself says of a response that redirects led to. */
function markRedirected(response: Response): Response {
  return Object.defineProperty(response, 'redirected', { value: true })
}
