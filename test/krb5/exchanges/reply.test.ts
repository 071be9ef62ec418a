/** What a client must notice in a KDC's replies: RFC 4120 §3.1.5 and §3.3.4, one falsified field at a time. */
import { describe, expect, test } from 'vitest'
import { enctypes } from '../../../src/crypto/enctypes/table.ts'
import { asExchange } from '../../../src/krb5/exchanges/as.ts'
import { tgsExchange } from '../../../src/krb5/exchanges/tgs.ts'
import type { EncKdcRepPart, KdcRep } from '../../../src/krb5/messages/kdc.ts'
import { hostService, parsePrincipal } from '../../../src/krb5/names.ts'
import { keysSecret, passwordSecret } from '../../../src/krb5/secret.ts'
import { formatTraceEvent, type TraceEvent } from '../../../src/krb5/trace.ts'
import { fixedEnv } from '../../support/env.ts'
import { clientKey, type Falsified, PASSWORD, REALM, runAgainst, TIME } from '../../support/scriptedkdc.ts'

const client = parsePrincipal('alice', { realm: REALM })
const service = hostService('HTTP', 'www.lab.test', REALM)
const env = fixedEnv(TIME)
const login = (lies: Falsified = {}, more: object = {}, given = env) =>
  runAgainst(
    asExchange({ client, secret: passwordSecret(client, PASSWORD), lifetime: 3600, ...more }, given),
    (n) => (n === 0 && !lies.error && !lies.octets ? { iterations: lies.iterations } : lies) as Falsified,
  )
const buy = async (lies: Falsified) => {
  const { credential: tgt } = await login()
  return runAgainst(tgsExchange({ tgt, service }, env), () => lies)
}
const wrongKey = { keytype: 17, keyvalue: new Uint8Array(16) }

type Lie = readonly [string, (part: EncKdcRepPart) => EncKdcRepPart, string]
const lies: readonly Lie[] = [
  ['another nonce', (part) => ({ ...part, nonce: part.nonce ^ 1 }), 'REPLY_MODIFIED'],
  [
    'another service',
    (part) => ({ ...part, sname: { ...part.sname, nameString: ['host', 'evil'] } }),
    'REPLY_MODIFIED',
  ],
  ['another realm of the service', (part) => ({ ...part, srealm: 'EVIL' }), 'REPLY_MODIFIED'],
  ['a later end than asked for', (part) => ({ ...part, endtime: part.endtime + 1 }), 'REPLY_MODIFIED'],
  ['a start in the future', (part) => ({ ...part, starttime: TIME + 3000 }), 'REPLY_MODIFIED'],
  [
    'a session key of an enctype not offered',
    (part) => ({ ...part, key: { ...wrongKey, keytype: 23 } }),
    'ENCTYPE_REFUSED',
  ],
  ['a session key of the wrong size', (part) => ({ ...part, key: { ...wrongKey, keytype: 18 } }), 'REPLY_MALFORMED'],
]
type ReplyLie = readonly [string, (reply: KdcRep) => KdcRep, string]
const clearLies: readonly ReplyLie[] = [
  ['another client', (reply) => ({ ...reply, cname: { nameType: 1, nameString: ['bob'] } }), 'REPLY_MODIFIED'],
  ["another realm of the client's", (reply) => ({ ...reply, crealm: 'EVIL' }), 'REPLY_MODIFIED'],
  [
    'another service on the ticket',
    (reply) => ({ ...reply, ticket: { ...reply.ticket, sname: { nameType: 2, nameString: ['host', 'x'] } } }),
    'REPLY_MODIFIED',
  ],
  [
    'another realm on the ticket',
    (reply) => ({ ...reply, ticket: { ...reply.ticket, realm: 'EVIL' } }),
    'REPLY_MODIFIED',
  ],
]

