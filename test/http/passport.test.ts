/** The strategy in Passport itself, behind Express: our KDC, our fetch, and a socket on loopback in between. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import passport from 'passport'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toBase64, utf8 } from '../../src/bytes/index.ts'
import {
  createNegotiateFetch,
  type FailureReason,
  type NegotiateListenerOptions,
  type NegotiatePeer,
  type PassportDone,
  type PassportRequest,
  passportNegotiate,
} from '../../src/http/index.ts'
import { createNegotiateAcceptor, type NodeAcceptorOptions } from '../../src/node/http.ts'
import { startRealm } from '../../src/node/realm.ts'

let realm: Awaited<ReturnType<typeof startRealm>>
let send: typeof fetch

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw', bob: 'bob-pw' }, services: ['HTTP/localhost'] })
  const kerberos = realm.kerberos()
  const { credentials } = await kerberos.login('alice', { password: 'alice-pw' })
  send = createNegotiateFetch({ mech: kerberos.spnego, credentials, mutualAuthentication: 'required' })
})
afterAll(() => realm[Symbol.asyncDispose]())

interface Account {
  readonly id: number
  readonly peer?: NegotiatePeer
}
const accounts = new Map<string, Account>([['alice@LAB.TEST', { id: 7 }]])

type Find = (name: string, peer: NegotiatePeer) => Account | undefined

async function open(
  options: NodeAcceptorOptions = {},
  find: Find = (name) => accounts.get(name),
  more: NegotiateListenerOptions<PassportRequest> = {},
) {
  const reasons: FailureReason[] = []
  const acceptor = createNegotiateAcceptor({
    kerberos: realm.kerberos(),
    store: { keytab: realm.keytab('HTTP/localhost') },
    ...options,
  })
  const verify = (peer: NegotiatePeer, done: PassportDone) => {
    try {
      done(undefined, find(peer.initiator.text, peer))
    } catch (error) {
      done(error)
    }
  }
  const authenticator = new passport.Passport()
  const strategy = passportNegotiate(acceptor, verify, { onFailure: (_, reason) => reasons.push(reason), ...more })
  authenticator.use(strategy as unknown as passport.Strategy)
  const app = express()
  app.use(authenticator.initialize())
  app.get('/', authenticator.authenticate('negotiate', { session: false }), (request, response) => {
    response.send(`account ${(request.user as Account).id}`)
  })
  app.get('/out', authenticator.authenticate('negotiate', { session: false }), async (request, response) => {
    const fields = await acceptor.signOut((request.user as Account).peer)
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
    response.end()
  })
  app.use((error: Error, _: unknown, response: express.Response, _next: unknown) => {
    response.status(500).send(error.message)
  })
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  return {
    reasons,
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('the strategy `negotiate` of Passport', () => {
  test('finds the account of whoever authenticates, and the server proves who it is', async () => {
    await using site = await open()
    const response = await send(site.url)
    expect([response.status, await response.text()]).toEqual([200, 'account 7'])
  })

  test('asks those who say nothing, and does not say why others are refused', async () => {
    await using site = await open()
    for (const headers of [{}, { authorization: 'Negotiate TlRMTVNTUAAB' }] as Record<string, string>[]) {
      const response = await fetch(site.url, { headers })
      const { status } = response
      expect([status, response.headers.get('www-authenticate'), await response.text()]).toEqual([
        401,
        'Negotiate',
        'Unauthorized',
      ])
    }
    expect(site.reasons).toEqual(['ntlm'])
  })

  test('turns away who has no account, or may not: 403', async () => {
    await using strangers = await open({}, () => undefined)
    expect((await send(strangers.url)).status).toBe(403)
    await using closed = await open({ authorize: () => false })
    expect((await send(closed.url)).status).toBe(403)
    expect(closed.reasons).toEqual(['forbidden'])
  })

  test('hands the failure of the account’s search on', async () => {
    await using site = await open({}, () => {
      throw new TypeError('no database')
    })
    const response = await send(site.url)
    expect([response.status, await response.text()]).toEqual([500, 'no database'])
  })

  test('believes a proxy that ends TLS where that is said, and X-Forwarded-Proto by itself never', async () => {
    const claim = { headers: { 'x-forwarded-proto': 'https' } }
    await using direct = await open({ requireTls: true })
    expect((await send(direct.url, claim)).status).toBe(403)
    const secure = ({ headers }: PassportRequest) => headers['x-forwarded-proto'] === 'https'
    await using proxied = await open({ requireTls: true }, undefined, { secure })
    expect([(await send(proxied.url)).status, (await send(proxied.url, claim)).status]).toEqual([403, 200])
  })

  test('has a user sign out whose account keeps the peer', async () => {
    await using site = await open({ session: {} }, (_, peer) => ({ id: 9, peer }), { secure: true })
    const [cookie = ''] = (await send(site.url)).headers.getSetCookie().map((field) => field.split(';')[0])
    const visit = async (path: string) => (await fetch(new URL(path, site.url), { headers: { cookie } })).status
    expect([await visit('/'), await visit('/out'), await visit('/')]).toEqual([200, 200, 401])
  })

  test('offers passwords in a field of their own, and takes them', async () => {
    await using site = await open({ basic: { allowInsecure: true } }, () => ({ id: 8 }))
    const asked = await fetch(site.url)
    expect(asked.headers.get('www-authenticate')).toBe('Negotiate, Basic realm="Kerberos", charset="UTF-8"')
    const response = await fetch(site.url, { headers: { authorization: `Basic ${toBase64(utf8('bob:bob-pw'))}` } })
    expect(await response.text()).toBe('account 8')
  })
})
