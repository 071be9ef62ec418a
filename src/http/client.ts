import { GssError, type SecurityContext } from '../gss/index.ts'
import { type Authorization, type AuthorizationOptions, authorization } from './authorization.ts'
import { negotiateChallenge } from './challenge.ts'
import { MutualAuthenticationError, NegotiateError } from './error.ts'
import { AskingFolders, type OpportunisticAuth } from './opportunity.ts'
import { type Origins, originTest } from './origins.ts'
import { REDIRECTS_MAX, redirection } from './redirect.ts'
import { argumentsOf, drain, type Outgoing, outgoing, REPLAY_OCTETS_MAX } from './request.ts'

/** What {@link createNegotiateFetch} needs to know. */
export interface NegotiateFetchOptions extends AuthorizationOptions {
  /** Where the user may be named; wherever a challenge comes from unless said. A 401 from elsewhere is returned as it is. */
  readonly origins?: Origins | undefined
  /**
   * Whether an error (400 and up) without the proof that is `required` loses its body and its fields but `date` and
   * `server`: somebody else may have written it. Yes unless said; a 401 is returned as it is in any case.
   */
  readonly sanitizeMutualErrorResponse?: boolean | undefined
  /**
   * Whether a token goes out before the server asks for one: that spares a round trip and the second sending of a body.
   * What needs no authentication answers without a proof, which `required` does not take.
   */
  readonly opportunisticAuth?: OpportunisticAuth | undefined
  /**
   * Octets of a streamed body that are kept, so that it can be sent again; {@link REPLAY_OCTETS_MAX} unless said. A longer
   * one rejects with {@link NegotiateError} BODY_NOT_REPLAYABLE: at once, or with `opportunisticAuth: true`, with which it
   * goes out all the same, when the server asks for it again.
   */
  readonly maxReplayBytes?: number | undefined
  /** What sends each request; the runtime's own unless said. */
  readonly fetch?: typeof fetch | undefined
  /** Takes over the established context of an authenticated response, and disposes of it. */
  readonly onContext?: ((context: SecurityContext, response: Response) => void) | undefined
  /** Learns why a server refused the credentials, as far as it told; the 401 is returned all the same. */
  readonly onRefused?: ((error: GssError, response: Response) => void) | undefined
}

/** What one call may have otherwise than {@link createNegotiateFetch} was told. */
export interface NegotiateRequestInit extends RequestInit {
  readonly negotiate?: Partial<AuthorizationOptions> | undefined
}

/** A `fetch` that authenticates. */
export type NegotiateFetch = (input: RequestInfo | URL, init?: NegotiateRequestInit) => Promise<Response>

/**
 * A `fetch` that answers Negotiate challenges (RFC 4559). Each request has a context of its own; no token is sent twice,
 * and none without a challenge of that origin unless `opportunisticAuth` says so. Redirects are followed here, so that each
 * hop gets its own token.
 *
 * A 401 with other challenges, or one that refuses the token, is returned as it is. Rejects with what the mechanism or
 * `credentials` throw when there is no token to be had (GssError, its `cause` kept), with {@link MutualAuthenticationError},
 * with {@link NegotiateError}, with the signal's reason, and with whatever the underlying `fetch` rejects with.
 */
export function createNegotiateFetch(options: NegotiateFetchOptions): NegotiateFetch {
  const {
    origins,
    opportunisticAuth = false,
    maxReplayBytes = REPLAY_OCTETS_MAX,
    fetch: send = globalThis.fetch,
  } = options
  const mayLearn = origins ? originTest(origins) : () => true
  const asking = new AskingFolders()
  const replay = { octets: maxReplayBytes, orOnce: opportunisticAuth === true }
  return async (input, { negotiate, ...init } = {}) => {
    const settings: Settings = { ...options, ...negotiate, opportunisticAuth, fetch: send, mayLearn, asking }
    let request = await outgoing(input, init, replay)
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

interface Settings extends NegotiateFetchOptions {
  readonly fetch: typeof fetch
  readonly mayLearn: (url: URL) => boolean
  readonly opportunisticAuth: OpportunisticAuth
  readonly asking: AskingFolders
}

/** One request and its answer: with a context once the server asks for one, or before. */
async function exchange(request: Outgoing, settings: Settings): Promise<Response> {
  const mayAuthenticate = request.mayAuthenticate && settings.mayLearn(request.url)
  let attempt = mayAuthenticate && isOpportune(request, settings) ? await beginUnasked(request, settings) : undefined
  let first: Response | undefined
  if (!attempt) {
    const refusal = await transmit(request, settings)
    if (refusal.status !== 401 || !mayAuthenticate || !challengeOf(refusal)) return refusal
    settings.asking.add(request.url)
    attempt = await orDiscard(refusal, () => begin(request, settings))
    first = refusal
  }
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

function isOpportune({ url, home }: Outgoing, { opportunisticAuth, origins, asking }: Settings): boolean {
  if (opportunisticAuth === 'after-challenge') return asking.has(url)
  return opportunisticAuth && (url.origin === home || origins !== undefined)
}

function begin({ url, home, signal }: Outgoing, settings: Settings): Promise<Authorization> {
  // A forwarded ticket is for the site that the caller named, and for those that he listed.
  const { delegate, origins } = settings
  const withheld = delegate === true && !origins && url.origin !== home
  return authorization(url, { ...settings, delegate: withheld ? false : delegate, signal })
}

/** A token that nobody asked for is done without where there is none: the site may be open to everybody. */
async function beginUnasked(request: Outgoing, settings: Settings): Promise<Authorization | undefined> {
  try {
    return await begin(request, settings)
  } catch (error) {
    if (error instanceof GssError) return undefined
    throw error
  }
}

/** Sends tokens until the server is content, refuses, or has nothing further to say. */
async function authenticate(
  attempt: Authorization,
  first: Response | undefined,
  request: Outgoing,
  settings: Settings,
): Promise<Response> {
  let response = first
  for (let header: string = attempt.header; ; ) {
    if (response) await drain(response)
    const answer = await transmit(request, settings, header)
    response = answer
    if (answer.status !== 401) return orDiscard(answer, () => confirm(attempt, answer, settings))
    try {
      const next = await orDiscardUnlessRefused(answer, () => attempt.answer(answer.headers.get('www-authenticate')))
      if (next === undefined) return answer
      header = next
    } catch (error) {
      if (!(error instanceof GssError)) throw error
      settings.onRefused?.(error, answer)
      return answer
    }
  }
}

/** The response, or what may be shown of it, once the server has proved who it is. Throws {@link MutualAuthenticationError}. */
async function confirm(
  attempt: Authorization,
  response: Response,
  { sanitizeMutualErrorResponse = true }: Settings,
): Promise<Response> {
  const shown = await attempt.judge(response.status, response.headers.get('www-authenticate'))
  if (shown === 'all' || !sanitizeMutualErrorResponse) return response
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

async function transmit(request: Outgoing, { fetch: send }: Settings, header?: string): Promise<Response> {
  const sent = argumentsOf(request, header)
  try {
    return await send(...sent)
  } catch (cause) {
    // What fetch says of a request without a token, of an abort and of a redirect that the caller forbids is its own.
    if (header === undefined || request.signal?.aborted || request.redirect === 'error') throw cause
    throw new NegotiateError(
      'CONNECTION_LOST',
      `${request.url.href} did not answer the request that carried a token (of ${header.length} characters: a server may ` +
        'hang up on large ones); what it did is not known, so nothing is sent again',
      { cause },
    )
  }
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
