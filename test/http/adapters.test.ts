/** The adapters in the real frameworks: our KDC, our fetch, and sockets on loopback in between. */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Credentials } from '../../src/gss/index.ts'
import {
  createNegotiateAcceptor,
  createNegotiateFetch,
  expressNegotiate,
  type FailureReason,
  fastifyNegotiate,
  honoNegotiate,
  koaNegotiate,
  type NegotiateAcceptor,
  type NegotiateAcceptorOptions,
  type Negotiated,
  type NegotiateFetchOptions,
  type NegotiateListenerOptions,
  type NegotiatePeer,
  negotiateListener,
  webNegotiate,
} from '../../src/http/index.ts'
import type { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'

let realm: Awaited<ReturnType<typeof startRealm>>
let kerberos: Kerberos
let alice: Credentials
let service: Credentials

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
  kerberos = realm.kerberos()
  alice = (await kerberos.login('alice', { password: 'alice-pw' })).credentials
  service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
})
afterAll(() => realm[Symbol.asyncDispose]())

const hello = (peer: NegotiatePeer | undefined) => `hello ${peer?.initiator}`
const bridge =
  (handle: (request: Request, env: object) => Response | Promise<Response>): RequestListener =>
  async (incoming, outgoing) => {
    const request = new Request(`http://localhost${incoming.url}`, { headers: incoming.headers as HeadersInit })
    const response = await handle(request, { incoming })
    outgoing.writeHead(response.status, [...response.headers].flat()).end(await response.text())
  }

/** Where one signs out. */
const OUT = '/out'
const leave = async (acceptor: NegotiateAcceptor, peer: NegotiatePeer | undefined) =>
  Object.entries(await acceptor.signOut(peer))

type Frame = (acceptor: NegotiateAcceptor, options: NegotiateListenerOptions) => Promise<RequestListener>

const frames: Readonly<Record<string, Frame>> = {
  async 'node:http'(acceptor, options) {
    return negotiateListener<IncomingMessage, ServerResponse>(
      acceptor,
      async ({ url }, response, peer) => {
        if (url === OUT) for (const [name, value] of await leave(acceptor, peer)) response.setHeader(name, value)
        response.end(hello(peer))
      },
      options,
    )
  },
  async Express(acceptor, options) {
    const app = express()
    app.use(expressNegotiate(acceptor, options))
    app.get('/', (request, response) => void response.send(hello((request as Negotiated).negotiate)))
    app.get(OUT, async (request, response) => {
      const { negotiate } = request as Negotiated
      for (const [name, value] of await leave(acceptor, negotiate)) response.setHeader(name, value)
      response.send(hello(negotiate))
    })
    return app
  },
  async Koa(acceptor, options) {
    const app = new Koa()
    app.use(koaNegotiate(acceptor, options))
    app.use(async (ctx) => {
      const { negotiate } = ctx.state as Negotiated
      if (ctx.req.url === OUT) for (const [name, value] of await leave(acceptor, negotiate)) ctx.set(name, value)
      ctx.body = hello(negotiate)
    })
    return app.callback()
  },
  async Fastify(acceptor, options) {
    const app = fastify()
    app.decorateRequest('negotiate')
    app.addHook('onRequest', fastifyNegotiate(acceptor, options))
    app.get('/', async (request) => hello((request as Negotiated).negotiate))
    app.get(OUT, async (request, reply) => {
      const { negotiate } = request as Negotiated
      for (const [name, value] of await leave(acceptor, negotiate)) reply.header(name, value)
      return hello(negotiate)
    })
    await app.ready()
    return (request, response) => app.routing(request, response)
  },
  async Hono(acceptor, options) {
    const app = new Hono<{ Variables: { negotiate: NegotiatePeer } }>()
    app.use(honoNegotiate(acceptor, options))
    app.get('/', (c) => c.text(hello(c.get('negotiate'))))
    app.get(OUT, async (c) => {
      for (const [name, value] of await leave(acceptor, c.get('negotiate'))) c.header(name, String(value))
      return c.text(hello(c.get('negotiate')))
    })
    return bridge((request, env) => app.fetch(request, env))
  },
  async 'Request and Response'(acceptor, options) {
    const show = async ({ url }: Request, peer: NegotiatePeer) => {
      const headers = url.endsWith(OUT) ? await leave(acceptor, peer) : []
      return new Response(hello(peer), { headers: headers as [string, string][] })
    }
    const handle = webNegotiate(acceptor, show, options)
    return bridge((request) => handle(request))
  },
}

