import { fromBase64, toBase64 } from '../bytes/index.ts'
import {
  type BoundMechanism,
  type ChannelBindings,
  type Credentials,
  defaultFlags,
  GssError,
  type GssFlag,
  SecurityContext,
} from '../gss/index.ts'
import { type Challenge, NEGOTIATE, negotiateChallenge } from './challenge.ts'
import { MutualAuthenticationError, NegotiateError } from './error.ts'
import { serviceName, type TargetName } from './target.ts'

/** Tokens sent for one resource before a server that keeps asking is given up: IAKERB takes the most. */
const LEGS_MAX = 10

/** Whether a server must prove who it is: see {@link AuthorizationOptions.mutualAuthentication}. */
export type MutualAuthentication = 'required' | 'optional' | 'disabled'

/** What a token is made of. */
export interface AuthorizationOptions {
  /** SPNEGO as a rule: bare krb5 is not what RFC 4559 says, though many servers take it. */
  readonly mech: BoundMechanism
  /** Who to be, or how to get to be somebody at a URL, which is asked for only when a server wants to know. */
  readonly credentials: Credentials | ((url: URL) => Credentials | Promise<Credentials>)
  /** The service at a URL; `HTTP@host` unless said, the host as the URL has it: DNS is not asked for another name. */
  readonly targetName?: TargetName | undefined
  /**
   * `required` (the default): a response that is no error, to a request that carried a token, must bring the server's
   * last token, and it must verify. `optional`: it must verify if it is there. `disabled`: mutual authentication is not
   * asked for. A response to a request without a token is taken as it is: TLS vouches for that one.
   */
  readonly mutualAuthentication?: MutualAuthentication | undefined
  /**
   * Whether the server may act in the user's name: `true` hands it a forwarded ticket-granting ticket, `policy` only
   * where the KDC says that the service is to be trusted with one (OK-AS-DELEGATE, RFC 5896). No unless said.
   */
  readonly delegate?: boolean | 'policy' | undefined
  /** What ties the token to the TLS channel it goes through (RFC 5929), or how to find that for a URL. */
  readonly channelBindings?: ChannelBindingsSource | undefined
}

/** Channel bindings, or how to find them for a URL; undefined for a channel that has none. */
export type ChannelBindingsSource =
  | ChannelBindings
  | ((url: URL) => ChannelBindings | undefined | Promise<ChannelBindings | undefined>)

/** What one call of {@link authorization} may add. */
export interface AuthorizationRequest {
  /** The WWW-Authenticate or Proxy-Authenticate field that asks; a token in it belongs to nobody's context. */
  readonly challenge?: string | null | undefined
  /** Ends the wait for a KDC. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Begins a context with the service at `url` and makes its first token: {@link Authorization.header} is for the
 * Authorization or Proxy-Authorization field of one request (RFC 4559 §4.2). With a `challenge` that does not offer
 * Negotiate rejects with {@link NegotiateError} NOT_OFFERED; else with what the mechanism or `credentials` throw
 * (GssError, its `cause` kept) and with the signal's reason.
 */
export async function authorization(
  url: string | URL,
  { challenge, signal, ...options }: AuthorizationOptions & AuthorizationRequest,
): Promise<Authorization> {
  const resource = new URL(url)
  if (challenge !== undefined && !negotiateChallenge(challenge))
    throw new NegotiateError('NOT_OFFERED', `${resource.href} does not ask for Negotiate: ${schemesIn(challenge)}`)
  signal?.throwIfAborted()
  const { channelBindings: source, mutualAuthentication = 'required' } = options
  const channelBindings =
    typeof source === 'function' ? await orAbort(Promise.resolve(source(resource)), signal, () => {}) : source
  const context = initiator(resource, { ...options, channelBindings })
  try {
    const token = await stepOrAbort(context, undefined, signal)
    if (!token) throw new GssError('GSS_S_FAILURE', 'the mechanism has nothing to say to the server')
    return new Authorization({ url: resource, context, token, mutualAuthentication, signal })
  } catch (error) {
    context[Symbol.dispose]()
    throw error
  }
}

interface Beginning {
  readonly url: URL
  readonly context: SecurityContext
  readonly token: Uint8Array
  readonly mutualAuthentication: MutualAuthentication
  readonly signal: AbortSignal | undefined
}

/** One request's proof of who sends it, and the context behind it; disposing of it wipes that. */
export class Authorization implements Disposable {
  readonly url: URL
  readonly context: SecurityContext
  readonly mutualAuthentication: MutualAuthentication
  readonly #signal: AbortSignal | undefined
  #header: string
  #legs = 1

