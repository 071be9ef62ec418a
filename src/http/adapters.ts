import type { ListenerRequest, ListenerResponse, NegotiateListenerOptions, NegotiatePeer } from './node.ts'
import type { Authentication, NegotiateAcceptor } from './server.ts'

type Refused = Exclude<Authentication, { kind: 'success' }>

/** Where the adapters leave who is there. */
export interface Negotiated {
  negotiate?: NegotiatePeer | undefined
}

/** As much of Koa's context as is needed. */
export interface KoaContext {
  readonly req: ListenerRequest
  readonly res: Pick<ListenerResponse, 'once'>
  status: number
  readonly state: object
  set(field: string, value: string): unknown
}

/** As much of Fastify's request as is needed. */
export interface FastifyRequest {
  readonly raw: ListenerRequest
}

/** As much of Fastify's reply as is needed. */
export interface FastifyReply {
  readonly raw: Pick<ListenerResponse, 'once'>
  header(name: string, value: string): unknown
  code(status: number): unknown
  send(): unknown
}

/** As much of Hono's context as is needed. `env.incoming` is what @hono/node-server puts there. */
export interface HonoContext {
  readonly req: { header(name: string): string | undefined }
  readonly env: unknown
  readonly res: { readonly headers: Headers }
  set(key: 'negotiate', peer: NegotiatePeer): void
}

/**
 * Middleware for Express (and Connect): whoever authenticates is `request.negotiate`, the others get a bare 401. The context
 * is disposed of when the response is closed.
 */
export function expressNegotiate(acceptor: NegotiateAcceptor, options: NegotiateListenerOptions = {}) {
  return async (
    request: ListenerRequest & Negotiated,
    response: ListenerResponse,
    next: (error?: unknown) => void,
  ): Promise<void> => {
    const result = await acceptor.authenticate(request.headers.authorization, request.socket)
    prove(result, (field, value) => response.setHeader(field, value))
    if (result.kind === 'success') {
      request.negotiate = peerUntilClosed(result, response)
      next()
      return
    }
    response.statusCode = refused(result, options)
    response.end()
  }
}

/** Middleware for Koa: whoever authenticates is `ctx.state.negotiate`, the others get a bare 401. */
export function koaNegotiate(acceptor: NegotiateAcceptor, options: NegotiateListenerOptions = {}) {
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    const result = await acceptor.authenticate(ctx.req.headers.authorization, ctx.req.socket)
    prove(result, (field, value) => ctx.set(field, value))
    if (result.kind === 'success') {
      Object.assign(ctx.state, { negotiate: peerUntilClosed(result, ctx.res) } satisfies Negotiated)
      await next()
      return
    }
    ctx.status = refused(result, options)
  }
}

/** An `onRequest` hook for Fastify: whoever authenticates is `request.negotiate`, the others get a bare 401. */
export function fastifyNegotiate(acceptor: NegotiateAcceptor, options: NegotiateListenerOptions = {}) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const result = await acceptor.authenticate(request.raw.headers.authorization, request.raw.socket)
    prove(result, (field, value) => reply.header(field, value))
    if (result.kind === 'success') {
      Object.assign(request, { negotiate: peerUntilClosed(result, reply.raw) } satisfies Negotiated)
      return
    }
    reply.code(refused(result, options))
    reply.send()
  }
}

/**
 * Middleware for Hono: whoever authenticates is `c.get('negotiate')`, the others get a bare 401. The context is disposed of
 * once the handlers are through.
 */
export function honoNegotiate(acceptor: NegotiateAcceptor, options: NegotiateListenerOptions = {}) {
  return async (c: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const result = await acceptor.authenticate(c.req.header('authorization'), connectionOf(c.env))
    if (result.kind !== 'success') return refusalResponse(result, options)
    const { initiator, context } = result
    try {
      c.set('negotiate', { initiator, context })
      await next()
    } finally {
      context[Symbol.dispose]()
    }
    prove(result, (field, value) => c.res.headers.append(field, value))
    return undefined
  }
}

/**
 * A function from Request to Response (Deno, Bun, workers) that lets only authenticated requests through to `handler`. The
 * context is disposed of once `handler` is through. Contexts of several legs need `connection`, an object that lives as long
 * as the connection does.
 */
export function webNegotiate(
  acceptor: NegotiateAcceptor,
  handler: (request: Request, peer: NegotiatePeer) => Response | Promise<Response>,
  options: NegotiateListenerOptions = {},
) {
  return async (request: Request, connection?: object): Promise<Response> => {
    const result = await acceptor.authenticate(request.headers.get('authorization') ?? undefined, connection)
    if (result.kind !== 'success') return refusalResponse(result, options)
    const { initiator, context } = result
    try {
      const made = await handler(request, { initiator, context })
      const response = new Response(made.body, made) // headers of a fetched response cannot be changed
      prove(result, (field, value) => response.headers.append(field, value))
      return response
    } finally {
      context[Symbol.dispose]()
    }
  }
}

function prove({ headers }: Authentication, set: (field: string, value: string) => unknown): void {
  const challenge = headers['www-authenticate']
  if (challenge !== undefined) set('www-authenticate', challenge)
}

function peerUntilClosed(
  { initiator, context }: NegotiatePeer,
  response: Pick<ListenerResponse, 'once'>,
): NegotiatePeer {
  response.once('close', () => context[Symbol.dispose]())
  return { initiator, context }
}

function refused(result: Refused, { onFailure }: NegotiateListenerOptions): number {
  if (result.kind === 'failure') onFailure?.(result.error, result.reason)
  return result.status
}

function refusalResponse(result: Refused, options: NegotiateListenerOptions): Response {
  const response = new Response(null, { status: refused(result, options) })
  prove(result, (field, value) => response.headers.set(field, value))
  return response
}

/** The socket that a request came over, where Hono runs on Node. */
function connectionOf(env: unknown): object | undefined {
  const { incoming } = (env ?? {}) as { readonly incoming?: { readonly socket?: object } }
  return incoming?.socket
}
