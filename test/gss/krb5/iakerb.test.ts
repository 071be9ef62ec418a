/** IAKERB: a client without a network gets its tickets through the acceptor of its context. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode } from '../../../src/asn1/codec.ts'
import { concat, fromHex, toHex, utf8 } from '../../../src/bytes/index.ts'
import type { World } from '../../../src/effects/index.ts'
import {
  bind,
  type Credentials,
  GssError,
  type GssFlag,
  mechanismOids,
  Name,
  SecurityContext,
} from '../../../src/gss/index.ts'
import { iakerbMechanism } from '../../../src/gss/krb5/iakerb.ts'
import { IakerbCredential } from '../../../src/gss/krb5/iakerbcredential.ts'
import { makeProxyToken, type RealmForm, readProxyToken } from '../../../src/gss/krb5/iakerbtokens.ts'
import { noRules } from '../../../src/gss/krb5/names.ts'
import { errorCodes } from '../../../src/krb5/errorcodes.ts'
import { TransportError } from '../../../src/krb5/errors.ts'
import { KrbErrorMessage } from '../../../src/krb5/messages/error.ts'
import type { KrbQuestions } from '../../../src/krb5/questions.ts'
import { passwordSecret } from '../../../src/krb5/secret.ts'
import type { Kerberos } from '../../../src/node/kerberos.ts'
import { startRealm } from '../../../src/node/realm.ts'

let realm: Awaited<ReturnType<typeof startRealm>>
let kerberos: Kerberos
let keys: Credentials
/** As the client's machine answers: it reaches no KDC. */
let isolated: World<KrbQuestions>
const name = Name.principal('HTTP/localhost@LAB.TEST')
const mutual: GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
  kerberos = realm.kerberos()
  keys = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
  isolated = { ...kerberos.world, send: () => expect.unreachable('the client asked a KDC itself') }
})
afterAll(() => realm[Symbol.asyncDispose]())

const alice = (password = 'alice-pw') => {
  const client = kerberos.principal('alice')
  return IakerbCredential.credentials(client, passwordSecret(client, password))
}
const initiator = (creds: Credentials, form?: RealmForm, flags = mutual) =>
  new SecurityContext({
    usage: 'initiate',
    name,
    creds,
    flags,
    mech: bind(iakerbMechanism(kerberos.env, noRules, { form }), isolated),
  })
const acceptor = (world: Partial<World<KrbQuestions>> = {}) =>
  new SecurityContext({
    usage: 'accept',
    creds: keys,
    mech: bind(iakerbMechanism(kerberos.env), { ...kerberos.world, ...world }),
  })

type Meddle = (token: Uint8Array, index: number) => Uint8Array

async function converse(one: SecurityContext, two: SecurityContext, meddle: Meddle = (token) => token) {
  const tokens: Uint8Array[] = []
  let [from, to] = [one, two]
  for (let token = await one.step(); token; [from, to] = [to, from]) {
    tokens.push(token)
    const sent = meddle(token, tokens.length - 1)
    if (to.complete) break
    token = await to.step(sent)
  }
  expect([from.complete, to.complete]).toEqual([true, true])
  return tokens
}

const majorOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => 'GSS_S_COMPLETE',
    (error) => (error instanceof GssError ? error.major : error),
  )