  /** As {@link authorization} makes it. */
  constructor({ url, context, token, mutualAuthentication, signal }: Beginning) {
    this.url = url
    this.context = context
    this.mutualAuthentication = mutualAuthentication
    this.#signal = signal
    this.#header = fieldOf(token)
  }

  /** `Negotiate` and the newest token, for one request: no server takes a token twice. */
  get header(): string {
    return this.#header
  }

  /**
   * What to answer a 401 or 407 that came back, whose challenge is `field`: the next header; undefined when the server
   * has nothing to add, so has refused. Throws GssError with the server's reason as far as it told, and
   * {@link NegotiateError} TOO_MANY_LEGS.
   */
  async answer(field: string | null | undefined): Promise<string | undefined> {
    const challenge = negotiateChallenge(field ?? null)
    if (!challenge?.token68 || this.context.complete) return undefined
    const token = await stepOrAbort(this.context, tokenOf(challenge), this.#signal)
    if (!token) return undefined
    if (++this.#legs > LEGS_MAX)
      throw new NegotiateError('TOO_MANY_LEGS', `${this.url.href} asks for more than ${LEGS_MAX} tokens`)
    this.#header = fieldOf(token)
    return this.#header
  }

  /**
   * Whether `field`, the WWW-Authenticate (or Proxy-Authenticate) of a response that is no 401 (407), proves who the
   * server is (RFC 4559 §4.1); false when it says nothing of it. Always true where mutual authentication is disabled.
   * Throws {@link MutualAuthenticationError} for a proof that does not hold.
   */
  async isProven(field: string | null | undefined): Promise<boolean> {
    if (this.mutualAuthentication === 'disabled') return true
    const challenge = negotiateChallenge(field ?? null)
    const { context, url } = this
    if (challenge?.token68) {
      try {
        await stepOrAbort(context, tokenOf(challenge), this.#signal)
      } catch (cause) {
        if (this.#signal?.aborted) throw cause
        throw new MutualAuthenticationError(url.href, "the server's last token does not verify", { cause })
      }
    }
    if (context.complete && context.actualFlags.has('mutualAuthentication')) return true
    if (challenge?.token68) throw new MutualAuthenticationError(url.href, "the server's token does not say who it is")
    return false
  }

  /** As {@link isProven}, but throws {@link MutualAuthenticationError} also for want of a proof that is required. */
  async verify(field: string | null | undefined): Promise<void> {
    await this.judge(200, field)
  }

  /**
   * What may be shown of a response with this status and `field`: all of it, or its status alone, where it is an error
   * (400 and up) without the proof that is required. Throws {@link MutualAuthenticationError}: a redirect says where to
   * believe the next answer, so it has to be the server's own as much as a page.
   */
  async judge(status: number, field: string | null | undefined): Promise<'all' | 'status'> {
    if ((await this.isProven(field)) || this.mutualAuthentication !== 'required') return 'all'
    if (status >= 400) return 'status'
    throw new MutualAuthenticationError(
      this.url.href,
      `the server answered ${status} without a token that says who it is; if it cannot send one, ` +
        "set mutualAuthentication to 'optional' and rely on TLS",
    )
  }

  [Symbol.dispose](): void {
    this.context[Symbol.dispose]()
  }
}

function initiator(
  url: URL,
  options: AuthorizationOptions & { readonly channelBindings: ChannelBindings | undefined },
): SecurityContext {
  const { mech, credentials, channelBindings, targetName, mutualAuthentication, delegate } = options
  const flags = new Set<GssFlag>(defaultFlags)
  if (mutualAuthentication === 'disabled') flags.delete('mutualAuthentication')
  if (delegate === true) flags.add('delegateToPeer')
  if (delegate === 'policy') flags.add('okAsDelegate')
  const creds = typeof credentials === 'function' ? async () => credentials(url) : credentials
  return new SecurityContext({
    usage: 'initiate',
    mech,
    creds,
    name: serviceName(url, targetName),
    flags,
    channelBindings,
  })
}

const fieldOf = (token: Uint8Array): string => `${NEGOTIATE} ${toBase64(token)}`

const schemesIn = (field: string | null): string => field?.slice(0, SHOWN_MAX) || 'it asks for nothing'

/** Characters of a foreign field that an error repeats. */
const SHOWN_MAX = 100

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
  signal?.throwIfAborted()
  return orAbort(context.step(token), signal, () => context[Symbol.dispose]())
}

/** What `work` comes to, or the signal's reason if that comes first; `abandoned` is then called once `work` is over. */
async function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined, abandoned: () => void): Promise<T> {
  if (!signal) return work
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      work.then(abandoned, abandoned)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
