import { fromBase64, toBase64 } from '../bytes/index.ts'
import {
  type BoundMechanism,
  type Credentials,
  defaultFlags,
  GssError,
  type GssFlag,
  Name,
  SecurityContext,
} from '../gss/index.ts'
import { type Challenge, NEGOTIATE, negotiateChallenge } from './challenge.ts'
import { MutualAuthenticationError, NegotiateError } from './error.ts'
import { REDIRECTS_MAX, redirection } from './redirect.ts'
import { argumentsOf, drain, type Outgoing, outgoing } from './request.ts'

/** Tokens sent for one resource before a server that keeps asking is given up: IAKERB takes the most. */
const LEGS_MAX = 10

/** Whether a server must prove who it is: see {@link NegotiateFetchOptions.mutualAuthentication}. */
export type MutualAuthentication = 'required' | 'optional' | 'disabled'

/** What {@link createNegotiateFetch} needs to know. */
export interface NegotiateFetchOptions {
  /** SPNEGO as a rule: bare krb5 is not what RFC 4559 says, though many servers take it. */
  readonly mech: BoundMechanism
  /** Who to be, or how to get to be somebody, which is asked for only when a server wants to know. */
  readonly credentials: Credentials | (() => Promise<Credentials>)
  /**
   * `required` (the default): a 2xx response to a request that carried a token must bring the server's last token, and
   * it must verify. `optional`: it must verify if it is there. `disabled`: mutual authentication is not asked for.
   * A response to a request that the server let pass without a token is taken as it is: TLS vouches for that one.
   */
  readonly mutualAuthentication?: MutualAuthentication | undefined
  /** The service at a URL; `HTTP@host` unless said, the host as the URL has it: DNS is not asked for another name. */
  readonly targetName?: Name | ((url: URL) => Name) | undefined
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
  const settings = { ...options, fetch: options.fetch ?? globalThis.fetch }
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

type Settings = NegotiateFetchOptions & { readonly fetch: typeof fetch }

/** One request and its answer: with a context once the server asks for one. */
async function exchange(request: Outgoing, settings: Settings): Promise<Response> {
  const first = await transmit(request, settings)
  if (first.status !== 401 || !request.mayAuthenticate || !challengeOf(first)) return first
  const context = initiator(request.url, settings)
  let handedOver = false
  try {
    const response = await authenticate(context, first, request, settings)
    if (context.complete && response.status !== 401 && settings.onContext) {
      handedOver = true
      settings.onContext(context, response)
    }
    return response
  } finally {
    if (!handedOver) context[Symbol.dispose]()
  }
}

/** Sends tokens until the server is content, refuses, or has nothing further to say. */
async function authenticate(
  context: SecurityContext,
  first: Response,
  request: Outgoing,
  settings: Settings,
): Promise<Response> {
  let response = first
  // A first challenge carries no data (RFC 4559 §4.1); what is there all the same belongs to nobody's context.
  let token = await orDiscard(response, () => stepOrAbort(context, undefined, request.signal))
  for (let legs = 0; token; legs++) {
    await drain(response)
    if (legs === LEGS_MAX)
      throw new NegotiateError('TOO_MANY_LEGS', `${request.url.href} asks for more than ${LEGS_MAX} tokens`)
    response = await transmit(request, settings, token)
    if (response.status !== 401) {
      const answer = response
      await orDiscard(answer, () => confirm(context, answer, request, settings))
      return answer
    }
    const challenge = challengeOf(response)
    if (!challenge?.token68 || context.complete) return response
    try {
      token = await stepOrAbort(context, tokenOf(challenge), request.signal)
    } catch (error) {
      if (!(error instanceof GssError)) throw error
      settings.onRefused?.(error, response)
      return response
    }
  }
  return response
}

/** Lets the server prove who it is (RFC 4559 §4.1). Throws {@link MutualAuthenticationError}. */
async function confirm(
  context: SecurityContext,
  response: Response,
  { url, signal }: Outgoing,
  { mutualAuthentication = 'required' }: Settings,
): Promise<void> {
  if (mutualAuthentication === 'disabled') return
  const challenge = challengeOf(response)
  if (challenge?.token68) {
    try {
      await stepOrAbort(context, tokenOf(challenge), signal)
    } catch (cause) {
      if (signal?.aborted) throw cause
      throw new MutualAuthenticationError(url.href, "the server's last token does not verify", { cause })
    }
  }
  if (context.complete && context.actualFlags.has('mutualAuthentication')) return
  if (challenge?.token68) throw new MutualAuthenticationError(url.href, "the server's token does not say who it is")
  if (mutualAuthentication === 'required' && response.ok)
    throw new MutualAuthenticationError(
      url.href,
      `the server answered ${response.status} without a token that says who it is; if it cannot send one, ` +
        "set mutualAuthentication to 'optional' and rely on TLS",
    )
}

function initiator(
  url: URL,
  { mech, credentials: creds, targetName, mutualAuthentication }: Settings,
): SecurityContext {
  const flags = new Set<GssFlag>(defaultFlags)
  if (mutualAuthentication === 'disabled') flags.delete('mutualAuthentication')
  const name = typeof targetName === 'function' ? targetName(url) : (targetName ?? serviceName(url))
  return new SecurityContext({ usage: 'initiate', mech, creds, name, flags })
}

/** The service at `url` (RFC 4559 §4.1). */
function serviceName({ hostname }: URL): Name {
  return Name.hostbased(`HTTP@${hostname.replace(/^\[(.*)\]$/, '$1')}`)
}

function transmit(request: Outgoing, { fetch: send }: Settings, token?: Uint8Array): Promise<Response> {
  return send(...argumentsOf(request, token && `${NEGOTIATE} ${toBase64(token)}`))
}

const challengeOf = ({ headers }: Response): Challenge | undefined =>
  negotiateChallenge(headers.get('www-authenticate'))

function tokenOf({ token68 = '' }: Challenge): Uint8Array {
  try {
    return fromBase64(token68)
  } catch (cause) {
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', "the server's token is not base64", { cause })
  }
}

/** A step of `context` that an abort ends: the context is then wiped as soon as it lets go of what it waits for. */
async function stepOrAbort(
  context: SecurityContext,
  token: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  if (!signal) return context.step(token)
  signal.throwIfAborted()
  const step = context.step(token)
  const wipe = () => context[Symbol.dispose]()
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      step.then(wipe, wipe)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([step, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
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
