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
    readonly [name: string]: string | readonly string[] | undefined
  }
  readonly socket: object & { readonly remoteAddress?: string | undefined }
}

/** As much of node:http's ServerResponse as is needed. */
export interface ListenerResponse {
  statusCode: number
  setHeader(name: string, value: string | string[]): unknown
  end(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** What {@link negotiateListener} and its like for frameworks may be told; `Request` is what the framework has. */
export interface NegotiateListenerOptions<Request = unknown> {
  /**
   * Whether a request came over TLS, where a proxy ends it: `true` when nobody else can reach this server, or how to tell.
   * Unless said, what the connection or the framework says: X-Forwarded-Proto, which anybody can send, is never looked at.
   */
  readonly secure?: true | ((request: Request) => boolean) | undefined
  /** Whether to offer Negotiate to a client, beside passwords: not to one that shows its user a window instead. Yes unless said. */
  readonly offerNegotiate?: ((request: Request) => boolean) | undefined
  /** Learns why somebody was refused; the peer only learns that he was. */
  readonly onFailure?: ((error: unknown, reason: FailureReason) => void) | undefined
}

/**
 * A request listener for `http.createServer` that lets only authenticated requests through to `handler`, the proof of
 * who the server is already among the headers. The others are answered with 401, or 403 for who may not. Rejects with
 * what `handler` or `options` throw. The peer is disposed of when the response is closed.
 *
 * Node refuses requests whose headers exceed 16 KiB with 431 before any listener sees them, and tickets of members of
 * many groups do exceed that: pass `maxHeaderSize: 65_536` to `createServer`.
 */
export function negotiateListener<Request extends ListenerRequest, Response extends ListenerResponse>(
  acceptor: NegotiateAcceptor,
  handler: (request: Request, response: Response, peer: NegotiatePeer) => unknown,
  options: NegotiateListenerOptions<Request> = {},
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const result = await acceptor.authenticate(requestOf(request, told(request, isTls(request.socket), options)))
    for (const [name, value] of fieldsOf(result.headers)) response.setHeader(name, value)
    if (result.kind === 'success') {
      await handler(request, response, untilClosed(result.peer, response))
      return
    }
    response.statusCode = refused(result, options)
    response.end()
  }
}

/** What of a request is judged. */
export function requestOf({ headers, socket }: ListenerRequest, more: Told): NegotiateRequest {
  const { authorization, cookie, host = headers[':authority'] } = headers
  return { authorization, cookie, host, ...more, connection: socket }
}

/** What the options say of a request. */
export type Told = Pick<NegotiateRequest, 'secure' | 'offerNegotiate'>

/** What the options say of a request; `known` is what is known of its coming over TLS. */
export function told<Request>(
  request: Request,
  known: boolean,
  { secure, offerNegotiate }: NegotiateListenerOptions<Request>,
): Told {
  return {
    secure: secure === undefined ? known : secure === true || secure(request),
    offerNegotiate: offerNegotiate?.(request),
  }
}

/** Whether a connection of node:http's is one of TLS. */
export const isTls = (socket: object): boolean => 'encrypted' in socket && socket.encrypted === true

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
  { onFailure }: Pick<NegotiateListenerOptions, 'onFailure'>,
): number {
  if (result.kind === 'failure') onFailure?.(result.error, result.reason)
  return result.status
}
