/** SPNEGO over the real mechanism: against our own KDC, and against what MIT krb5 recorded. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodePrefix, encode } from '../../src/asn1/codec.ts'
import { fromHex, utf8 } from '../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypeById, enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { frame } from '../../src/gss/frame.ts'
import {
  type BoundMechanism,
  bind,
  Credentials,
  GssError,
  type GssFlag,
  mechanismOids,
  Name,
  SecurityContext,
} from '../../src/gss/index.ts'
import { Krb5Credential } from '../../src/gss/krb5/credential.ts'
import { krb5Mechanism } from '../../src/gss/krb5/mechanism.ts'
import { Authenticator } from '../../src/krb5/messages/ap.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { KrbQuestions } from '../../src/krb5/questions.ts'
import { startRealm } from '../../src/node/realm.ts'
import { spnego } from '../../src/spnego/mechanism.ts'
import { MechTypeList, NegotiationToken } from '../../src/spnego/messages.ts'
import { fixedEnv } from '../support/env.ts'
import { vectors } from '../support/vectors.ts'
import { fakeCredentials, fakeMechanism } from './fake.ts'
import { message } from './session.ts'

const other = '1.3.6.1.4.1.1.1'
const name = Name.principal('HTTP/localhost@LAB.TEST')
const mutual: GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']

let realm: Awaited<ReturnType<typeof startRealm>>
/** Credentials of alice, with an element for a mechanism that no acceptor here knows. */
let alice: Credentials
let service: Credentials
/** Prefers that mechanism, so krb5 has to be proved. */
let preferringAnother: BoundMechanism

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
  const kerberos = realm.kerberos()
  const login = await kerberos.login('alice', { password: 'alice-pw' })
  const element = login.credentials.element(mechanismOids.krb5)!
  alice = new Credentials([element, fakeCredentials([{ oid: other }]).element(other)!])
  service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
  const krb5 = krb5Mechanism(kerberos.env)
  preferringAnother = bind(spnego<KrbQuestions>([fakeMechanism({ oid: other }), krb5]), kerberos.world)
})
afterAll(() => realm[Symbol.asyncDispose]())

const initiator = (mech: BoundMechanism, flags: readonly GssFlag[] = mutual) =>
  new SecurityContext({ usage: 'initiate', name, creds: alice, mech, flags })
const acceptor = (mech = realm.kerberos().spnego) => new SecurityContext({ usage: 'accept', creds: service, mech })

async function converse(one: SecurityContext, two: SecurityContext) {
  const tokens: Uint8Array[] = []
  for (let token = await one.step(); token; ) {
    tokens.push(token)
    const reply: Uint8Array | undefined = await two.step(token)
    if (reply) tokens.push(reply)
    token = reply && !one.complete ? await one.step(reply) : undefined
  }
  expect([one.complete, two.complete, one.mech, two.mech]).toEqual([true, true, mechanismOids.krb5, mechanismOids.krb5])
  return tokens
}

function protectBothWays(one: SecurityContext, two: SecurityContext): void {
  for (const [from, to] of [
    [one, two],
    [two, one],
    [one, two],
  ] as const) {
    expect(to.unwrap(from.wrap(utf8('sealed')).message)).toMatchObject({ message: utf8('sealed'), encrypted: true })
    to.verify(utf8('signed'), from.sign(utf8('signed')))
  }
}

describe('krb5 under SPNEGO', () => {
  test.each([
    ['with mutual authentication', mutual],
    ['without', []],
  ])('%s takes two messages', async (_, flags: GssFlag[]) => {
    const [one, two] = [initiator(realm.kerberos().spnego, flags), acceptor()]
    const tokens = await converse(one, two)
    expect(tokens).toHaveLength(2)
    expect(message(tokens[1]!)).not.toHaveProperty('mechListMIC')
    expect(two.initiatorName.text).toBe('alice@LAB.TEST')
    protectBothWays(one, two)
  })

  test.each([
    ['with mutual authentication', mutual, 5],
    ['without', [], 4],
  ])('%s is proved when it is not the first choice, and messages follow in sequence', async (_, flags, count) => {
    const [one, two] = [initiator(preferringAnother, flags as GssFlag[]), acceptor()]
    const tokens = await converse(one, two)
    expect(tokens).toHaveLength(count)
    expect(tokens.map(message).filter((each) => each.mechListMIC)).toHaveLength(2)
    protectBothWays(one, two)
  })

  test('is taken without SPNEGO too', async () => {
    const [one, two] = [initiator(realm.kerberos().krb5), acceptor()]
    await converse(one, two)
    protectBothWays(one, two)
  })

  test('notices that the first choice was taken out of the list', async () => {
    const one = initiator(preferringAnother)
    const two = acceptor()
    await one.step()
    const mechTypes = { value: [mechanismOids.krb5], der: encode(MechTypeList, [mechanismOids.krb5]) }
    const stripped = encode(NegotiationToken, { kind: 'negTokenInit', value: { mechTypes } })
    const reply = await two.step(await one.step((await two.step(frame(mechanismOids.spnego, stripped)))!))
    await expect(one.step(reply)).rejects.toThrow(/MIC of the list of mechanisms is required, and missing/)
  })
})

