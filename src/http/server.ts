import { fromBase64, toBase64, utf8 } from '../bytes/index.ts'
import {
  type BoundMechanism,
  type ChannelBindings,
  type Credentials,
  type EstablishedContext,
  GssError,
  type InitiatorAttributes,
  SecurityContext,
} from '../gss/index.ts'
import { type BasicOptions, Passwords } from './basic.ts'
import { FIELD_LENGTH_MAX, NEGOTIATE } from './challenge.ts'
import type { SessionRecord } from './ended.ts'
import { NegotiateError } from './error.ts'
import { type FoundPeer, type NegotiatePeer, type NegotiateRequest, peerOf } from './peer.ts'
import { PendingContexts } from './pending.ts'
import { type FailureReason, failureReason } from './reason.ts'
import { type SessionOptions, Sessions } from './session.ts'

/** What {@link createNegotiateAcceptor} needs to know. */
export interface NegotiateAcceptorOptions {
  /** SPNEGO as a rule; it takes bare krb5 tokens too. */
  readonly mech: BoundMechanism
  /** The keys to accept with, or how to get them. */
  readonly credentials: Credentials | ((request: NegotiateRequest) => Promise<Credentials>)
  /** The channel below (RFC 5929), or how to tell it from the connection: sites of several certificates need that. */
  readonly channelBindings?:
    | ChannelBindings
    | ((connection: object | undefined) => ChannelBindings | undefined)
    | undefined
  /** Whether clients that bind their tokens to no channel are refused; false unless said. */
  readonly requireChannelBindings?: boolean | undefined
  /** Whether nobody is let in, or asked for a token, but over TLS; false unless said. */
  readonly requireTls?: boolean | undefined
  /** Cookies in place of a token with every request; none unless said. They take `now` and `random`. */
  readonly session?: SessionOptions | undefined
  /** Passwords for those who have no tickets; none unless said. They take `now`. */
  readonly basic?: BasicOptions | undefined
  /** Whether whoever authenticated is taken for the sender of all that comes over the connection; false unless said. */
  readonly connectionBound?: boolean | undefined
  /** Whether one who failed is not offered Negotiate again, but only what else there is; false unless said. */
  readonly negotiateOnce?: boolean | undefined
  /** Reads what the KDC vouches for besides the name, as `initiatorAttributes` does, which it is on Node; nothing elsewhere unless said. */
  readonly attributes?: ((context: EstablishedContext) => InitiatorAttributes | undefined) | undefined
  /** Who a name is on this machine; who is nobody is refused with 403. */
  readonly localName?: ((name: NegotiatePeer['initiator']) => string | undefined) | undefined
  /** Whether one whose identity is known may come in; 403 otherwise. It is asked about every request. */
  readonly authorize?: ((peer: NegotiatePeer, request: NegotiateRequest) => boolean | Promise<boolean>) | undefined
  /** Microseconds since the epoch: contexts that wait for another leg are given up in time. Without it only their number is bounded. */
  readonly now?: (() => number) | undefined
  /** `size` octets that nobody can guess. */
  readonly random?: ((size: number) => Uint8Array) | undefined
}

/** Fields for the response, one of a name or several: nothing in them says why somebody was refused. */
export interface NegotiateHeaders {
  readonly 'www-authenticate'?: string | string[]
  readonly 'set-cookie'?: string
  /** Says that whoever authenticated need not do so again on this connection, as IIS says it. */
  readonly 'persistent-auth'?: 'true'
}

/** What came of a request. `status` and `headers` are the response's, or its beginning. */
export type Authentication =
  /** Nobody said who is there: ask. */
  | { readonly kind: 'challenge'; readonly status: 401; readonly headers: NegotiateHeaders }
  /** The context wants another leg over the same connection. */
  | { readonly kind: 'continue'; readonly status: 401; readonly headers: NegotiateHeaders }
  /** Somebody is there. `headers` may hold the token that proves who the server is; the peer is the caller's to dispose of. */
  | {
      readonly kind: 'success'
      readonly status: 200
      readonly headers: NegotiateHeaders
      readonly peer: NegotiatePeer
    }
  /** Refused. `reason` and `error` are for the server's own log: GssError, {@link NegotiateError}, or what a callback threw. */
  | {
      readonly kind: 'failure'
      readonly status: 401 | 403 | 429
      readonly headers: NegotiateHeaders
      readonly reason: FailureReason
      readonly error: unknown
    }

