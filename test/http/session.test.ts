/** Sessions in sealed cookies (RFC 6265), as a client that keeps or forges them meets them. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fromBase64, toBase64, utf8 } from '../../src/bytes/index.ts'
import { Name, SecurityContext } from '../../src/gss/index.ts'
import {
  createNegotiateAcceptor,
  type EndedSessions,
  MemoryEndedSessions,
  type NegotiateAcceptorOptions,
  type NegotiateRequest,
  SESSION_KEY_OCTETS,
  type SessionEvent,
  type SessionOptions,
} from '../../src/http/index.ts'
import { fakeNegotiation } from './site.ts'

const START = 1_800_000_000
/** When the fake mechanism's contexts end. */
const TICKET_END = 2_000_000_000
const key = randomBytes(SESSION_KEY_OCTETS)

function site(session: SessionOptions = {}, options: Partial<NegotiateAcceptorOptions> = {}) {
  const events: SessionEvent[] = []
  const clock = { seconds: START }
  const acceptor = createNegotiateAcceptor({
    ...fakeNegotiation(),
    now: () => clock.seconds * 1e6,
    random: randomBytes,
    ...options,
    session: { key, log: (event) => events.push(event), ...session },
  })
  return { acceptor, events, clock }
}

const origin = { host: 'www.lab.test', secure: true } as const

async function signIn({ acceptor }: Pick<ReturnType<typeof site>, 'acceptor'>, request: NegotiateRequest = origin) {
  const { mech, credentials: creds } = fakeNegotiation()
  const context = new SecurityContext({ usage: 'initiate', mech, creds, name: Name.hostbased('HTTP@www') })
  const authorization = `Negotiate ${toBase64((await context.step())!)}`
  const result = await acceptor.authenticate({ ...request, authorization })
  if (result.kind !== 'success') throw expect.unreachable()
  return { ...result, field: result.headers['set-cookie'], cookie: result.headers['set-cookie']?.split(';')[0] ?? '' }
}

describe('a session', () => {
  test('stands in for tokens: by name, without a context, and no new cookie', async () => {
    const here = site()
    const { cookie } = await signIn(here)
    const result = await here.acceptor.authenticate({ ...origin, cookie: `theme=dark; ${cookie}; a=b` })
    expect(result).toMatchObject({
      kind: 'success',
      headers: {},
      peer: { initiator: { text: 'alice' }, by: 'session', context: undefined, credentials: undefined },
    })
  })

  test('is in a cookie that only this host gets back, by TLS, and that scripts do not see', async () => {
    const { field } = await signIn(site())
    expect(field).toMatch(/^__Host-negotiate=[\w-]{60,400}; Path=\/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax$/)
  })

  test('has the name, path, domain and bounds that are wanted', async () => {
    const here = site({
      name: 'sid',
      path: '/app',
      domain: 'lab.test',
      sameSite: 'Strict',
      secure: false,
      lifetime: 60,
    })
    const { field } = await signIn(here, { host: 'a.lab.test' })
    expect(field).toMatch(/^sid=[\w-]+; Path=\/app; Domain=lab.test; Max-Age=60; HttpOnly; SameSite=Strict$/)
  })

  test.each([
    ['its lifetime', { lifetime: 600 }, START, 600],
    ['the life of the ticket', { lifetime: 86_400 }, TICKET_END - 30, 30],
  ])('lasts no longer than %s', async (_, options, begin, seconds) => {
    const here = site(options)
    here.clock.seconds = begin
    const { cookie, field } = await signIn(here)
    expect(field).toContain(`Max-Age=${seconds};`)
    here.clock.seconds = begin + seconds - 1
    expect((await here.acceptor.authenticate({ ...origin, cookie })).kind).toBe('success')
    here.clock.seconds++
    expect((await here.acceptor.authenticate({ ...origin, cookie })).kind).toBe('challenge')
    expect(here.events).toEqual(['expired'])
  })

  test('begins by TLS alone', async () => {
    const here = site()
    expect((await signIn(here, { host: origin.host })).field).toBeUndefined()
    expect(here.events).toEqual(['insecure'])
  })

  test('keeps what the KDC said of the user, as far as a cookie holds that', async () => {
    const groups = Array.from({ length: 200 }, (_, i) => `S-1-5-21-397955417-626881126-188441444-${1000 + i}`)
    const attributes = { indicators: ['pkinit'], user: 'S-1-5-21-1-2-3-500', groups, denied: ['S-1-1-0'] }
    const here = site({}, { attributes: () => attributes })
    const { cookie } = await signIn(here)
    expect(cookie.length).toBeLessThan(2500)
    const again = await here.acceptor.authenticate({ ...origin, cookie })
    expect(again).toMatchObject({ kind: 'success', peer: { attributes } })
    const without = site({ attributes: false }, { attributes: () => attributes })
    const bare = await without.acceptor.authenticate({ ...origin, cookie: (await signIn(without)).cookie })
    expect(bare).toMatchObject({ kind: 'success', peer: { attributes: undefined } })
  })

  test('that would not fit into a cookie never begins: everything is asked for anew', async () => {
    const groups = Array.from({ length: 900 }, (_, i) => `S-1-5-21-397955417-626881126-188441444-${1000 + i}`)
    const here = site({}, { attributes: () => ({ indicators: [], user: undefined, groups, denied: [] }) })
    expect((await signIn(here)).field).toBeUndefined()
    expect(here.events).toEqual(['too-large'])
  })
})