describe('class 2: the AS exchange', () => {
  test('takes an honest reply', async () => {
    const { credential, clockOffset, kdc } = await login()
    expect(credential).toMatchObject({ client, endtime: TIME + 3600 })
    expect([clockOffset, kdc]).toEqual([0, 'kdc1:88 (TCP)'])
  })
  test.each([...lies])('notices %s', async (_, part, code) =>
    expect(login({ part })).rejects.toMatchObject({ code, origin: 'local' }),
  )
  test.each(clearLies)('notices %s', async (_, reply, code) => expect(login({ reply })).rejects.toMatchObject({ code }))
  test.each([
    [23, /rc4-hmac, which was not offered: it is deprecated/],
    [3, /des-cbc-md5 \(3\), which was not offered: single DES has keys of 56 bits.*RFC 6649/],
    [24, /rc4-hmac-exp \(24\), .*40 bits.*RFC 6649/],
    [-128, /rc4-md4 \(-128\), /],
    [99, /etype 99, .*not spoken here/],
  ])('notices the enctype %i in the reply, which was not offered, and says why', async (etype, message) => {
    const reply = (honest: KdcRep) => ({ ...honest, encPart: { ...honest.encPart, etype } })
    await expect(login({ reply })).rejects.toMatchObject({
      code: 'ENCTYPE_REFUSED',
      step: 'AS-REQ',
      kdc: 'kdc1:88 (TCP)',
      message: expect.stringMatching(message),
    })
  })
  test('notices a reply that opens with another key', async () => {
    const reply = (honest: KdcRep) => ({
      ...honest,
      encPart: { ...honest.encPart, cipher: honest.encPart.cipher.map((octet) => octet ^ 1) },
    })
    await expect(login({ reply })).rejects.toMatchObject({ code: 'KRB_AP_ERR_BAD_INTEGRITY' })
  })
  test('notices that addresses were left out', async () => {
    const addresses = [{ addrType: 2, address: Uint8Array.of(127, 0, 0, 1) }]
    await expect(login({}, { addresses })).rejects.toMatchObject({ code: 'REPLY_MODIFIED' })
    const part = (honest: EncKdcRepPart) => ({ ...honest, caddr: addresses })
    expect((await login({ part }, { addresses })).credential.addresses).toEqual(addresses)
  })
  test('notices a claim that the request arrived as sent, without proof (RFC 6806 §11)', async () => {
    const part = (honest: EncKdcRepPart) => ({ ...honest, flags: new Set([...honest.flags, 'encPaRep' as const]) })
    await expect(login({ part })).rejects.toMatchObject({ code: 'REPLY_MODIFIED' })
  })
  test.each([0, 1, 4095, 2 ** 21])(
    'refuses to be kept busy by %i rounds of hashing, or to be satisfied with them',
    async (iterations) => expect(login({ iterations })).rejects.toThrow(/rounds/),
  )
  test("follows the KDC's clock, and says by how much", async () => {
    const ahead = await login({ clock: 3600 })
    expect(ahead.clockOffset).toBe(3_600_000_000)
    await expect(login({ clock: 3600 }, { followClock: false })).rejects.toMatchObject({
      code: 'KRB_AP_ERR_SKEW',
      origin: 'peer',
    })
  })
  test.each([
    [6, 'KDC_ERR_C_PRINCIPAL_UNKNOWN', /no such client: alice@LAB.TEST .*at kdc1:88 \(TCP\); check the user name/],
    [24, 'KDC_ERR_PREAUTH_FAILED', /check the password/],
    [23, 'KDC_ERR_KEY_EXPIRED', /kpasswd/],
    [9999, 'KRB_ERR_GENERIC', /code 9999/],
  ])('tells of error %i as %s', async (code, name, message) => {
    const error = await login({ error: { code, eText: 'said\nso' } }).catch((error: unknown) => error)
    expect(error).toMatchObject({
      name: 'KrbError',
      code: name,
      origin: 'peer',
      realm: REALM,
      kdc: 'kdc1:88 (TCP)',
      step: 'AS-REQ',
    })
    expect(String(error)).toMatch(message)
    expect(String(error)).toContain('("said?so")')
  })
  test('gives up on a KDC that asks in circles', async () => {
    const circle = runAgainst(
      asExchange({ client, secret: passwordSecret(client, PASSWORD), lifetime: 60 }, env),
      () => ({ error: { code: 37, stime: TIME + 9999 } }),
    )
    await expect(circle).rejects.toMatchObject({ code: 'KRB_AP_ERR_SKEW' })
  })
  test('every truncation and every flipped octet of a reply ends in a typed error, or changes nothing that counts', async () => {
    const secret = keysSecret(client, [clientKey])
    const answered = (octets: (reply: Uint8Array) => Uint8Array) =>
      login({ octets }, { secret }).catch((error: Error) => error as never)
    let size = 0
    const honest = await answered((reply) => {
      size = reply.length
      return reply
    })
    const outcome = ({ credential: { client, server, endtime } }: Awaited<ReturnType<typeof login>>) => ({
      client,
      server,
      endtime,
    })
    for (let i = 0; i < size; i++) {
      const cut = await answered((reply) => reply.slice(0, i))
      expect(cut).toMatchObject({ name: 'KrbError' })
      const flipped = await answered((reply) => reply.map((octet, at) => (at === i ? octet ^ 0x10 : octet)))
      if ((flipped as unknown) instanceof Error) expect((flipped as unknown as Error).name).toBe('KrbError')
      else expect(outcome(flipped)).toEqual(outcome(honest))
    }
  }, 60_000)
})

describe('class 2: the TGS exchange', () => {
  test('takes an honest reply', async () =>
    expect((await buy({})).credential.server).toMatchObject({ components: ['HTTP', 'www.lab.test'], realm: REALM }))
  test.each([...lies])('notices %s', async (_, part, code) => expect(buy({ part })).rejects.toMatchObject({ code }))
  test.each(clearLies)('notices %s', async (_, reply, code) => expect(buy({ reply })).rejects.toMatchObject({ code }))
  test('names the service that is unknown, the KDC and the remedy', async () =>
    expect(buy({ error: { code: 7 } })).rejects.toThrow(
      'KDC_ERR_S_PRINCIPAL_UNKNOWN: no such service: HTTP/www.lab.test@LAB.TEST at kdc1:88 (TCP); check the host name or ask for the SPN to be registered',
    ))
  test('ends when realms refer to each other in circles', async () => {
    const { credential: tgt } = await login()
    const refer = (to: string) => ({ nameType: 2, nameString: ['krbtgt', to] })
    const circle = (n: number): Falsified => {
      const sname = refer(n % 2 ? REALM : 'OTHER')
      return {
        part: (part) => ({ ...part, sname }),
        reply: (reply) => ({ ...reply, ticket: { ...reply.ticket, sname } }),
      }
    }
    const away = runAgainst(tgsExchange({ tgt, service: { ...service, realm: '' } }, env), circle)
    await expect(away).rejects.toMatchObject({ code: 'REFERRAL_LOOP' })
  })
})

test('what is traced is what happened, and holds no key', async () => {
  const events: TraceEvent[] = []
  await login({}, {}, fixedEnv(TIME, 1, { trace: (event) => events.push(event) }))
  expect(events.map(({ kind }) => kind)).toEqual(['send', 'error', 'preauth', 'key', 'send', 'reply', 'ticket'])
  const text = events.map(formatTraceEvent).join('\n')
  expect(text).toContain('Selected pre-authentication encrypted timestamp')
  expect(text).toContain(enctypes[0]!.name)
  expect(text).not.toContain(PASSWORD)
})