/** The server's side of RFC 4559, for any framework. */
export interface NegotiateAcceptor {
  /** Judges a request. Never rejects. */
  authenticate(request: NegotiateRequest): Promise<Authentication>
  /**
   * Ends what stands in for tokens of this peer: the sessions that began with the request or came with it, whoever has their
   * cookies, and what the connection is bound to.
   * Gives the fields that have the browser forget its cookie; without a peer that is all there is to it. Rejects with what
   * `session.ended` throws.
   */
  signOut(peer?: NegotiatePeer): Promise<NegotiateHeaders>
}

/** A server's side of HTTP Negotiate (RFC 4559 §4). Each request is judged by itself, unless sessions are wanted. */
export function createNegotiateAcceptor(options: NegotiateAcceptorOptions): NegotiateAcceptor {
  const acceptor = new Acceptor(options)
  return {
    authenticate: (request) => acceptor.authenticate(request),
    signOut: (peer) => acceptor.signOut(peer),
  }
}

class Acceptor implements NegotiateAcceptor {
  readonly #options: NegotiateAcceptorOptions
  readonly #now: () => number
  readonly #pending: PendingContexts
  readonly #sessions: Sessions | undefined
  readonly #passwords: Passwords | undefined
  /** Who came over which connection, where that counts. */
  readonly #bound = new WeakMap<object, FoundPeer>()
  /** What there is to end when somebody signs out. */
  readonly #signedIn = new WeakMap<NegotiatePeer, SignedIn>()

  constructor(options: NegotiateAcceptorOptions) {
    const { now, random, session, basic, connectionBound } = options
    if ((session || basic || connectionBound) && !now) throw new TypeError('sessions and passwords need `now`')
    if (session && !random) throw new TypeError('sessions need `random`')
    this.#options = options
    this.#now = now ?? (() => 0)
    this.#pending = new PendingContexts(this.#now)
    this.#sessions = session && new Sessions(session, { now: now!, random: random! })
    this.#passwords = basic && new Passwords(basic, now!)
  }