async function open(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe.each(Object.entries(frames))('%s', (_, frame) => {
  const site = async (
    reasons: FailureReason[] = [],
    options: Partial<NegotiateAcceptorOptions> = {},
    more: NegotiateListenerOptions = {},
  ) => {
    const acceptor = createNegotiateAcceptor({ ...options, mech: realm.kerberos().spnego, credentials: service })
    return open(await frame(acceptor, { onFailure: (_error, reason) => reasons.push(reason), ...more }))
  }
  const sender = (more: Partial<NegotiateFetchOptions> = {}) =>
    createNegotiateFetch({ mech: kerberos.spnego, credentials: alice, ...more })

  test('lets alice in, and proves to her who it is', async () => {
    await using page = await site()
    const response = await sender({ mutualAuthentication: 'required' })(page.url)
    expect([response.status, await response.text()]).toEqual([200, 'hello alice@LAB.TEST'])
  })

  test('tells nobody why he was refused, and its log in a word', async () => {
    const reasons: FailureReason[] = []
    await using page = await site(reasons)
    let token = ''
    const spy: typeof fetch = (input, init) => {
      token = new Headers(init?.headers).get('authorization') ?? token
      return fetch(input, init)
    }
    await sender({ fetch: spy })(page.url)
    for (const authorization of ['', token, 'Negotiate TlRMTVNTUAAB', 'Negotiate ?', 'Negotiate YWJj']) {
      const response = await fetch(page.url, { headers: { authorization } })
      const { status, headers } = response
      expect([status, headers.get('www-authenticate'), authorization]).toEqual([401, 'Negotiate', authorization])
      expect(await response.text()).not.toMatch(/replay|ntlm|token/i)
    }
    expect(reasons).toEqual(['replay', 'ntlm', 'malformed', 'malformed'])
  })

  test('believes a proxy that ends TLS where that is said, and X-Forwarded-Proto by itself never', async () => {
    const claim = { headers: { 'x-forwarded-proto': 'https', forwarded: 'proto=https' } }
    const tlsOnly = { requireTls: true, session: {}, now: () => Date.now() * 1000, random: randomBytes }
    await using direct = await site([], tlsOnly)
    expect((await sender()(direct.url, claim)).status).toBe(403)
    let isProxy = true
    for (const secure of [true, () => isProxy] as const) {
      await using proxied = await site([], tlsOnly, { secure })
      const response = await sender()(proxied.url)
      expect([response.status, response.headers.get('set-cookie')]).toEqual([200, expect.stringMatching(/; Secure;/)])
      isProxy = false
      expect((await sender()(proxied.url, claim)).status).toBe(secure === true ? 200 : 403)
      isProxy = true
    }
  })

  test('has a user sign out: the cookie that was kept all the same is no good', async () => {
    const sessions = { session: {}, now: () => Date.now() * 1000, random: randomBytes }
    await using page = await site([], sessions, { secure: true })
    const [field = ''] = (await sender()(page.url)).headers.getSetCookie()
    const cookie = field.split(';')[0]!
    const visit = async (path: string) => fetch(new URL(path, page.url), { headers: { cookie } })
    expect(await (await visit('/')).text()).toBe('hello alice@LAB.TEST')
    const left = await visit(OUT)
    expect(left.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-negotiate=;.* Max-Age=0;/)])
    expect([left.status, (await visit('/')).status]).toEqual([200, 401])
    const atOnce = await sender()(new URL(OUT, page.url))
    expect(atOnce.headers.getSetCookie().at(-1)).toMatch(/^__Host-negotiate=;.* Max-Age=0;/)
  })

  test('offers passwords alone to whom Negotiate is not to be offered', async () => {
    const check = async () => expect.unreachable()
    const options = { basic: { check }, now: () => Date.now() * 1000 }
    let offer = false
    await using page = await site([], options, { secure: true, offerNegotiate: () => offer })
    const offered = async () => (await fetch(page.url)).headers.get('www-authenticate')
    expect(await offered()).toBe('Basic realm="Kerberos", charset="UTF-8"')
    offer = true
    expect(await offered()).toBe('Negotiate, Basic realm="Kerberos", charset="UTF-8"')
  })
})

test.each<[string, Frame]>([
  [
    'Express',
    async (acceptor) => {
      const app = express()
      app.set('trust proxy', 'loopback')
      app.use(expressNegotiate(acceptor))
      app.get('/', (_, response) => void response.end())
      return app
    },
  ],
  [
    'Koa',
    async (acceptor) => {
      const app = new Koa()
      app.proxy = true
      app.use(koaNegotiate(acceptor))
      return app.use((ctx) => void (ctx.body = '')).callback()
    },
  ],
  [
    'Fastify',
    async (acceptor) => {
      const app = fastify({ trustProxy: 'loopback' })
      app.addHook('onRequest', fastifyNegotiate(acceptor))
      app.get('/', async () => '')
      await app.ready()
      return (request, response) => app.routing(request, response)
    },
  ],
])('%s tells of the proxy that it was told to trust', async (_, frame) => {
  const acceptor = createNegotiateAcceptor({ mech: realm.kerberos().spnego, credentials: service, requireTls: true })
  await using page = await open(await frame(acceptor, {}))
  const send = createNegotiateFetch({ mech: kerberos.spnego, credentials: alice })
  expect((await send(page.url)).status).toBe(403)
  expect((await send(page.url, { headers: { 'x-forwarded-proto': 'https' } })).status).toBeLessThan(300)
})
