import type { Name, SecurityContext } from '../gss/index.ts'
import type { FailureReason } from './reason.ts'
import type { NegotiateAcceptor } from './server.ts'

/** As much of node:http's IncomingMessage as is needed; HTTP/2's compatibility API has it too. */
export interface ListenerRequest {
  readonly headers: { readonly authorization?: string | undefined }
  readonly socket: object
}

/** As much of node:http's ServerResponse as is needed. */
export interface ListenerResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Who sent a request, and the context that says so; it is disposed of when the response is closed. */
export interface NegotiatePeer {
  readonly initiator: Name
  readonly context: SecurityContext
}

/** What {@link negotiateListener} may be told. */
export interface NegotiateListenerOptions {
  /** Learns why somebody was refused; the peer only learns that he was. */
  readonly onFailure?: ((error: unknown, reason: FailureReason) => void) | undefined
}

/**
 * A request listener for `http.createServer` that lets only authenticated requests through to `handler`, the proof of
 * who the server is already among the headers. The others are answered with 401. Rejects with what `handler` throws.
 *
 * Node refuses requests whose headers exceed 16 KiB with 431 before any listener sees them, and tickets of members of
 * many groups do exceed that: pass `maxHeaderSize: 65_536` to `createServer`.
 */
export function negotiateListener<Request extends ListenerRequest, Response extends ListenerResponse>(
  acceptor: NegotiateAcceptor,
  handler: (request: Request, response: Response, peer: NegotiatePeer) => unknown,
  { onFailure }: NegotiateListenerOptions = {},
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const authentication = await acceptor.authenticate(request.headers.authorization, request.socket)
    const challenge = authentication.headers['www-authenticate']
    if (challenge !== undefined) response.setHeader('www-authenticate', challenge)
    if (authentication.kind === 'success') {
      const { initiator, context } = authentication
      response.once('close', () => context[Symbol.dispose]())
      await handler(request, response, { initiator, context })
      return
    }
    response.statusCode = authentication.status
    response.end()
    if (authentication.kind === 'failure') onFailure?.(authentication.error, authentication.reason)
  }
}