describe('signing out', () => {
  const forget = { 'set-cookie': '__Host-negotiate=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax' }
  const peerOf = async ({ acceptor }: ReturnType<typeof site>, request: NegotiateRequest) => {
    const result = await acceptor.authenticate(request)
    return result.kind === 'success' ? result.peer : undefined
  }

  test('has the browser forget its cookie, and without sessions there is none', async () => {
    expect(await site().acceptor.signOut()).toEqual(forget)
    expect(await createNegotiateAcceptor(fakeNegotiation()).signOut()).toEqual({})
  })

  test('ends the session that stands in for tokens, whoever kept its cookie, and no other', async () => {
    const here = site()
    const [one, other] = [await signIn(here), await signIn(here)]
    const peer = await peerOf(here, { ...origin, cookie: one.cookie })
    expect(await here.acceptor.signOut(peer)).toEqual(forget)
    expect((await here.acceptor.authenticate({ ...origin, cookie: one.cookie })).kind).toBe('challenge')
    expect(here.events).toEqual(['ended'])
    expect((await peerOf(here, { ...origin, cookie: other.cookie }))?.by).toBe('session')
  })

  test('ends a session that began with the same request', async () => {
    const here = site()
    const { peer, cookie } = await signIn(here)
    await here.acceptor.signOut(peer)
    expect(await peerOf(here, { ...origin, cookie })).toBeUndefined()
  })

  test('ends the session of a cookie that came beside a token as well', async () => {
    const here = site()
    const { cookie } = await signIn(here)
    const again = await signIn(here, { ...origin, cookie })
    await here.acceptor.signOut(again.peer)
    for (const kept of [cookie, again.cookie]) expect(await peerOf(here, { ...origin, cookie: kept })).toBeUndefined()
    expect(here.events).toEqual(['ended', 'ended'])
  })

  test('ends what a connection was bound to, and all connections of the session', async () => {
    const here = site({}, { connectionBound: true })
    const [connection, second] = [{}, {}]
    const { cookie } = await signIn(here, { ...origin, connection })
    const bound = (await peerOf(here, { ...origin, connection }))!
    expect(bound.by).toBe('connection')
    const elsewhere = await peerOf(here, { ...origin, cookie, connection: second })
    await here.acceptor.signOut(elsewhere)
    for (const gone of [{ connection }, { cookie, connection: second }])
      expect(await peerOf(here, { ...origin, ...gone })).toBeUndefined()
    const plain = site({ secure: true }, { connectionBound: true })
    await signIn(plain, { host: origin.host, connection })
    await plain.acceptor.signOut(await peerOf(plain, { ...origin, connection }))
    expect(await peerOf(plain, { ...origin, connection })).toBeUndefined()
  })

  test('is known to the servers that share a memory of it, and what that one throws lets nobody in', async () => {
    const known = new Map<string, number>()
    let broken = false
    const ended: EndedSessions = {
      async add({ id, end }) {
        known.set(id, end)
      },
      async has({ id }) {
        if (broken) throw new TypeError('out of order')
        return known.has(id)
      },
    }
    const [one, other] = [site({ ended }), site({ ended })]
    const { peer, cookie } = await signIn(one)
    expect((await peerOf(other, { ...origin, cookie }))?.by).toBe('session')
    await one.acceptor.signOut(peer)
    expect(await peerOf(other, { ...origin, cookie })).toBeUndefined()
    expect([...known]).toEqual([[expect.stringMatching(/^[0-9a-f]{24}$/), START + 3600]])
    broken = true
    expect(await other.acceptor.authenticate({ ...origin, cookie })).toMatchObject({ kind: 'failure', reason: 'other' })
  })
})

describe('the memory of ended sessions', () => {
  const memory = () => {
    const clock = { seconds: START }
    const ended = new MemoryEndedSessions(() => clock.seconds * 1e6, { capacity: 4 })
    const session = (id: number, end = START + 3600) => ({ id: String(id), begun: clock.seconds, end })
    return { clock, ended, session }
  }

  test('forgets what has expired when room is needed', () => {
    const { clock, ended, session } = memory()
    const early = session(0, START + 3600)
    for (let id = 1; id <= 4; id++) ended.add(session(id, START + 10))
    clock.seconds += 10
    ended.add(session(5))
    expect([ended.size, ended.has(early), ended.has(session(5))]).toEqual([1, false, true])
  })

  test('ends all that began up to now where there is no room, rather than have one of them come back', () => {
    const { clock, ended, session } = memory()
    const sessions = [1, 2, 3, 4, 5, 6].map((id) => session(id))
    for (const one of sessions.slice(0, 5)) ended.add(one)
    expect(ended.size).toBe(1)
    expect(sessions.map((one) => ended.has(one))).toEqual(Array(6).fill(true))
    clock.seconds++
    expect(ended.has(session(7))).toBe(false)
  })
})

