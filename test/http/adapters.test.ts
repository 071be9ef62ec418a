/** The adapters in the real frameworks: our KDC, our fetch, and sockets on loopback in between. */
import { createServer, type RequestListener } from 'node:http'
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
  type NegotiateListenerOptions,
  type NegotiatePeer,
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
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  }

type Frame = (acceptor: NegotiateAcceptor, options: NegotiateListenerOptions) => Promise<RequestListener>

const frames: Readonly<Record<string, Frame>> = {
  async Express(acceptor, options) {
    const app = express()
    app.use(expressNegotiate(acceptor, options))
    app.get('/', (request, response) => void response.send(hello((request as { negotiate?: NegotiatePeer }).negotiate)))
    return app
  },
  async Koa(acceptor, options) {
    const app = new Koa()
    app.use(koaNegotiate(acceptor, options))
    app.use((ctx) => {
      ctx.body = hello(ctx.state.negotiate as NegotiatePeer | undefined)
    })
    return app.callback()
  },
  async Fastify(acceptor, options) {
    const app = fastify()
    app.decorateRequest('negotiate')
    app.addHook('onRequest', fastifyNegotiate(acceptor, options))
    app.get('/', async (request) => hello((request as { negotiate?: NegotiatePeer }).negotiate))
    await app.ready()
    return (request, response) => app.routing(request, response)
  },
  async Hono(acceptor, options) {
    const app = new Hono<{ Variables: { negotiate: NegotiatePeer } }>()
    app.use(honoNegotiate(acceptor, options))
    app.get('/', (c) => c.text(hello(c.get('negotiate'))))
    return bridge((request, env) => app.fetch(request, env))
  },
  async 'Request and Response'(acceptor, options) {
    const handle = webNegotiate(acceptor, (_, peer) => new Response(hello(peer)), options)
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
  const site = async (reasons: FailureReason[] = []) => {
    const acceptor = createNegotiateAcceptor({ mech: realm.kerberos().spnego, credentials: service })
    return open(await frame(acceptor, { onFailure: (_error, reason) => reasons.push(reason) }))
  }

  test('lets alice in, and proves to her who it is', async () => {
    await using page = await site()
    const send = createNegotiateFetch({
      mech: kerberos.spnego,
      credentials: alice,
      mutualAuthentication: 'required',
    })
    const response = await send(page.url)
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
    await createNegotiateFetch({ mech: kerberos.spnego, credentials: alice, fetch: spy })(page.url)
    for (const authorization of ['', token, 'Negotiate TlRMTVNTUAAB', 'Negotiate ?', 'Negotiate YWJj']) {
      const response = await fetch(page.url, { headers: { authorization } })
      const { status, headers } = response
      expect([status, headers.get('www-authenticate'), authorization]).toEqual([401, 'Negotiate', authorization])
      expect(await response.text()).not.toMatch(/replay|ntlm|token/i)
    }
    expect(reasons).toEqual(['replay', 'ntlm', 'malformed', 'malformed'])
  })
})
