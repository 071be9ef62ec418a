/** The embedded KDC: what it issues and refuses, and that no octets make it throw. RFC 4120 §3.1.3, §3.3.3. */
import { beforeAll, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { run } from '../../src/effects/index.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc, type KdcEvent } from '../../src/kdc/kdc.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import type { Env } from '../../src/krb5/env.ts'
import { errorCodeOf } from '../../src/krb5/errorcodes.ts'
import { type AsRequest, asExchange } from '../../src/krb5/exchanges/as.ts'
import { type TgsRequest, tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { AsReq, KdcReqBody } from '../../src/krb5/messages/kdc.ts'
import { Ticket } from '../../src/krb5/messages/ticket.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { KrbExchange, KrbQuestions } from '../../src/krb5/questions.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { keysSecret, passwordSecret } from '../../src/krb5/secret.ts'
import { keysOf, parseKeytab } from '../../src/store/keytab.ts'
import { fixedEnv } from '../support/env.ts'

const REALM = 'LAB.TEST'
const TIME = 1_800_000_000
const env = fixedEnv(TIME)
const database = new MemoryDatabase(REALM, env.random)
const events: KdcEvent[] = []
const kdc = createKdc({ realm: REALM, database, env, log: (event) => events.push(event) })
const service = parsePrincipal('HTTP/www', { realm: REALM })

beforeAll(() => {
  database.add('alice', { password: 'alice-pw', aliases: ['al'] })
  database.add('nopreauth', { password: 'x', requiresPreauth: false, enctypes: [enctypes[0]!] })
  for (const [name, options] of Object.entries({
    locked: { locked: true },
    expired: { expires: TIME - 1 },
    pwexpired: { passwordExpires: TIME - 1 },
    warned: { passwordExpires: TIME + 1000 },
    nofwd: { forwardable: false },
    norenew: { renewable: false },
    short: { maxLife: 600, maxRenewLife: 1200 },
  }))
    database.add(name, { password: 'x', enctypes: [enctypes[0]!], ...options })
  for (const enctype of enctypes) database.add(`svc${enctype.id}/www`, { enctypes: [enctype] })
  database.add('HTTP/www', { okAsDelegate: true })
  database.add('gone/www', { locked: true })
  database.add('u2u', { password: 'x', enctypes: [enctypes[0]!] })
})

const sent: Uint8Array[] = []
const go = <T>(exchange: KrbExchange<T>): Promise<T> =>
  run<KrbQuestions, T>(exchange, {
    send: ({ message }) => {
      sent.push(message)
      return { message: kdc.handle(message)!, kdc: 'embedded' }
    },
    prompt: () => expect.unreachable(),
    replay: () => false,
    keep: () => undefined,
    compute: ({ work }) => work(),
  })
const login = (name: string, password = 'x', more: Partial<AsRequest> = {}, given: Env = env) => {
  const client = parsePrincipal(name, { realm: REALM })
  return go(asExchange({ client, secret: passwordSecret(client, password), lifetime: 3600, ...more }, given))
}
let tgt: Credential
beforeAll(async () => {
  tgt = (await login('alice', 'alice-pw', { options: ['forwardable'], renewLifetime: 86_400 })).credential
})
const buy = (name: string, more: Partial<TgsRequest> = {}, given: Env = env) =>
  go(tgsExchange({ tgt, service: parsePrincipal(name, { realm: REALM }), ...more }, given))

describe('the AS', () => {
  test('issues a ticket as it was asked for', () => {
    expect([...tgt.flags].sort()).toEqual(['encPaRep', 'forwardable', 'initial', 'preAuthent', 'renewable'])
    expect(tgt).toMatchObject({ authtime: TIME, starttime: TIME, endtime: TIME + 3600, renewTill: TIME + 86_400 })
    expect(tgt.key.enctype.id).toBe(18)
    expect(events.map(({ outcome }) => outcome).slice(0, 3)).toEqual([
      'KDC_ERR_PREAUTH_REQUIRED',
      'KDC_ERR_MORE_PREAUTH_DATA_REQUIRED',
      'issued',
    ])
  })

  test.each([
    ['alice', 'wrong', 'KDC_ERR_PREAUTH_FAILED'],
    ['nobody', 'x', 'KDC_ERR_C_PRINCIPAL_UNKNOWN'],
    ['locked', 'x', 'KDC_ERR_CLIENT_REVOKED'],
    ['expired', 'x', 'KDC_ERR_NAME_EXP'],
    ['pwexpired', 'x', 'KDC_ERR_KEY_EXPIRED'],
    ['nopreauth', 'wrong', 'KRB_AP_ERR_BAD_INTEGRITY'],
  ])('refuses %s with password %s: %s', async (name, password, code) =>
    expect(login(name, password)).rejects.toMatchObject({ code }),
  )

  test('gives a ticket without proof only to whom needs none', async () => {
    expect([...(await login('nopreauth')).credential.flags]).not.toContain('preAuthent')
  })

  test('keeps to its limits: life, renewal, forwarding', async () => {
    expect((await login('short', 'x', { renewLifetime: 99_999 })).credential).toMatchObject({
      endtime: TIME + 600,
      renewTill: TIME + 1200,
    })
    expect([...(await login('nofwd', 'x', { options: ['forwardable'] })).credential.flags]).not.toContain('forwardable')
    expect((await login('norenew', 'x', { renewLifetime: 99_999 })).credential.renewTill).toBeUndefined()
    await expect(login('short', 'x', { lifetime: -5 })).rejects.toMatchObject({ code: 'KDC_ERR_NEVER_VALID' })
  })

  test('says when the password expires', async () => expect((await login('warned')).keyExpiration).toBe(TIME + 1000))

  test('says how its clock differs, and refuses a client that does not follow', async () => {
    const late = { ...env, now: () => (TIME - 4000) * 1e6 }
    expect((await login('alice', 'alice-pw', {}, late)).clockOffset).toBe(4_000_000_000)
    await expect(login('alice', 'alice-pw', { followClock: false, lifetime: 36_000 }, late)).rejects.toMatchObject({
      code: 'KRB_AP_ERR_SKEW',
    })
  })

  test.each(enctypes.map((enctype) => [enctype.name, enctype] as const))('speaks %s alone', async (_, enctype) => {
    const { credential } = await login('alice', 'alice-pw', {}, { ...env, enctypes: [enctype] })
    expect(credential.key.enctype.id).toBe(enctype.id)
  })

  test('refuses enctypes that it has no key of', async () =>
    expect(login('nopreauth', 'x', {}, { ...env, enctypes: [enctypes[3]!] })).rejects.toMatchObject({
      code: 'KDC_ERR_ETYPE_NOSUPP',
    }))

  test('knows an alias, and the canonical name behind it when asked (RFC 6806 §6)', async () => {
    const aliceKeys = database.lookup(parsePrincipal('alice', { realm: REALM }))!.keys
    const secret = keysSecret(parsePrincipal('al', { realm: REALM }), aliceKeys)
    expect((await login('al', '', { secret })).credential.client.components).toEqual(['al'])
    expect((await login('al', '', { secret, options: ['canonicalize'] })).credential.client.components).toEqual([
      'alice',
    ])
  })
})

describe('the TGS', () => {
  test('issues a ticket that the service opens with its keytab', async () => {
    const { credential } = await buy('HTTP/www')
    const { encPart } = decode(Ticket, credential.ticket)
    const keys = keysOf(parseKeytab(database.keytab('HTTP/www')), enctypes, service)
    const part = sealedTicket.open(keys.find(({ key }) => key.enctype.id === encPart.etype)!.key, encPart)
    expect(part).toMatchObject({
      crealm: REALM,
      cname: { nameString: ['alice'] },
      authtime: TIME,
      endtime: TIME + 3600,
    })
    expect([...part.flags].sort()).toEqual([
      'forwardable',
      'okAsDelegate',
      'preAuthent',
      'renewable',
      'transitedPolicyChecked',
    ])
    expect(new Key(enctypes[0]!, part.key.keyvalue).equals(credential.key)).toBe(true)
  })

  test.each(enctypes.map(({ id, name }) => [name, id] as const))(
    'makes session keys of %s for a service that has no other',
    async (_, id) => expect((await buy(`svc${id}/www`)).credential.key.enctype.id).toBe(id),
  )

  test.each([
    ['nowhere/www', {}, 'KDC_ERR_S_PRINCIPAL_UNKNOWN'],
    ['gone/www', {}, 'KDC_ERR_SERVICE_REVOKED'],
    ['HTTP/www', { options: ['validate'] as const }, 'KDC_ERR_SERVER_NOMATCH'],
    ['krbtgt/LAB.TEST', { options: ['validate'] as const }, 'KDC_ERR_BADOPTION'],
    ['HTTP/www', { options: ['proxy'] as const }, 'KDC_ERR_BADOPTION'],
    ['HTTP/www', { options: ['encTktInSkey'] as const }, 'KDC_ERR_BADOPTION'],
  ])('refuses %s with %o: %s', async (name, more, code) =>
    expect(buy(name, more)).rejects.toMatchObject({ code, origin: 'peer' }),
  )

  test('renews a ticket for as long as it lived', async () => {
    const { credential } = await buy(`krbtgt/${REALM}`, { options: ['renew'] })
    expect(credential).toMatchObject({ endtime: TIME + 3600, renewTill: TIME + 86_400, authtime: TIME })
    const { credential: once } = await login('norenew')
    await expect(buy(`krbtgt/${REALM}`, { tgt: once, options: ['renew'] })).rejects.toMatchObject({
      code: 'KDC_ERR_BADOPTION',
    })
  })

  test('takes no ticket that has ended, and no ticket of another service', async () => {
    const ended = createKdc({ realm: REALM, database, env: fixedEnv(TIME + 9999) })
    const late = { ...env, now: () => (TIME + 9999) * 1e6 }
    const world = {
      send: ({ message }: { message: Uint8Array }) => ({ message: ended.handle(message)!, kdc: 'embedded' }),
      prompt: () => '',
      replay: () => false,
      keep: () => undefined,
      compute: () => expect.unreachable(),
    }
    await expect(run<KrbQuestions, unknown>(tgsExchange({ tgt, service }, late), world)).rejects.toMatchObject({
      code: 'KRB_AP_ERR_TKT_EXPIRED',
    })
    const forged = { ...tgt, key: Key.generate(enctypes[0]!, env.random) }
    await expect(buy('HTTP/www', { tgt: forged })).rejects.toMatchObject({ code: 'KRB_AP_ERR_BAD_INTEGRITY' })
  })

  test("takes no ticket whose owner is not the authenticator's", async () => {
    const mallory = { ...tgt, client: parsePrincipal('mallory', { realm: REALM }) }
    await expect(buy('HTTP/www', { tgt: mallory })).rejects.toMatchObject({ code: 'KRB_AP_ERR_BADMATCH' })
    const foreign = { ...tgt, client: { ...tgt.client, realm: 'EVIL' } }
    await expect(buy('HTTP/www', { tgt: foreign })).rejects.toMatchObject({ code: 'KRB_AP_ERR_BADMATCH' })
  })
})

describe('hostile requests', () => {
  const codeOf = (reply: Uint8Array | undefined) =>
    reply && reply[0] === 0x7e && errorCodeOf(decode(KrbErrorMessage, reply).errorCode)

  test('a body that was changed after it was signed is refused', async () => {
    await buy('HTTP/www')
    const request = sent.at(-1)!
    const at = Buffer.from(request).lastIndexOf('www')
    const changed = request.map((octet, i) => (i === at ? octet ^ 1 : octet))
    expect(['KRB_AP_ERR_MODIFIED', 'KDC_ERR_S_PRINCIPAL_UNKNOWN']).toContain(codeOf(kdc.handle(changed)))
  })

  test('a request without a service, or without a client, is answered (CVE-2021-3671)', () => {
    const body = { kdcOptions: new Set<never>(), realm: REALM, till: 0, nonce: 1, etype: [18] }
    const request = (value: object) =>
      encode(AsReq, { reqBody: { value: value as never, der: encode(KdcReqBody, value as never) } })
    const cname = { nameType: 1, nameString: ['alice'] }
    expect(codeOf(kdc.handle(request({ ...body, cname })))).toBe('KDC_ERR_S_PRINCIPAL_UNKNOWN')
    expect(codeOf(kdc.handle(request(body)))).toBe('KDC_ERR_C_PRINCIPAL_UNKNOWN')
    expect(codeOf(kdc.handle(request({ ...body, cname: { nameType: 1, nameString: [] } })))).toBe(
      'KDC_ERR_C_PRINCIPAL_UNKNOWN',
    )
  })

  test('what is no request gets no answer, an error above all (CVE-2002-2443)', () => {
    for (const octets of [
      new Uint8Array(0),
      Uint8Array.of(0x6a),
      kdc.tooBig(),
      new Uint8Array(100).fill(0x6a),
      new Uint8Array(2_000_000).fill(0x6a),
    ])
      expect(kdc.handle(octets)).toBeUndefined()
  })

  test('every truncation and every changed octet of an AS-REQ and a TGS-REQ is answered or let be, never thrown at', async () => {
    const from = sent.length
    await login('nopreauth')
    await buy('HTTP/www')
    for (const request of sent.slice(from))
      for (let i = 0; i < request.length; i++) {
        kdc.handle(request.slice(0, i))
        for (const flip of [0x01, 0x80, 0xff]) {
          const reply = kdc.handle(request.map((octet, at) => (at === i ? octet ^ flip : octet)))
          expect(reply === undefined || reply.length > 0).toBe(true)
        }
      }
  }, 60_000)
})
