import { fromBase64, toBase64 } from '../bytes/index.ts'
import {
  type BoundMechanism,
  type ChannelBindings,
  type Credentials,
  type Name,
  SecurityContext,
} from '../gss/index.ts'
import { FIELD_LENGTH_MAX, NEGOTIATE } from './challenge.ts'
import { NegotiateError } from './error.ts'
import { PendingContexts } from './pending.ts'
import { type FailureReason, failureReason } from './reason.ts'

/** What {@link createNegotiateAcceptor} needs to know. */
export interface NegotiateAcceptorOptions {
  /** SPNEGO as a rule; it takes bare krb5 tokens too. */
  readonly mech: BoundMechanism
  /** The keys to accept with, or how to get them. */
  readonly credentials: Credentials | (() => Promise<Credentials>)
  /** The channel below (RFC 5929), or how to tell it from the connection: sites of several certificates need that. */
  readonly channelBindings?:
    | ChannelBindings
    | ((connection: object | undefined) => ChannelBindings | undefined)
    | undefined
  /** Microseconds since the epoch: contexts that wait for another leg are given up in time. Without it only their number is bounded. */
  readonly now?: (() => number) | undefined
}

/** Fields for the response: nothing in them says why somebody was refused. */
export interface NegotiateHeaders {
  readonly 'www-authenticate'?: string
}

/** What came of a request's Authorization field. `status` and `headers` are the response's, or its beginning. */
export type Authentication =
  /** Nobody said who is there: ask. */
  | { readonly kind: 'challenge'; readonly status: 401; readonly headers: NegotiateHeaders }
  /** The context wants another leg over the same connection. */
  | { readonly kind: 'continue'; readonly status: 401; readonly headers: NegotiateHeaders }
  /** Somebody is there. `headers` may hold the token that proves who the server is; the context is the caller's to dispose of. */
  | {
      readonly kind: 'success'
      readonly status: 200
      readonly headers: NegotiateHeaders
      readonly initiator: Name
      readonly context: SecurityContext
    }
  /** Refused. `reason` and `error` are for the server's own log: GssError, {@link NegotiateError}, or what `credentials` threw. */
  | {
      readonly kind: 'failure'
      readonly status: 401
      readonly headers: NegotiateHeaders
      readonly reason: FailureReason
      readonly error: unknown
    }

/** The server's side of RFC 4559, for any framework. */
export interface NegotiateAcceptor {
  /**
   * Judges a request by its Authorization field. `connection` is any object that lives as long as the connection does:
   * contexts of several legs are kept by it, and refused without one. Never rejects.
   */
  authenticate(authorization: string | undefined, connection?: object): Promise<Authentication>
}

const refusal = { status: 401, headers: { 'www-authenticate': NEGOTIATE } } as const

/** A server's side of HTTP Negotiate (RFC 4559 §4). Each request is judged by itself: no connection stays logged in. */
export function createNegotiateAcceptor(options: NegotiateAcceptorOptions): NegotiateAcceptor {
  const { mech, credentials: creds, now = () => 0 } = options
  const pending = new PendingContexts(now)
  const bindingsOf = (connection: object | undefined) =>
    typeof options.channelBindings === 'function' ? options.channelBindings(connection) : options.channelBindings

  const accept = async (
    context: SecurityContext,
    credentials: string,
    connection: object | undefined,
  ): Promise<Authentication> => {
    const token = await context.step(tokenOf(credentials))
    const headers = token ? { 'www-authenticate': `${NEGOTIATE} ${toBase64(token)}` } : {}
    if (context.complete) return { kind: 'success', status: 200, headers, initiator: context.initiatorName, context }
    if (!connection)
      throw new NegotiateError('NO_CONNECTION', 'the context takes several legs, so authenticate needs the connection')
    pending.keep(connection, context)
    return { kind: 'continue', status: 401, headers }
  }

  return {
    async authenticate(authorization, connection) {
      const begun = pending.take(connection)
      const credentials = negotiateCredentials(authorization)
      if (credentials === undefined) {
        begun?.[Symbol.dispose]()
        return { kind: 'challenge', ...refusal }
      }
      let context = begun
      try {
        context ??= new SecurityContext({ usage: 'accept', mech, creds, channelBindings: bindingsOf(connection) })
        return await accept(context, credentials, connection)
      } catch (error) {
        context?.[Symbol.dispose]()
        return { kind: 'failure', ...refusal, reason: failureReason(error), error }
      }
    },
  }
}

/** What follows the scheme; undefined when the scheme is another one. */
function negotiateCredentials(authorization: string | undefined): string | undefined {
  const [scheme = ''] = /^\S*/.exec(authorization ?? '') ?? []
  if (scheme.toLowerCase() !== NEGOTIATE.toLowerCase()) return undefined
  return authorization!.slice(scheme.length).trim()
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
