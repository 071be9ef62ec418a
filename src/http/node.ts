import type { NegotiatePeer, NegotiateRequest } from './peer.ts'
import type { FailureReason } from './reason.ts'
import type { Authentication, NegotiateAcceptor, NegotiateHeaders } from './server.ts'

/** As much of node:http's IncomingMessage as is needed; HTTP/2's compatibility API has it too. */
export interface ListenerRequest {
  readonly headers: {
    readonly authorization?: string | undefined
    readonly cookie?: string | undefined
    readonly host?: string | undefined
    readonly ':authority'?: string | undefined
  }
  readonly socket: object
}

/** As much of node:http's ServerResponse as is needed. */
export interface ListenerResponse {
  statusCode: number
  setHeader(name: string, value: string | string[]): unknown
  end(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** What {@link negotiateListener} may be told. */
export interface NegotiateListenerOptions {
  /** Learns why somebody was refused; the peer only learns that he was. */
  readonly onFailure?: ((error: unknown, reason: FailureReason) => void) | undefined
}

/**
 * A request listener for `http.createServer` that lets only authenticated requests through to `handler`, the proof of
 * who the server is already among the headers. The others are answered with 401, or 403 for who may not. Rejects with
 * what `handler` throws. The peer is disposed of when the response is closed.
 *
 * Node refuses requests whose headers exceed 16 KiB with 431 before any listener sees them, and tickets of members of
 * many groups do exceed that: pass `maxHeaderSize: 65_536` to `createServer`.
 */
export function negotiateListener<Request extends ListenerRequest, Response extends ListenerResponse>(
  acceptor: NegotiateAcceptor,
  handler: (request: Request, response: Response, peer: NegotiatePeer) => unknown,
  options: NegotiateListenerOptions = {},
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const result = await acceptor.authenticate(requestOf(request))
    for (const [name, value] of fieldsOf(result.headers)) response.setHeader(name, value)
    if (result.kind === 'success') {
      await handler(request, response, untilClosed(result.peer, response))
      return
    }
    response.statusCode = refused(result, options)
    response.end()
  }
}

/** What of a request is judged; `secure` where the framework knows better than the socket, as behind a proxy. */
export function requestOf({ headers, socket }: ListenerRequest, secure = isTls(socket)): NegotiateRequest {
  const { authorization, cookie, host = headers[':authority'] } = headers
  return { authorization, cookie, host, secure, connection: socket }
}

/** The fields of a response by name, each with its value or values. */
export const fieldsOf = (headers: NegotiateHeaders): [name: string, value: string | string[]][] =>
  Object.entries(headers)

/** The peer, who is disposed of when the response is closed. */
export function untilClosed(peer: NegotiatePeer, response: Pick<ListenerResponse, 'once'>): NegotiatePeer {
  response.once('close', () => peer[Symbol.dispose]())
  return peer
}

/** The status of a refusal, after it was told. */
export function refused(
  result: Exclude<Authentication, { kind: 'success' }>,
  { onFailure }: NegotiateListenerOptions,
): number {
  if (result.kind === 'failure') onFailure?.(result.error, result.reason)
  return result.status
}

const isTls = (socket: object): boolean => 'encrypted' in socket && socket.encrypted === true
