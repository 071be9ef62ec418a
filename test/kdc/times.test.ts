/** Tickets that begin later, are validated, renewed, and tied to addresses: RFC 4120 §2.3, §2.4, §3.1.3, §3.3.3. */
import { beforeEach, describe, expect, test } from 'vitest'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { run } from '../../src/effects/index.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc } from '../../src/kdc/kdc.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import type { AsRequest } from '../../src/krb5/exchanges/asrequest.ts'
import { tgsExchange, ticketAgain } from '../../src/krb5/exchanges/tgs.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { KrbExchange, KrbQuestions } from '../../src/krb5/questions.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from '../support/env.ts'

const REALM = 'LAB.TEST'
const START = 1_800_000_000
const HOUR = 3600
const fixed = fixedEnv(START)
let now = START
const env = { ...fixed, now: () => now * 1e6 }
const database = new MemoryDatabase(REALM, env.random)
const few = { enctypes: [enctypes[0]!] }
for (const [name, options] of Object.entries({
  alice: { password: 'x' },
  punctual: { password: 'x', postdatable: false },
  'HTTP/www': {},
  'host/www': {},
}))
  database.add(name, { ...few, ...options })
const kdc = createKdc({ realm: REALM, database, env })
const go = <T>(exchange: KrbExchange<T>): Promise<T> =>
  run<KrbQuestions, T>(exchange, {
    send: ({ message }) => ({ message: kdc.handle(message)!, kdc: 'embedded' }),
    prompt: () => expect.unreachable(),
    replay: () => false,
    keep: () => undefined,
    compute: ({ work }) => work(),
  } as Parameters<typeof run<KrbQuestions, T>>[1])
const login = async (more: Partial<AsRequest> = {}, name = 'alice') => {
  const client = parsePrincipal(name, { realm: REALM })
  return (await go(asExchange({ client, secret: passwordSecret(client, 'x'), lifetime: HOUR, ...more }, env)))
    .credential
}
const buy = async (tgt: Credential, name: string) =>
  (await go(tgsExchange({ tgt, service: parsePrincipal(name, { realm: REALM }) }, env))).credential
const again = async (how: 'renew' | 'validate', tgt: Credential) =>
  (await go(ticketAgain(how, { tgt }, env))).credential
const refused = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code })
beforeEach(() => {
  now = START
})

describe('a postdated ticket', () => {
  const later = START + 2 * HOUR

  test('is invalid until its time has come and the KDC was asked', async () => {
    const tgt = await login({ startTime: later, renewLifetime: 24 * HOUR })
    expect([...tgt.flags]).toEqual(expect.arrayContaining(['mayPostdate', 'postdated', 'invalid', 'renewable']))
    expect(tgt).toMatchObject({
      authtime: START,
      starttime: later,
      endtime: later + HOUR,
      renewTill: later + 24 * HOUR,
    })
    await refused(again('validate', tgt), 'KRB_AP_ERR_TKT_NYV')
    now = later + 1
    await refused(buy(tgt, 'HTTP/www'), 'KRB_AP_ERR_TKT_NYV')
    await refused(again('renew', tgt), 'KRB_AP_ERR_TKT_NYV')
    const valid = await again('validate', tgt)
    expect([...valid.flags]).not.toContain('invalid')
    expect(valid).toMatchObject({ authtime: START, starttime: later, endtime: later + HOUR })
    expect((await buy(valid, 'HTTP/www')).endtime).toBe(later + HOUR)
    await refused(again('validate', valid), 'KDC_ERR_BADOPTION')
  })

  test('begins when it was asked to, be it within the clock skew', async () => {
    const tgt = await login({ startTime: START + 200 })
    expect([...tgt.flags]).toEqual(expect.arrayContaining(['postdated', 'invalid']))
    expect(tgt.starttime).toBe(START + 200)
  })

  test('that was to begin in the past is an ordinary one', async () => {
    const tgt = await login({ startTime: START - 200 })
    expect([...tgt.flags]).not.toContain('invalid')
    expect(tgt.starttime).toBe(START)
  })

  test('is refused to whom may not have one', () =>
    refused(login({ startTime: later }, 'punctual'), 'KDC_ERR_CANNOT_POSTDATE'))

  test('has to live', () => refused(login({ startTime: later, lifetime: 0 }), 'KDC_ERR_NEVER_VALID'))
})

describe('a ticket that is renewed', () => {
  test('lives as long as before, up to its limit, with the flags it had', async () => {
    const tgt = await login({ renewLifetime: 90 * 60, options: ['forwardable', 'proxiable'] })
    now = START + 45 * 60
    const renewed = await again('renew', tgt)
    expect(renewed).toMatchObject({
      authtime: START,
      starttime: now,
      endtime: START + 90 * 60,
      renewTill: START + 90 * 60,
    })
    const kept = [...tgt.flags].filter((flag) => flag !== 'encPaRep')
    expect([...renewed.flags].sort()).toEqual(kept.sort())
    now = START + 91 * 60
    await refused(again('renew', renewed), 'KRB_AP_ERR_TKT_EXPIRED')
  })

  test('may be one for a service', async () => {
    const bought = await buy(await login({ renewLifetime: 24 * HOUR }), 'HTTP/www')
    now += 600
    expect((await again('renew', bought)).endtime).toBe(now + HOUR)
  })

  test('must be renewable', async () => refused(again('renew', await login()), 'KDC_ERR_BADOPTION'))
})

test('a ticket for a service buys no other ticket (RFC 4120 §3.3.3)', async () => {
  const bought = await buy(await login(), 'HTTP/www')
  // Shown to the KDC as if it were a ticket-granting one.
  const passedOff = { ...bought, server: (await login()).server }
  await refused(buy(passedOff, 'host/www'), 'KRB_AP_ERR_NOT_US')
  await refused(
    again('renew', { ...bought, server: parsePrincipal('host/www', { realm: REALM }) }),
    'KDC_ERR_SERVER_NOMATCH',
  )
})

test('addresses go from the request into the ticket, and into what is bought with it', async () => {
  const addresses = [{ addrType: 2, address: Uint8Array.of(10, 0, 0, 1) }]
  const tgt = await login({ addresses })
  expect(tgt.addresses).toEqual(addresses)
  expect((await buy(tgt, 'HTTP/www')).addresses).toEqual(addresses)
  expect((await login()).addresses).toBeUndefined()
})

test('a ticket is proxiable when that is asked for and the client may', async () => {
  expect([...(await login({ options: ['proxiable'] })).flags]).toContain('proxiable')
  expect([...(await login()).flags]).not.toContain('proxiable')
})