describe('IAKERB (draft-ietf-kitten-iakerb-03)', () => {
  test.each([
    ['utf8String', mutual],
    ['octetString', mutual],
    ['utf8String', []],
  ] as const)('logs in and gets a ticket through the acceptor: the realm as %s, flags %j', async (form, flags) => {
    const [one, two] = [initiator(alice(), form, [...flags]), acceptor()]
    const tokens = await converse(one, two)
    expect(tokens.slice(0, -2).map((token) => readProxyToken(token)?.form)).toEqual(expect.arrayContaining([form]))
    expect(two.initiatorName.text).toBe('alice@LAB.TEST')
    expect(two.unwrap(one.wrap(utf8('sealed')).message)).toMatchObject({ message: utf8('sealed'), encrypted: true })
    two.verify(utf8('signed'), one.sign(utf8('signed')))
  })

  test('with tickets at hand nothing is carried, and the second context needs no login', async () => {
    const creds = alice()
    const first = await converse(initiator(creds), acceptor())
    const second = await converse(initiator(creds), acceptor())
    expect(first.length).toBeGreaterThan(4)
    expect(second.map((token) => readProxyToken(token))).toEqual([undefined, undefined])
  })

  test('a ticket is handed over that the acceptor got for it', async () => {
    const [one, two] = [initiator(alice(), undefined, [...mutual, 'delegateToPeer']), acceptor()]
    await converse(one, two)
    expect(two.delegatedCredentials?.name?.text).toBe('alice@LAB.TEST')
  })

  test('only the first token is framed (§3)', async () => {
    const tokens = await converse(initiator(alice()), acceptor())
    const proxied = tokens.filter((token) => readProxyToken(token))
    expect(proxied.map((token) => toHex(token.subarray(0, 1)))).toEqual(['60', ...proxied.slice(1).map(() => '05')])
    expect(toHex(proxied[1]!.subarray(0, 2))).toBe('0501')
  })

  test('a cookie is shown again', async () => {
    const sent: (Uint8Array | undefined)[] = []
    const one = initiator(alice())
    const two = acceptor()
    const first = (await one.step())!
    const answer = readProxyToken((await two.step(first))!)!
    const second = await one.step(makeProxyToken({ ...answer, cookie: utf8('crumbs') }, false))
    sent.push(readProxyToken(second!)?.cookie)
    expect(sent).toEqual([utf8('crumbs')])
  })

  test('a wrong password is told as what it is', async () => {
    await expect(converse(initiator(alice('wrong')), acceptor())).rejects.toMatchObject({
      name: 'GssError',
      minor: 'KDC_ERR_PREAUTH_FAILED',
    })
  })

  test.each([['no KDC answers', new TransportError('nobody answers', []), 'KRB_AP_ERR_IAKERB_KDC_NO_RESPONSE']])(
    'when %s, the client is told',
    async (_, failure, minor) => {
      const send = () => Promise.reject(failure)
      await expect(converse(initiator(alice()), acceptor({ send }))).rejects.toMatchObject({ name: 'GssError', minor })
    },
  )

  test('a client that does not know its realm is told (§3)', async () => {
    const asking = makeProxyToken({ realm: '', form: 'utf8String', message: new Uint8Array() }, true)
    expect(readProxyToken((await acceptor().step(asking))!)).toMatchObject({
      realm: 'LAB.TEST',
      message: new Uint8Array(),
    })
  })
})

