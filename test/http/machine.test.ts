/** The acceptor of a machine (Node) with real tickets: our KDC, keytabs and caches on loopback. */
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toBase64, utf8 } from '../../src/bytes/index.ts'
import {
  type BoundMechanism,
  type Credentials,
  GssError,
  Name,
  SecurityContext,
  tlsServerEndPoint,
} from '../../src/gss/index.ts'
import { IakerbCredential } from '../../src/gss/krb5/index.ts'
import type { Authentication, NegotiateRequest } from '../../src/http/index.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { createNegotiateAcceptor, type NodeAcceptorOptions, temporaryCcache } from '../../src/node/http.ts'
import type { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'
import { certificate, privateKey } from '../support/tls.ts'

const domain = 'S-1-5-21-397955417-626881126-188441444'
let realm: Awaited<ReturnType<typeof startRealm>>
let kerberos: Kerberos
let alice: Credentials

beforeAll(async () => {
  realm = await startRealm({
    users: {
      alice: {
        password: 'alice-pw',
        identity: { sid: `${domain}-1105`, groups: [513, 1200], extraSids: ['S-1-18-1'] },
      },
      bob: 'bob-pw',
    },
    services: {
      'HTTP/www.lab.test': { allowedToDelegateTo: ['db/db.lab.test'] },
      'HTTP/mail.lab.test': {},
      'db/db.lab.test': {},
    },
    indicators: { SPAKE: ['spake'] },
  })
  kerberos = realm.kerberos()
  alice = (await kerberos.login('alice', { password: 'alice-pw', forwardable: true })).credentials
})
afterAll(() => realm[Symbol.asyncDispose]())

const machine = (options: NodeAcceptorOptions = {}) =>
  createNegotiateAcceptor({
    kerberos: realm.kerberos(),
    store: { keytab: realm.keytab('HTTP/www.lab.test', 'HTTP/mail.lab.test') },
    ...options,
  })

async function tokenFor(target = 'HTTP@www.lab.test', creds = alice, more = {}) {
  const context = new SecurityContext({
    ...{ usage: 'initiate', mech: kerberos.spnego, creds, name: Name.hostbased(target), ...more },
  })
  return `Negotiate ${toBase64((await context.step())!)}`
}

const peerOf = (result: Authentication) => {
  if (result.kind !== 'success') expect.fail(String((result as { error?: unknown }).error ?? result.kind))
  return result.peer
}

describe('what the KDC vouches for', () => {
  test('is told besides the name: how the user logged in, the SID and the groups', async () => {
    using peer = peerOf(await machine().authenticate({ authorization: await tokenFor() }))
    const { named, ...said } = peer.attributes!
    expect(said).toEqual({
      indicators: ['spake'],
      user: `${domain}-1105`,
      groups: [`${domain}-513`, `${domain}-1200`, 'S-1-18-1'],
      denied: [],
    })
    expect(named?.get('auth-indicators')).toMatchObject({ values: [{ display: 'spake' }], authenticated: true })
    expect(named?.get('urn:mspac:logon-info')).toMatchObject({ values: [{ display: said.user }], authenticated: true })
  })

  test('is nothing where the ticket says nothing', async () => {
    using bob = await kerberos.login('bob', { password: 'bob-pw', pac: false, preauth: undefined })
    const authorization = await tokenFor('HTTP@www.lab.test', bob.credentials)
    using peer = peerOf(await machine().authenticate({ authorization }))
    expect(peer.attributes?.groups ?? []).toEqual([])
    expect(peer.attributes?.user).toBeUndefined()
  })

  test('decides who may come in', async () => {
    const staff = machine({ authorize: ({ attributes }) => attributes?.groups.includes(`${domain}-1200`) ?? false })
    expect((await staff.authenticate({ authorization: await tokenFor() })).kind).toBe('success')
    using bob = await kerberos.login('bob', { password: 'bob-pw' })
    const refused = await staff.authenticate({ authorization: await tokenFor('HTTP@www.lab.test', bob.credentials) })
    expect(refused).toMatchObject({ status: 403, reason: 'forbidden' })
  })
})

describe('names', () => {
  test('of the acceptor: any that there is a key of, or one, or the one of the request', async () => {
    const statuses = async (options: NodeAcceptorOptions, host = 'www.lab.test') => {
      const acceptor = machine(options)
      const ask = async (target: string) =>
        (await acceptor.authenticate({ host, authorization: await tokenFor(target) })).status
      return [await ask('HTTP@www.lab.test'), await ask('HTTP@mail.lab.test')]
    }
    expect(await statuses({})).toEqual([200, 200])
    expect(await statuses({ acceptorName: 'HTTP@mail.lab.test' })).toEqual([401, 200])
    const byHost: NodeAcceptorOptions = { acceptorName: ({ host }) => `HTTP@${host}` }
    expect(await statuses(byHost)).toEqual([200, 401])
    expect(await statuses(byHost, 'mail.lab.test')).toEqual([401, 200])
  })

  test('of a host that nobody has a key for lead to a refusal, however many are asked for', async () => {
    const acceptor = machine({ acceptorName: ({ host }) => `HTTP@${host}` })
    const authorization = await tokenFor()
    for (let i = 0; i < 70; i++)
      expect(await acceptor.authenticate({ host: `h${i}`, authorization })).toMatchObject({ reason: 'no-key' })
    expect((await acceptor.authenticate({ host: 'www.lab.test', authorization })).kind).toBe('success')
  })

  test('of users on this machine are those of auth_to_local', async () => {
    using peer = peerOf(await machine({ localName: true }).authenticate({ authorization: await tokenFor() }))
    expect(peer.localName).toBe('alice')
  })
})

describe('acting on for a user', () => {
  const store = () => ({
    keytab: realm.keytab('HTTP/www.lab.test'),
    clientKeytab: realm.keytab('HTTP/www.lab.test'),
    ccache: 'MEMORY:none',
  })
  const reaches = async (creds: Credentials, target: string) => {
    using context = new SecurityContext({
      ...{ usage: 'initiate', mech: kerberos.krb5, creds, name: Name.hostbased(target) },
    })
    const keys = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('db/db.lab.test') } })
    using acceptor = new SecurityContext({ usage: 'accept', mech: kerberos.krb5, creds: keys })
    await acceptor.step(await context.step())
    return acceptor.initiatorName.text
  }

  test('is for no one unless it is said', async () => {
    using peer = peerOf(await machine({ store: store() }).authenticate({ authorization: await tokenFor() }))
    expect(peer.credentials).toBeUndefined()
  })

  test('by the user’s ticket reaches what the KDC allows, and ends with the request', async () => {
    const acceptor = machine({ store: store(), s4u2proxy: true })
    const peer = peerOf(await acceptor.authenticate({ authorization: await tokenFor() }))
    expect(await reaches(peer.credentials!, 'db@db.lab.test')).toBe('alice@LAB.TEST')
    await expect(reaches(peer.credentials!, 'HTTP@mail.lab.test')).rejects.toMatchObject({ minor: 'KDC_ERR_BADOPTION' })
    const { credentials } = peer
    peer[Symbol.dispose]()
    await expect(reaches(credentials!, 'db@db.lab.test')).rejects.toThrow(GssError)
  })

  test('by tickets that the user hands over, in a file for C programs that is gone afterwards', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerb-test-'))
    try {
      const flags = ['mutualAuthentication', 'delegateToPeer']
      const authorization = await tokenFor('HTTP@www.lab.test', alice, { flags })
      using peer = peerOf(await machine().authenticate({ authorization }))
      const [one, other] = await Promise.all([0, 1].map(() => temporaryCcache(peer.credentials!, { folder, kerberos })))
      expect(one!.name).not.toBe(other!.name)
      const path = one!.name.slice('FILE:'.length)
      expect([statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777]).toEqual([0o600, 0o700])
      using resumed = await kerberos.resume(one!.name)
      expect(await reaches(resumed.credentials, 'db@db.lab.test')).toBe('alice@LAB.TEST')
      for (const ccache of [one!, other!]) await ccache[Symbol.asyncDispose]()
      expect([existsSync(path), readdirSync(folder)]).toEqual([false, []])
      peer[Symbol.dispose]()
      await expect(temporaryCcache(peer.credentials!, { folder, kerberos })).rejects.toThrow(GssError)
      expect(readdirSync(folder)).toEqual([])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('in the name of who authenticated otherwise, where the service is trusted with that (S4U2Self)', async () => {
    using own = (
      await kerberos.login('HTTP/www.lab.test', { keytab: realm.keytab('HTTP/www.lab.test'), forwardable: true })
    ).credentials
    using bob = await kerberos.impersonate(own, Name.user('bob'))
    expect(bob.name?.text).toBe('bob@LAB.TEST')
  })
})