describe('a refusal', () => {
  test('of a replay reaches the initiator through SPNEGO, with the reason', async () => {
    const kerberos = realm.kerberos()
    const one = initiator(kerberos.spnego)
    const token = await one.step()
    await acceptor(kerberos.spnego).step(token)
    const refusal: GssError = await acceptor(kerberos.spnego)
      .step(token)
      .then(
        () => expect.unreachable(),
        (error) => error,
      )
    expect(refusal).toMatchObject({ major: 'GSS_S_DUPLICATE_TOKEN', minor: 'KRB_AP_ERR_REPEAT' })
    expect(message(refusal.token!)).toMatchObject({ negState: 'reject', supportedMech: mechanismOids.krb5 })
    await expect(one.step(refusal.token)).rejects.toMatchObject({ minor: 'KRB_AP_ERR_REPEAT' })
  })

  test('of a ticket for which there is no key names the reason to both', async () => {
    const elsewhere = await startRealm({ services: ['HTTP/localhost'] })
    const kerberos = elsewhere.kerberos()
    const keytab = elsewhere.keytab('HTTP/localhost')
    const creds = await kerberos.acquire({ usage: 'accept', store: { keytab } })
    const one = initiator(realm.kerberos().spnego)
    const two = new SecurityContext({ usage: 'accept', creds, mech: kerberos.spnego })
    const refusal: GssError = await two.step(await one.step()).then(
      () => expect.unreachable(),
      (error) => error,
    )
    expect(refusal).toBeInstanceOf(GssError)
    const minor = refusal.minor
    expect(minor).toMatch(/^KRB_AP_ERR_/)
    await expect(one.step(refusal.token)).rejects.toMatchObject({ minor })
    await elsewhere[Symbol.asyncDispose]()
  })
})

interface ContextVector {
  readonly id: string
  readonly enctype: number
  readonly mech: string
  readonly client: string
  readonly server: string
  readonly server_key: { readonly enctype: number; readonly key: string; readonly kvno: number }
  readonly context_tokens: readonly { readonly token: string }[]
  readonly authenticator: string
}

const recorded = vectors<{ contexts: readonly ContextVector[] }>('generated_gss_tokens').contexts.filter(
  ({ mech }) => mech === 'spnego',
)

test.each(recorded)(
  '$id, an initiator of MIT krb5, is accepted (vectors/generated_gss_tokens.json)',
  async (vector) => {
    const { server, server_key, client, context_tokens } = vector
    const key = new Key(enctypeById(server_key.enctype)!, fromHex(server_key.key))
    const creds = Krb5Credential.acceptor([{ principal: parsePrincipal(server), kvno: server_key.kvno, key }])
    const { ctime } = decodePrefix(Authenticator, fromHex(vector.authenticator)).value
    const env = fixedEnv(ctime, 1, { enctypes: [...enctypes, ...deprecatedEnctypes] })
    const unasked = () => expect.unreachable()
    const world = { send: unasked, prompt: unasked, keep: unasked, compute: unasked, replay: () => false }
    const context = new SecurityContext({ usage: 'accept', creds, mech: bind(spnego([krb5Mechanism(env)]), world) })
    const reply = await context.step(fromHex(context_tokens[0]!.token))
    expect(context.initiatorName.text).toBe(client)
    expect(message(reply!)).toMatchObject({
      negState: 'acceptCompleted',
      supportedMech: mechanismOids.krb5,
      responseToken: expect.anything(),
    })
  },
)