describe('a cookie is not taken, and the peer only asked anew,', () => {
  const refused = async (here: ReturnType<typeof site>, request: NegotiateRequest) => {
    const result = await here.acceptor.authenticate(request)
    expect(result).toEqual({ kind: 'challenge', status: 401, headers: { 'www-authenticate': 'Negotiate' } })
    return here.events
  }

  test('once any of its octets was changed', async () => {
    const here = site()
    const { cookie } = await signIn(here)
    const [name, value] = cookie.split('=') as [string, string]
    const octets = fromBase64(value.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat(-value.length & 3))
    for (const [i, octet] of octets.entries()) {
      const changed = Uint8Array.from(octets)
      changed[i] = octet ^ 1
      const text = toBase64(changed).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
      await refused(here, { ...origin, cookie: `${name}=${text}` })
    }
    expect(here.events).toEqual(Array(octets.length).fill('unreadable'))
  })

  test.each(['', 'x', 'AAAA', '%%%', 'A'.repeat(5000)])('when it is %j', async (value) => {
    expect(await refused(site(), { ...origin, cookie: `__Host-negotiate=${value}` })).toEqual(['unreadable'])
  })

  test('when a server with another key made it', async () => {
    const { cookie } = await signIn(site({ key: randomBytes(SESSION_KEY_OCTETS) }))
    expect(await refused(site(), { ...origin, cookie })).toEqual(['unreadable'])
    expect(await refused(site({ key: undefined }), { ...origin, cookie })).toEqual(['unreadable'])
  })

  test('at another host, in another site, or under another name, with the same key', async () => {
    const { cookie } = await signIn(site())
    expect(await refused(site(), { ...origin, host: 'other.lab.test', cookie })).toEqual(['unreadable'])
    expect(await refused(site({ audience: 'shop' }), { ...origin, cookie })).toEqual(['unreadable'])
    const renamed = cookie.replace('__Host-negotiate', 'sid')
    expect(await refused(site({ name: 'sid' }), { ...origin, cookie: renamed })).toEqual(['unreadable'])
  })

  test('when there are more of its name than anybody needs, or the field is beyond reason', async () => {
    const here = site()
    const { cookie } = await signIn(here)
    await refused(here, { ...origin, cookie: `${'__Host-negotiate=AAAA; '.repeat(4)}${cookie}` })
    expect(here.events).toHaveLength(4)
    await refused(here, { ...origin, cookie: `a=${'b'.repeat(70_000)}; ${cookie}` })
    expect(here.events).toHaveLength(4)
  })
})

test('keys are changed without anybody noticing: the old one opens, the new one seals', async () => {
  const { cookie } = await signIn(site())
  const next = site({ key: randomBytes(SESSION_KEY_OCTETS), oldKeys: [randomBytes(SESSION_KEY_OCTETS), key] })
  expect((await next.acceptor.authenticate({ ...origin, cookie })).kind).toBe('success')
  const { cookie: fresh } = await signIn(next)
  expect((await site().acceptor.authenticate({ ...origin, cookie: fresh })).kind).toBe('challenge')
})

test('a session of one site is another host’s where they say that they are one site', async () => {
  const shared = { audience: 'lab.test', domain: 'lab.test' }
  const { cookie } = await signIn(site(shared))
  const elsewhere = await site(shared).acceptor.authenticate({ ...origin, host: 'mail.lab.test', cookie })
  expect(elsewhere.kind).toBe('success')
})

test('who may come in is asked with every request of a session', async () => {
  let welcome = true
  const here = site({}, { authorize: ({ initiator }) => welcome && initiator.text === 'alice' })
  const { cookie } = await signIn(here)
  expect((await here.acceptor.authenticate({ ...origin, cookie })).kind).toBe('success')
  welcome = false
  expect(await here.acceptor.authenticate({ ...origin, cookie })).toMatchObject({
    kind: 'failure',
    status: 403,
    reason: 'forbidden',
    headers: {},
  })
})

test.each([
  ['a short key', { key: utf8('secret') }, /32 octets, not 6/],
  ['a name that is none', { name: 'a=b' }, /no name of a cookie/],
  ['a path with a semicolon', { path: '/;x' }, /no path of a cookie/],
  ['keys without end', { oldKeys: Array(9).fill(key) }, /9 old keys/],
])('%s is refused at once', (_, options, message) => expect(() => site(options)).toThrow(message))

test('sessions need a clock and chance', () => {
  expect(() => createNegotiateAcceptor({ ...fakeNegotiation(), session: {} })).toThrow(/need `now`/)
  expect(() => createNegotiateAcceptor({ ...fakeNegotiation(), session: {}, now: () => 0 })).toThrow(/need `random`/)
})
