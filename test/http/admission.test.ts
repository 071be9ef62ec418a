/** Who may come in once it is known who that is, and over which connections: what mod_auth_gssapi has directives for. */
import { describe, expect, test } from 'vitest'
import { toBase64, utf8 } from '../../src/bytes/index.ts'
import { Name, SecurityContext } from '../../src/gss/index.ts'
import { createNegotiateAcceptor, type NegotiateAcceptorOptions, type NegotiateRequest } from '../../src/http/index.ts'
import type { FakeOptions } from '../spnego/fake.ts'
import { fakeNegotiation } from './site.ts'

async function tokenOf() {
  const { mech, credentials: creds } = fakeNegotiation()
  const context = new SecurityContext({ usage: 'initiate', mech, creds, name: Name.hostbased('HTTP@www') })
  return `Negotiate ${toBase64((await context.step())!)}`
}

function site(options: Partial<NegotiateAcceptorOptions> = {}, fake: FakeOptions = {}) {
  const clock = { seconds: 1_800_000_000 }
  const acceptor = createNegotiateAcceptor({ ...fakeNegotiation(fake), now: () => clock.seconds * 1e6, ...options })
  const signIn = async (request: NegotiateRequest = {}) =>
    acceptor.authenticate({ ...request, authorization: await tokenOf() })
  return { acceptor, clock, signIn }
}

describe('who may', () => {
  test('is the caller’s to say, by name and by what the KDC vouches for', async () => {
    const attributes = { indicators: ['otp'], user: undefined, groups: ['S-1-5-21-1-2-3-513'], denied: [] }
    const seen: unknown[] = []
    const authorize: NegotiateAcceptorOptions['authorize'] = (peer, { host }) => {
      seen.push(peer.initiator.text, peer.attributes, host)
      return peer.attributes?.indicators.includes('otp') ?? false
    }
    expect((await site({ authorize, attributes: () => attributes }).signIn({ host: 'www' })).kind).toBe('success')
    expect(seen).toEqual(['alice', attributes, 'www'])
    expect((await site({ authorize }).signIn()).kind).toBe('failure')
  })

  test.each([
    ['false', () => false, 'forbidden'],
    ['a promise of it', async () => false, 'forbidden'],
    [
      'an exception',
      () => {
        throw new TypeError('no directory')
      },
      'other',
    ],
  ])('is nobody by %s: 403, without a challenge, with the proof of who the server is', async (_, authorize, reason) => {
    const disposed: string[] = []
    const result = await site({ authorize }, { disposed }).signIn()
    expect(result).toMatchObject({ kind: 'failure', status: 403, reason })
    expect(result.headers['www-authenticate']).toMatch(/^Negotiate \S+$/)
    expect(disposed).toContain('context')
  })

  test('is who has a name on this machine, where that is asked for', async () => {
    const localName = ({ text }: Name) => (text === 'alice' ? 'alice01' : undefined)
    expect(await site({ localName }).signIn()).toMatchObject({ kind: 'success', peer: { localName: 'alice01' } })
    expect(await site({ localName: () => undefined }).signIn()).toMatchObject({ status: 403, reason: 'forbidden' })
  })
})

describe('TLS', () => {
  test('is required of all that comes, before anybody is asked for a token', async () => {
    const { acceptor, signIn } = site({ requireTls: true })
    for (const result of [await acceptor.authenticate({}), await signIn()])
      expect(result).toMatchObject({ kind: 'failure', status: 403, headers: {}, reason: 'insecure' })
    expect((await signIn({ secure: true })).kind).toBe('success')
  })

  test('has to be what the token is bound to, where that is required (IIS: Extended Protection)', async () => {
    const channelBindings = { applicationData: utf8('tls-server-end-point:x') }
    expect((await site({ channelBindings }).signIn()).kind).toBe('success')
    expect(await site({ channelBindings, requireChannelBindings: true }).signIn()).toMatchObject({
      kind: 'failure',
      status: 401,
      reason: 'channel-bindings',
    })
  })
})

describe('a connection', () => {
  test('says nothing of who comes over it, unless that is said', async () => {
    const { acceptor, signIn } = site()
    const connection = {}
    await signIn({ connection })
    expect((await acceptor.authenticate({ connection })).kind).toBe('challenge')
  })

  test('speaks for whoever authenticated on it, until the ticket ends, and no other does', async () => {
    const { acceptor, signIn, clock } = site({ connectionBound: true })
    const connection = {}
    expect((await signIn({ connection })).headers).toMatchObject({ 'persistent-auth': 'true' })
    expect(await acceptor.authenticate({ connection })).toMatchObject({
      kind: 'success',
      peer: { initiator: { text: 'alice' }, by: 'connection', context: undefined },
    })
    expect((await acceptor.authenticate({ connection: {} })).kind).toBe('challenge')
    expect((await acceptor.authenticate({})).kind).toBe('challenge')
    clock.seconds = 2_000_000_000
    expect((await acceptor.authenticate({ connection })).kind).toBe('challenge')
  })

  test('is not taken for one who may not', async () => {
    let welcome = true
    const { acceptor, signIn } = site({ connectionBound: true, authorize: () => welcome })
    const connection = {}
    await signIn({ connection })
    welcome = false
    expect((await acceptor.authenticate({ connection })).status).toBe(403)
  })
})

test('who failed is not offered Negotiate again, where there is another way', async () => {
  const basic = { check: () => expect.unreachable() }
  const { acceptor } = site({ negotiateOnce: true, basic })
  const failed = await acceptor.authenticate({ secure: true, authorization: 'Negotiate TlRMTVNTUAAB' })
  expect([failed.status, failed.headers]).toEqual([
    401,
    { 'www-authenticate': 'Basic realm="Kerberos", charset="UTF-8"' },
  ])
  const alone = await site({ negotiateOnce: true }).acceptor.authenticate({ authorization: 'Negotiate TlRMTVNTUAAB' })
  expect(alone.headers).toEqual({ 'www-authenticate': 'Negotiate' })
})