describe('passwords', () => {
  const basic = (text: string) => `Basic ${toBase64(utf8(text))}`
  const secure = { secure: true, host: 'www.lab.test' }

  test('are held against the KDC, in the default realm unless another is said', async () => {
    const acceptor = machine({ basic: true })
    for (const user of ['bob', 'bob@LAB.TEST']) {
      using peer = peerOf(await acceptor.authenticate({ ...secure, authorization: basic(`${user}:bob-pw`) }))
      expect([peer.initiator.text, peer.by]).toEqual(['bob@LAB.TEST', 'basic'])
      expect(peer.endtime - Date.now() / 1000).toBeLessThanOrEqual(300)
      expect(peer.credentials?.usage).toBe('initiate')
    }
  })

  test('says what the KDC vouches for besides the name, as a ticket does', async () => {
    const staff = machine({ basic: true, authorize: ({ attributes }) => attributes?.groups[1] === `${domain}-1200` })
    using peer = peerOf(await staff.authenticate({ ...secure, authorization: basic('alice:alice-pw') }))
    expect(peer.attributes).toMatchObject({ indicators: ['spake'], user: `${domain}-1105` })
    const refused = await staff.authenticate({ ...secure, authorization: basic('bob:bob-pw') })
    expect(refused).toMatchObject({ status: 403, reason: 'forbidden' })
  })

  test.each(['bob:wrong', 'nobody:x', 'a@b@c:x', 'bob/:x', '/:x'])('%j is refused as a wrong one', async (text) => {
    const result = await machine({ basic: true }).authenticate({ ...secure, authorization: basic(text) })
    expect(result).toMatchObject({ status: 401, reason: 'password' })
  })

  test('are not believed to a KDC that does not prove itself', async () => {
    await using impostor = await startRealm({ users: { bob: 'guess' }, services: ['HTTP/www.lab.test'] })
    const acceptor = machine({ kerberos: impostor.kerberos(), basic: true })
    const result = await acceptor.authenticate({ ...secure, authorization: basic('bob:guess') })
    expect(result).toMatchObject({ kind: 'failure', status: 401, reason: 'kdc' })
  })

  test('are told to nobody where no KDC answers', async () => {
    const gone = await startRealm({ users: { bob: 'bob-pw' }, services: ['HTTP/www.lab.test'] })
    await gone[Symbol.asyncDispose]()
    const request = { ...secure, authorization: basic('bob:bob-pw') }
    const result = await machine({ kerberos: gone.kerberos(), basic: true }).authenticate(request)
    expect(result).toMatchObject({ kind: 'failure', status: 401, reason: 'kdc' })
  })
})

