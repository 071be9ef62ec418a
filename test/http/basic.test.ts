/** Passwords beside Negotiate (RFC 7617), with a check that knows one user. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { toBase64, utf8 } from '../../src/bytes/index.ts'
import { Name } from '../../src/gss/index.ts'
import {
  type BasicOptions,
  createNegotiateAcceptor,
  type NegotiateAcceptorOptions,
  PASSWORD_PAUSE,
  WRONG_PASSWORDS_MAX,
} from '../../src/http/index.ts'
import { KrbError } from '../../src/krb5/errors.ts'
import { fakeCredentials } from '../spnego/fake.ts'
import { fakeNegotiation } from './site.ts'

const basic = (text: string | Uint8Array) => `Basic ${toBase64(typeof text === 'string' ? utf8(text) : text)}`
const secure = { host: 'www.lab.test', secure: true } as const
const both = { 'www-authenticate': ['Negotiate', 'Basic realm="Kerberos", charset="UTF-8"'] }

function site(options: Partial<BasicOptions> = {}, more: Partial<NegotiateAcceptorOptions> = {}) {
  const clock = { seconds: 1_800_000_000 }
  const checked: string[] = []
  const acceptor = createNegotiateAcceptor({
    ...fakeNegotiation(),
    now: () => clock.seconds * 1e6,
    random: randomBytes,
    basic: {
      async check(user, password) {
        checked.push(`${user}:${password}`)
        if (user === 'broken') throw new TypeError('out of order')
        if (user !== 'zoë' || password !== 'pä:ss') throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'wrong')
        return { initiator: Name.user('zoë'), endtime: 1_900_000_000 }
      },
      ...options,
    },
    ...more,
  })
  const ask = (text: string | Uint8Array, request: object = secure) =>
    acceptor.authenticate({ ...request, authorization: basic(text) })
  return { acceptor, clock, checked, ask }
}

describe('a password', () => {
  test('is offered as the second way, each in a field of its own, as Chromium wants it', async () => {
    expect(await site().acceptor.authenticate(secure)).toEqual({ kind: 'challenge', status: 401, headers: both })
  })

  test('lets its user in, in UTF-8, and with colons', async () => {
    expect(await site().ask('zoë:pä:ss')).toMatchObject({
      kind: 'success',
      headers: {},
      peer: { initiator: { text: 'zoë' }, by: 'basic', context: undefined, endtime: 1_900_000_000 },
    })
  })

  test('is neither offered nor looked at without TLS, unless that is said', async () => {
    const here = site()
    const { headers } = await here.acceptor.authenticate({ host: 'www.lab.test' })
    expect(headers).toEqual({ 'www-authenticate': 'Negotiate' })
    const result = await here.ask('zoë:pä:ss', { host: 'www.lab.test' })
    expect(result).toMatchObject({ kind: 'failure', status: 401, headers, reason: 'insecure' })
    expect(here.checked).toEqual([])
    expect((await site({ allowInsecure: true }).ask('zoë:pä:ss', {})).kind).toBe('success')
  })

  test('that is wrong leads to the same answer as none, and the log knows why', async () => {
    expect(await site().ask('zoë:guess')).toMatchObject({
      kind: 'failure',
      status: 401,
      headers: both,
      reason: 'password',
      error: { code: 'WRONG_PASSWORD', cause: { code: 'KDC_ERR_PREAUTH_FAILED' } },
    })
  })

  test('is never in an error', async () => {
    const { error } = (await site().ask('zoë:guess')) as { error: Error }
    expect(`${error} ${error.stack} ${error.cause}`).not.toMatch(/guess/)
  })

  test.each([
    ['no colon', 'zoë'],
    ['no user', ':pä:ss'],
    ['control characters', 'zoë\n:x'],
    ['another charset', Uint8Array.of(0x7a, 0xeb, 0x3a, 0x70)],
    ['no end', `zoë:${'x'.repeat(4096)}`],
  ])('with %s is not even tried', async (_, text) => {
    const here = site()
    expect(await here.ask(text)).toMatchObject({ kind: 'failure', status: 401, reason: 'malformed' })
    expect(here.checked).toEqual([])
  })

  test('is not asked for where nobody takes it', async () => {
    const here = createNegotiateAcceptor(fakeNegotiation())
    expect(await here.authenticate({ ...secure, authorization: basic('zoë:pä:ss') })).toMatchObject({
      kind: 'challenge',
      headers: { 'www-authenticate': 'Negotiate' },
    })
  })
})

describe('guessing', () => {
  test('stops after a few wrong ones for a while: the KDC is not asked any more, even for the right one', async () => {
    const here = site()
    for (let i = 0; i < WRONG_PASSWORDS_MAX; i++) await here.ask(`zoë:${i}`)
    const result = await here.ask('zoë:pä:ss')
    expect(result).toMatchObject({ kind: 'failure', status: 429, reason: 'busy', headers: {} })
    expect(here.checked).toHaveLength(WRONG_PASSWORDS_MAX)
    expect((await here.ask('bob:x')).status).toBe(401)
    here.clock.seconds += PASSWORD_PAUSE
    expect((await here.ask('zoë:pä:ss')).kind).toBe('success')
  })

  test('is counted anew after a right one, and after a while', async () => {
    const here = site()
    const wrong = async () => (await here.ask('zoë:x')).status
    for (let i = 1; i < WRONG_PASSWORDS_MAX; i++) await wrong()
    await here.ask('zoë:pä:ss')
    for (let i = 1; i < WRONG_PASSWORDS_MAX; i++) expect(await wrong()).toBe(401)
    here.clock.seconds += PASSWORD_PAUSE
    expect([await wrong(), await wrong()]).toEqual([401, 401])
  })

  test('of many at a time is turned away, and what is being checked goes on', async () => {
    const open: (() => void)[] = []
    const check = () =>
      new Promise<never>((_, reject) => open.push(() => reject(new KrbError('KDC_ERR_PREAUTH_FAILED', 'wrong'))))
    const here = site({ check, concurrency: 2 })
    const running = [here.ask('a:x'), here.ask('b:x')]
    await expect.poll(() => open.length).toBe(2)
    expect((await here.ask('c:x')).status).toBe(429)
    for (const finish of open) finish()
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([401, 401])
  })

  test('is not counted where it was the server’s fault', async () => {
    const here = site()
    for (let i = 0; i < 2 * WRONG_PASSWORDS_MAX; i++)
      expect(await here.ask('broken:x')).toMatchObject({ status: 401, reason: 'other' })
  })
})

describe('a session of a password', () => {
  test('stands in for the KDC as long as the browser sends the same password', async () => {
    const here = site({}, { session: {} })
    const { headers } = await here.ask('zoë:pä:ss')
    const request = { ...secure, cookie: headers['set-cookie']!.split(';')[0] }
    expect(await here.ask('zoë:pä:ss', request)).toMatchObject({ kind: 'success', peer: { by: 'session' } })
    expect(here.checked).toHaveLength(1)
    expect(await here.ask('zoë:other', request)).toMatchObject({ kind: 'failure', reason: 'password' })
    expect(await here.ask('bob:pä:ss', request)).toMatchObject({ kind: 'failure', reason: 'password' })
    expect((await here.acceptor.authenticate(request)).kind).toBe('success')
  })
})

test('what a password gives to reach other services with is wiped with the peer', async () => {
  const [element] = [{ wiped: 0 }]
  const credentials = fakeCredentials([{ oid: '1.2' }])
  credentials.add({
    mechanism: '1.3',
    usage: 'initiate',
    name: undefined,
    endtime: undefined,
    [Symbol.dispose]: () => void element.wiped++,
  })
  const check = async () => ({ initiator: Name.user('zoë'), endtime: 1_900_000_000, credentials })
  const result = await site({ check }).ask('zoë:x')
  if (result.kind !== 'success') throw expect.unreachable()
  expect(result.peer.credentials).toBe(credentials)
  result.peer[Symbol.dispose]()
  expect(element.wiped).toBe(1)
  const forbidding = site({ check }, { authorize: () => false })
  expect((await forbidding.ask('zoë:x')).status).toBe(403)
  expect(element.wiped).toBe(2)
})

test('a realm that could end its quotes is refused', () => {
  expect(() => site({ realm: 'x", evil="' })).toThrow(/RFC 7617/)
  expect(() => createNegotiateAcceptor({ ...fakeNegotiation(), basic: { check: () => expect.unreachable() } })).toThrow(
    /need `now`/,
  )
})