describe('what is carried cannot be meddled with', () => {
  test('any change that a KDC or a client overlooks is found in the end (§4.1)', async () => {
    // The cookie belongs to nobody's message, and the client shows it again without a look.
    const outcome = converse(initiator(alice()), acceptor(), (token, index) => {
      const read = index === 1 ? readProxyToken(token) : undefined
      return read ? makeProxyToken({ ...read, cookie: utf8('put in') }, false) : token
    })
    await expect(outcome).rejects.toMatchObject({ major: 'GSS_S_BAD_SIG', minor: 'KRB_AP_ERR_BAD_INTEGRITY' })
  })

  test('an AP-REQ of plain krb5 after it is refused', async () => {
    const login = await kerberos.login('alice', { password: 'alice-pw' })
    const plain = await new SecurityContext({
      usage: 'initiate',
      name,
      creds: login.credentials,
      mech: kerberos.krb5,
    }).step()
    const two = acceptor()
    await two.step(await initiator(alice()).step())
    expect(await majorOf(two.step(plain))).toBe('GSS_S_BAD_SIG')
  })

  test.each([
    ['no request for a KDC', { realm: 'LAB.TEST', message: fromHex('30030201 05') }],
    ['a request to nobody', { realm: '', message: fromHex('6a03020105') }],
    ['nothing', { realm: 'LAB.TEST', message: new Uint8Array() }],
    ['a realm with a NUL', { realm: 'LAB.TEST\0', message: fromHex('6a03020105') }],
  ])('%s is not forwarded', async (_, what) => {
    const token = makeProxyToken({ form: 'octetString', ...what }, true)
    expect(await majorOf(acceptor({ send: () => expect.unreachable() }).step(token))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })

  test.each([
    ['of its own realm', undefined, 'LAB.TEST', true],
    ['of no other', undefined, 'ELSEWHERE.TEST', false],
    ['of those it is told', ['ELSEWHERE.TEST'], 'ELSEWHERE.TEST', true],
    ['of no others', ['ELSEWHERE.TEST'], 'OTHER.TEST', false],
    ['of any, if told so', 'any', 'OTHER.TEST', true],
  ] as const)('an acceptor asks the KDCs %s', async (_, realms, wanted, asked) => {
    const sent: string[] = []
    const send: World<KrbQuestions>['send'] = (question) => {
      sent.push(question.realm)
      return { message: fromHex('7e00'), kdc: 'fake' }
    }
    const mech = bind(iakerbMechanism(kerberos.env, noRules, { realms }), { ...kerberos.world, send })
    const two = new SecurityContext({ usage: 'accept', creds: keys, mech })
    const token = makeProxyToken({ realm: wanted, form: 'utf8String', message: fromHex('6a00') }, false)
    const answer = readProxyToken((await two.step(token))!)!
    expect(sent).toEqual(asked ? [wanted] : [])
    if (!asked)
      expect(decode(KrbErrorMessage, answer.message).errorCode).toBe(errorCodes.KRB_AP_ERR_IAKERB_KDC_NOT_FOUND.number)
  })

  test('an acceptor forwards as many messages as it is told', async () => {
    const world = { ...kerberos.world, send: () => ({ message: fromHex('7e00'), kdc: 'fake' }) }
    const mech = bind(iakerbMechanism(kerberos.env, noRules, { maxMessages: 2 }), world)
    const two = new SecurityContext({ usage: 'accept', creds: keys, mech })
    const token = makeProxyToken({ realm: 'LAB.TEST', form: 'utf8String', message: fromHex('6a00') }, false)
    for (let i = 0; i < 2; i++) await two.step(token)
    expect(await majorOf(two.step(token))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })

  test('an acceptor does not forward for ever', async () => {
    const two = acceptor({ send: () => ({ message: fromHex('7e00'), kdc: 'fake' }) })
    const token = makeProxyToken({ realm: 'LAB.TEST', form: 'utf8String', message: fromHex('6a00') }, false)
    for (let i = 0; i < 26; i++) await two.step(token)
    expect(await majorOf(two.step(token))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })

  test('a token of any octets is a typed error on both sides', async () => {
    const first = (await initiator(alice()).step())!
    const send = () => ({ message: fromHex('7e00'), kdc: 'fake' })
    const answer = (await acceptor().step(first))!
    for (let at = 0; at < Math.min(first.length, 90); at++) {
      const changed = first.slice()
      changed[at]! ^= 0x55
      expect(await majorOf(acceptor({ send }).step(changed)), `octet ${at}`).toMatch(/^GSS_S_/)
      expect(await majorOf(acceptor({ send }).step(first.subarray(0, at))), `${at} octets`).toMatch(/^GSS_S_[BDF]/)
    }
    for (let at = 0; at < answer.length; at += 3) {
      const one = initiator(alice())
      await one.step()
      const changed = answer.slice()
      changed[at]! ^= 0x55
      expect(await majorOf(one.step(at % 2 ? changed : answer.subarray(0, at))), `octet ${at}`).toMatch(/^GSS_S_/)
      expect(one.complete).toBe(false)
      one[Symbol.dispose]()
    }
    expect(await majorOf(acceptor().step(concat(first, first)))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })

  test('tokens of another mechanism are refused', async () => {
    expect(await majorOf(acceptor().step(fromHex('600806062b0601050502')))).toBe('GSS_S_BAD_MECH')
    expect(mechanismOids.iakerb).toBe('1.3.6.1.5.2.5')
  })
})
