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
import type { NegotiatePeer, NegotiateRequest } from './peer.ts'
import type { Authentication, NegotiateAcceptor, NegotiateHeaders } from './server.ts'

/** Where the adapters leave who is there. */
export interface Negotiated {
  negotiate?: NegotiatePeer | undefined
}

/** As much of Express' request as is needed; Connect's does not say whether it is `secure`. */
export interface ExpressRequest extends ListenerRequest, Negotiated {
  readonly secure?: boolean
}

/** As much of Koa's context as is needed. */
export interface KoaContext {
  readonly req: ListenerRequest
  readonly res: Pick<ListenerResponse, 'once'>
  readonly secure: boolean
  status: number
  readonly state: object
  set(field: string, value: string | string[]): unknown
}

/** As much of Fastify's request as is needed. */
export interface FastifyRequest {
  readonly raw: ListenerRequest
  readonly protocol: string
}

/** As much of Fastify's reply as is needed. */
export interface FastifyReply {
  readonly raw: Pick<ListenerResponse, 'once'>
  header(name: string, value: string | string[]): unknown
  code(status: number): unknown
  send(): unknown
}

/** As much of Hono's context as is needed. `env.incoming` is what @hono/node-server puts there. */
export interface HonoContext {
  readonly req: { readonly url: string; header(name: string): string | undefined }
  readonly env: unknown
  readonly res: { readonly headers: Headers }
  set(key: 'negotiate', peer: NegotiatePeer): void
}

/**
 * Middleware for Express (and Connect): whoever authenticates is `request.negotiate`, the others get a bare 401. The peer
 * is disposed of when the response is closed.
 */
export function expressNegotiate<Request extends ExpressRequest = ExpressRequest>(
  acceptor: NegotiateAcceptor,
  options: NegotiateListenerOptions<Request> = {},
) {
  return async (request: Request, response: ListenerResponse, next: (error?: unknown) => void): Promise<void> => {
    const result = await acceptor.authenticate(
      requestOf(request, told(request, request.secure ?? isTls(request.socket), options)),
    )
    for (const [name, value] of fieldsOf(result.headers)) response.setHeader(name, value)
    if (result.kind === 'success') {
      request.negotiate = untilClosed(result.peer, response)
      next()
      return
    }
    response.statusCode = refused(result, options)
    response.end()
  }
}

/** Middleware for Koa: whoever authenticates is `ctx.state.negotiate`, the others get a bare 401. */
export function koaNegotiate<Context extends KoaContext = KoaContext>(
  acceptor: NegotiateAcceptor,
  options: NegotiateListenerOptions<Context> = {},
) {
  return async (ctx: Context, next: () => Promise<unknown>): Promise<void> => {
    const result = await acceptor.authenticate(requestOf(ctx.req, told(ctx, ctx.secure, options)))
    for (const [name, value] of fieldsOf(result.headers)) ctx.set(name, value)
    if (result.kind === 'success') {
      Object.assign(ctx.state, { negotiate: untilClosed(result.peer, ctx.res) } satisfies Negotiated)
      await next()
      return
    }
    ctx.status = refused(result, options)
  }
}

/** An `onRequest` hook for Fastify: whoever authenticates is `request.negotiate`, the others get a bare 401. */
export function fastifyNegotiate<Request extends FastifyRequest = FastifyRequest>(
  acceptor: NegotiateAcceptor,
  options: NegotiateListenerOptions<Request> = {},
) {
  return async (request: Request, reply: FastifyReply): Promise<void> => {
    const result = await acceptor.authenticate(
      requestOf(request.raw, told(request, request.protocol === 'https', options)),
    )
    for (const [name, value] of fieldsOf(result.headers)) reply.header(name, value)
    if (result.kind === 'success') {
      Object.assign(request, { negotiate: untilClosed(result.peer, reply.raw) } satisfies Negotiated)
      return
    }
    reply.code(refused(result, options))
    reply.send()
  }
}

/**
 * Middleware for Hono: whoever authenticates is `c.get('negotiate')`, the others get a bare 401. The peer is disposed of
 * once the handlers are through.
 */
export function honoNegotiate<Context extends HonoContext = HonoContext>(
  acceptor: NegotiateAcceptor,
  options: NegotiateListenerOptions<Context> = {},
) {
  return async (c: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const header = (name: string) => c.req.header(name)
    const result = await acceptor.authenticate(webRequest(c.req.url, header, c, options, connectionOf(c.env)))
    if (result.kind !== 'success') return refusalResponse(result, options)
    using peer = result.peer
    c.set('negotiate', peer)
    await next()
    appendFields(c.res.headers, result.headers)
    return undefined
  }
}

/**
 * A function from Request to Response (Deno, Bun, workers) that lets only authenticated requests through to `handler`. The
 * peer is disposed of once `handler` is through. Contexts of several legs need `connection`, an object that lives as long
 * as the connection does.
 */
export function webNegotiate(
  acceptor: NegotiateAcceptor,
  handler: (request: Request, peer: NegotiatePeer) => Response | Promise<Response>,
  options: NegotiateListenerOptions<Request> = {},
) {
  return async (request: Request, connection?: object): Promise<Response> => {
    const header = (name: string) => request.headers.get(name) ?? undefined
    const result = await acceptor.authenticate(webRequest(request.url, header, request, options, connection))
    if (result.kind !== 'success') return refusalResponse(result, options)
    using peer = result.peer
    const made = await handler(request, peer)
    const response = new Response(made.body, made) // headers of a fetched response cannot be changed
    appendFields(response.headers, result.headers)
    return response
  }
}

function refusalResponse(
  result: Exclude<Authentication, { kind: 'success' }>,
  options: Pick<NegotiateListenerOptions, 'onFailure'>,
): Response {
  const response = new Response(null, { status: refused(result, options) })
  appendFields(response.headers, result.headers)
  return response
}

/** What the handler says of cookies comes last: it may end the session that began with this request. */
function appendFields(headers: Headers, fields: NegotiateHeaders): void {
  const cookies = headers.getSetCookie()
  headers.delete('set-cookie')
  for (const [name, values] of fieldsOf(fields)) for (const value of [values].flat()) headers.append(name, value)
  for (const cookie of cookies) headers.append('set-cookie', cookie)
}

function webRequest<Whole>(
  url: string,
  header: (name: string) => string | undefined,
  whole: Whole,
  options: NegotiateListenerOptions<Whole>,
  connection: object | undefined,
): NegotiateRequest {
  const { protocol, host } = new URL(url)
  const [authorization, cookie] = [header('authorization'), header('cookie')]
  return { authorization, cookie, host, ...told(whole, protocol === 'https:', options), connection }
}

/** The socket that a request came over, where Hono runs on Node. */
function connectionOf(env: unknown): object | undefined {
  const { incoming } = (env ?? {}) as { readonly incoming?: { readonly socket?: object } }
  return incoming?.socket
}