  async signOut(peer?: NegotiatePeer): Promise<NegotiateHeaders> {
    const { session, request } = (peer && this.#signedIn.get(peer)) ?? {}
    if (request?.connection) this.#bound.delete(request.connection)
    return this.#sessions ? { 'set-cookie': await this.#sessions.end(session, request) } : {}
  }

  async authenticate(request: NegotiateRequest): Promise<Authentication> {
    const begun = this.#pending.take(request.connection)
    const { scheme, credentials } = schemeOf(request.authorization)
    const negotiates = scheme === NEGOTIATE.toLowerCase()
    if (!negotiates) begun?.[Symbol.dispose]()
    try {
      if (this.#options.requireTls && !request.secure) throw new NegotiateError('INSECURE', 'it did not come over TLS')
      if (negotiates) return await this.#negotiate(credentials, request, begun)
      if (scheme === 'basic' && this.#passwords) return await this.#basic(credentials, request, this.#passwords)
      const known = (await this.#ofConnection(request)) ?? (await this.#sessions?.resume(request))
      return known ? await this.#admit(known, {}, request) : { kind: 'challenge', ...this.#challenge(request) }
    } catch (error) {
      begun?.[Symbol.dispose]()
      const reason = failureReason(error)
      if (reason === 'insecure' && this.#options.requireTls)
        return { kind: 'failure', status: 403, headers: {}, reason, error }
      if (reason === 'busy') return { kind: 'failure', status: 429, headers: {}, reason, error }
      return { kind: 'failure', ...this.#challenge(request, this.#options.negotiateOnce), reason, error }
    }
  }

  async #negotiate(credentials: string, request: NegotiateRequest, begun?: SecurityContext): Promise<Authentication> {
    const { mech, credentials: held, requireChannelBindings } = this.#options
    const { connection } = request
    const channelBindings = begun ? undefined : this.#bindings(connection)
    const creds = typeof held === 'function' ? () => held(request) : held
    const context = begun ?? new SecurityContext({ usage: 'accept', mech, creds, channelBindings })
    try {
      const token = await context.step(tokenOf(credentials))
      const headers = token ? { 'www-authenticate': `${NEGOTIATE} ${toBase64(token)}` } : {}
      if (!context.complete) {
        if (!connection)
          throw new NegotiateError('NO_CONNECTION', 'the context takes several legs, so the connection must be known')
        this.#pending.keep(connection, context)
        return { kind: 'continue', status: 401, headers }
      }
      if (requireChannelBindings && !context.actualFlags.has('channelBound'))
        throw new GssError('GSS_S_BAD_BINDINGS', 'the token is bound to no channel')
      const { initiatorName: initiator, endtime, delegatedCredentials } = context
      const read = () => this.#options.attributes?.(context.established)
      const found = { initiator, by: 'negotiate', endtime, context, credentials: delegatedCredentials, read } as const
      return await this.#admit(found, headers, request, 'begin')
    } catch (error) {
      if (context.complete) context.delegatedCredentials?.[Symbol.dispose]()
      context[Symbol.dispose]()
      throw error
    }
  }

  async #basic(credentials: string, request: NegotiateRequest, passwords: Passwords): Promise<Authentication> {
    if (!passwords.allows(request.secure === true))
      throw new NegotiateError('INSECURE', 'a password came without TLS; it is not looked at, and known to others now')
    const secret = utf8(credentials)
    const known = await this.#sessions?.resume(request, secret)
    if (known) return this.#admit(known, {}, request)
    const found = { ...(await passwords.check(credentials)), by: 'basic' } as const
    return this.#admit(found, {}, request, 'begin', secret)
  }

  /** Lets in who may, and begins a session where that is to be. */
  async #admit(
    found: FoundPeer,
    headers: NegotiateHeaders,
    request: NegotiateRequest,
    begin?: 'begin',
    secret?: Uint8Array,
  ): Promise<Authentication> {
    const { localName, authorize, connectionBound } = this.#options
    let peer: NegotiatePeer | undefined
    try {
      const local = localName?.(found.initiator)
      if (localName && local === undefined)
        throw new NegotiateError('FORBIDDEN', `${found.initiator} is no user of this machine`)
      peer = peerOf(found, local)
      if (authorize && !(await authorize(peer, request)))
        throw new NegotiateError('FORBIDDEN', `${found.initiator} is not authorized`)
      const { connection } = request
      if (!begin) {
        this.#signedIn.set(peer, { request, session: found.session })
        return { kind: 'success', status: 200, headers, peer }
      }
      const fields: NegotiateHeaders[] = [headers]
      const begun = await this.#sessions?.begin(found, request, secret)
      if (begun) fields.push({ 'set-cookie': begun.field })
      this.#signedIn.set(peer, { request, session: begun?.session })
      if (connectionBound && connection) {
        const { initiator, endtime } = found
        // no ticket stays for what a connection is known by
        const attributes = peer.attributes && { ...peer.attributes, named: undefined }
        const session = begun?.session
        this.#bound.set(connection, { initiator, endtime, by: 'connection', attributes, session })
        fields.push({ 'persistent-auth': 'true' })
      }
      return { kind: 'success', status: 200, headers: Object.assign({}, ...fields), peer }
    } catch (error) {
      ;(peer ?? peerOf(found, undefined))[Symbol.dispose]()
      return { kind: 'failure', status: 403, headers, reason: failureReason(error), error }
    }
  }

  async #ofConnection({ connection }: NegotiateRequest): Promise<FoundPeer | undefined> {
    const found = connection && this.#bound.get(connection)
    if (!found || found.endtime <= this.#now() / 1e6) return undefined
    return found.session && (await this.#sessions?.isEnded(found.session)) ? undefined : found
  }

  #challenge({ secure = false, offerNegotiate = true }: NegotiateRequest, once = false) {
    const basic = this.#passwords?.allows(secure) ? this.#passwords.challenge : undefined
    const challenge = basic === undefined ? NEGOTIATE : once || !offerNegotiate ? basic : [NEGOTIATE, basic]
    return { status: 401, headers: { 'www-authenticate': challenge } } as const
  }

  #bindings(connection: object | undefined): ChannelBindings | undefined {
    const { channelBindings } = this.#options
    return typeof channelBindings === 'function' ? channelBindings(connection) : channelBindings
  }
}

interface SignedIn {
  readonly session: SessionRecord | undefined
  readonly request: NegotiateRequest
}

/** The scheme, in lower case, and what follows it. */
function schemeOf(authorization = ''): { readonly scheme: string; readonly credentials: string } {
  const [scheme = ''] = /^\S*/.exec(authorization) ?? []
  return { scheme: scheme.toLowerCase(), credentials: authorization.slice(scheme.length).trim() }
}

/** Throws {@link NegotiateError} BAD_CREDENTIALS. */
function tokenOf(credentials: string): Uint8Array {
  if (credentials === '') throw new NegotiateError('BAD_CREDENTIALS', 'the Authorization field holds no token')
  if (credentials.length > FIELD_LENGTH_MAX)
    throw new NegotiateError(
      'BAD_CREDENTIALS',
      `the token has ${credentials.length} characters, more than the ${FIELD_LENGTH_MAX} that any ticket takes`,
    )
  try {
    return fromBase64(credentials)
  } catch (cause) {
    throw new NegotiateError('BAD_CREDENTIALS', 'what follows Negotiate is not base64', { cause })
  }
}
