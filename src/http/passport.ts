/** Negotiate as a strategy of Passport. @module */
import {
  fieldsOf,
  isTls,
  type ListenerRequest,
  type ListenerResponse,
  type NegotiateListenerOptions,
  refused,
  requestOf,
  told,
  untilClosed,
} from './node.ts'
import type { NegotiatePeer } from './peer.ts'
import type { NegotiateAcceptor } from './server.ts'

/** As much of Express' request as a strategy sees. */
export interface PassportRequest extends ListenerRequest {
  readonly res?: ListenerResponse
  readonly secure?: boolean
}

/** What Passport gives a strategy to say what came of a request. */
export interface PassportActions {
  success(user: object, info?: object): void
  fail(challenge: string | number, status?: number): void
  error(error: unknown): void
}

/** Tells Passport whose account a peer's is: an error, or the user, or nobody (`false`). */
export type PassportDone = (error: unknown, user?: object | false | null, info?: object) => void

/** A strategy of Passport, to be given to `passport.use`. */
export interface PassportStrategy {
  readonly name: string
  authenticate(this: PassportActions, request: PassportRequest): void
}

/**
 * A strategy named `negotiate`: `verify` finds the account of whoever authenticated, who is answered with 403 if there is
 * none. The peer is disposed of when the response is closed. Sessions and passwords are the acceptor's or other strategies'.
 */
export function passportNegotiate(
  acceptor: NegotiateAcceptor,
  verify: (peer: NegotiatePeer, done: PassportDone) => void,
  options: NegotiateListenerOptions<PassportRequest> = {},
): PassportStrategy {
  return {
    name: 'negotiate',
    authenticate(request) {
      judge(this, request).catch((error: unknown) => this.error(error))
    },
  }

  async function judge(actions: PassportActions, request: PassportRequest): Promise<void> {
    const { res: response } = request
    if (!response) throw new TypeError('Passport has no response to answer with: use it with Express or Connect')
    const result = await acceptor.authenticate(
      requestOf(request, told(request, request.secure ?? isTls(request.socket), options)),
    )
    const { 'www-authenticate': challenge, ...headers } = result.headers
    for (const [name, value] of fieldsOf(headers)) response.setHeader(name, value)
    if (result.kind !== 'success') {
      const status = refused(result, options)
      // Passport gathers the challenges of all its strategies
      if (typeof challenge === 'string') return actions.fail(challenge, status)
      if (challenge) response.setHeader('www-authenticate', challenge)
      return actions.fail(status)
    }
    if (challenge) response.setHeader('www-authenticate', challenge)
    verify(untilClosed(result.peer, response), (error, user, info) => {
      if (error) return actions.error(error)
      return user ? actions.success(user, info) : actions.fail(403)
    })
  }
}