describe('IAKERB', () => {
  test('logs in who reaches no KDC, by way of the server, where that is wanted', async () => {
    const send = () => expect.unreachable('the client asked a KDC itself')
    const client = realm.kerberos({ send } as object)
    const bob = client.principal('bob')
    const login = async (options: NodeAcceptorOptions) => {
      const creds = IakerbCredential.credentials(bob, passwordSecret(bob, 'bob-pw'))
      return converse(client.iakerb, creds, machine(options))
    }
    using peer = peerOf(await login({ mechs: ['krb5', 'iakerb'] }))
    expect(peer.initiator.text).toBe('bob@LAB.TEST')
    expect(await login({})).toMatchObject({ kind: 'failure', reason: 'mechanism' })
  })

  async function converse(mech: BoundMechanism, creds: Credentials, acceptor: ReturnType<typeof machine>) {
    const connection = {}
    const context = new SecurityContext({
      usage: 'initiate',
      mech,
      creds,
      name: Name.principal('HTTP/www.lab.test@LAB.TEST'),
    })
    for (let token = await context.step(); ; ) {
      const result = await acceptor.authenticate({ connection, authorization: `Negotiate ${toBase64(token!)}` })
      if (result.kind !== 'continue') return result
      const challenge = String(result.headers['www-authenticate'])
      token = await context.step(Buffer.from(challenge.slice('Negotiate '.length), 'base64'))
    }
  }
})

test('tokens are bound to the certificate of the connection they come over', async () => {
  const acceptor = machine({ channelBindings: 'tls-server-end-point', requireChannelBindings: true })
  const statuses: number[] = []
  const server = createTlsServer({ cert: certificate, key: privateKey }, async ({ headers, socket }, response) => {
    const request: NegotiateRequest = { authorization: headers.authorization, connection: socket }
    const result = await acceptor.authenticate(request)
    statuses.push(result.status)
    response.end()
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ask = async (channelBindings: ReturnType<typeof tlsServerEndPoint>) => {
    const socket: TLSSocket = connect({ port, host: 'localhost', ca: certificate })
    await once(socket, 'secureConnect')
    const authorization = await tokenFor('HTTP@www.lab.test', alice, { channelBindings })
    socket.end(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ${authorization}\r\n\r\n`)
    socket.resume()
    await once(socket, 'close')
  }
  const { raw } = new (await import('node:crypto')).X509Certificate(certificate)
  await ask(tlsServerEndPoint(Uint8Array.from(raw)))
  await ask(undefined)
  await ask({ applicationData: utf8('tls-server-end-point:another') })
  server.close()
  expect(statuses).toEqual([200, 401, 401])
})
