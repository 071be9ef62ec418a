/**
 * Class 7: krb5 under SPNEGO on a hostile way (RFC 4178 §5, §7): every octet flipped, every length cut, and what takes the
 * choice from the two sides. What an adversary does to a mechanism of any number of legs is in tampering.test.ts.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { concat, equal, utf8 } from '../../src/bytes/index.ts'
import type { World } from '../../src/effects/index.ts'
import { frame, unframe } from '../../src/gss/frame.ts'
import { bind, Credentials, GssError, type GssFlag, mechanismOids, Name, SecurityContext } from '../../src/gss/index.ts'
import { krb5Mechanism } from '../../src/gss/krb5/mechanism.ts'
import type { Env } from '../../src/krb5/env.ts'
import type { KrbQuestions } from '../../src/krb5/questions.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { spnego } from '../../src/spnego/mechanism.ts'
import { MechTypeList, NegotiationToken, type NegTokenInit, type NegTokenResp } from '../../src/spnego/messages.ts'
import { grafted, grafts } from '../support/dertree.ts'
import { again, expectAgreed, Handshake, type Sides } from '../support/handshake.ts'
import { long, mutations } from '../support/mutations.ts'
import { fakeCredentials, fakeMechanism } from './fake.ts'
import { message } from './session.ts'

const other = '1.3.6.1.4.1.1.1'
const name = Name.principal('HTTP/localhost@LAB.TEST')
const { krb5 } = mechanismOids

let realm: Realm
let env: Env
let world: World<KrbQuestions>
/** Of alice, with an element of another mechanism, which the acceptor does not know. */
let alice: Credentials
let service: Credentials

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
  const kerberos = realm.kerberos()
  const login = await kerberos.login('alice', { password: 'alice-pw' })
  alice = new Credentials([login.credentials.element(krb5)!, fakeCredentials([{ oid: other }]).element(other)!])
  service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
  env = kerberos.env
  world = { ...kerberos.world, replay: () => false }
  await Handshake.of(() => start('first', [])) // buys the ticket
})
afterAll(() => realm[Symbol.asyncDispose]())

/** Whether krb5 is what the initiator likes best, or what it takes where the best is not known: then the list is proved. */
type Choice = 'first' | 'second'

function start(choice: Choice, flags: readonly GssFlag[], seed = 1): Sides {
  const mech = (own: number) => krb5Mechanism(again(env, own))
  const offered = choice === 'first' ? [mech(seed)] : [fakeMechanism<KrbQuestions>({ oid: other }), mech(seed)]
  return [
    new SecurityContext({ usage: 'initiate', name, creds: alice, mech: bind(spnego(offered), world), flags }),
    new SecurityContext({ usage: 'accept', creds: service, mech: bind(spnego([mech(-seed)]), world) }),
  ]
}

const detection: readonly GssFlag[] = ['replayDetection', 'outOfSequenceDetection']
const handshakes: readonly { readonly choice: Choice; readonly flags: readonly GssFlag[]; readonly legs: number }[] = [
  { choice: 'first', flags: ['mutualAuthentication', ...detection], legs: 2 },
  { choice: 'first', flags: [], legs: 2 },
  { choice: 'second', flags: ['mutualAuthentication', ...detection], legs: 5 },
  { choice: 'second', flags: [], legs: 4 },
  { choice: 'first', flags: ['dceStyle', ...detection], legs: 4 },
]

describe.each(handshakes)('krb5 as the $choice choice, with $flags', ({ choice, flags, legs }) => {
  test('ends at any token with an octet flipped or missing, unless both sides agree all the same', async () => {
    const handshake = await Handshake.of(() => start(choice, flags))
    expect(handshake.tokens).toHaveLength(legs)
    const [init] = handshake.tokens.map(message)
    for (const [index, token] of handshake.tokens.entries())
      for (const { what, octets } of mutations(token, { salt: index })) {
        const sides = await handshake.withToken(index, octets)
        if (!sides) continue
        expect(
          sides.map(({ mech }) => mech),
          what,
        ).toEqual([krb5, krb5])
        expectAgreed(sides)
        const altered = message(octets)
        if (choice === 'second' && index === 0 && altered.kind === 'negTokenInit' && init?.kind === 'negTokenInit')
          expect(equal(altered.mechTypes.der, init.mechTypes.der), what).toBe(true)
      }
  })

  test('takes no token of another negotiation, of before, twice, or with something behind it', async () => {
    const handshake = await Handshake.of(() => start(choice, flags))
    const others = await Promise.all(
      handshakes.map((each, at) => Handshake.of(() => start(each.choice, each.flags, at + 2))),
    )
    for (const [index, token] of handshake.tokens.entries()) {
      const before = handshake.tokens.slice(0, index)
      const foreign = index === 0 ? [] : others.flatMap(({ tokens }) => tokens)
      for (const octets of [
        ...before,
        ...foreign,
        concat(token, token),
        concat(token, Uint8Array.of(0)),
        utf8('NTLM'),
      ]) {
        const sides = await handshake.withToken(index, octets)
        // A reply that holds nothing but the choice is the same in all of them.
        if (sides) expectAgreed(sides)
        if (sides) expect(message(octets)).not.toHaveProperty('responseToken')
        if (sides) expect(message(octets)).not.toHaveProperty('mechListMIC')
      }
    }
  })
})

test.each(handshakes)(
  'krb5 as the $choice choice with $flags: messages pruned and grafted end it, or both agree',
  async ({ choice, flags, legs }) => {
    const handshake = await Handshake.of(() => start(choice, flags))
    const spnegoFrame = handshake.tokens.map((token) => (token[0] === 0x60 ? unframe(token).innerToken : token))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: legs - 1 }), grafts, async (index, changes) => {
        const message = grafted(spnegoFrame[index]!, spnegoFrame.slice(0, index), changes)
        const sides = await handshake.withToken(index, index === 0 ? frame(mechanismOids.spnego, message) : message)
        if (sides) expectAgreed(sides)
      }),
      { numRuns: long ? 5000 : 40 },
    )
  },
)

type Change = (value: NegTokenResp) => NegTokenResp

/** The answer with other fields. */
function answered(token: Uint8Array, change: Change): Uint8Array {
  const { kind, ...value } = message(token)
  if (kind !== 'negTokenResp') throw new TypeError('the first token is no answer')
  return encode(NegotiationToken, { kind, value: change(value as NegTokenResp) })
}

/** The first token with other fields. */
function offered(token: Uint8Array, change: (value: NegTokenInit) => NegTokenInit): Uint8Array {
  const { kind, ...value } = message(token)
  if (kind !== 'negTokenInit') throw new TypeError('this is no first token')
  return frame(mechanismOids.spnego, encode(NegotiationToken, { kind, value: change(value as NegTokenInit) }))
}

const listOf = (...value: string[]) => ({ value, der: encode(MechTypeList, value) })
const without =
  (...fields: (keyof NegTokenResp)[]): Change =>
  (value) => {
    const rest: { -readonly [K in keyof NegTokenResp]: NegTokenResp[K] } = { ...value }
    for (const field of fields) delete rest[field]
    return rest
  }

describe('a downgrade from what the initiator likes best (RFC 4178 §5, §7)', () => {
  const flags: readonly GssFlag[] = ['mutualAuthentication', ...detection]
  // Initiator's list; request-mic; AP-REQ; AP-REP and the acceptor's MIC or without; the initiator's MIC.
  const proved = () => Handshake.of(() => start('second', flags))

  test.each([
    ['its list without the first', [krb5]],
    ['its list turned round', [krb5, other]],
    ['one more in its list', [other, '1.3.6.1.4.1.1.9', krb5]],
    ['one more behind its list', [other, krb5, '1.3.6.1.4.1.1.9']],
  ])('%s: ends without a context', async (_, list) => {
    const handshake = await proved()
    const altered = offered(handshake.tokens[0]!, ({ mechToken: _, ...init }) => ({
      ...init,
      mechTypes: listOf(...list),
    }))
    expect(await handshake.withToken(0, altered)).toBeUndefined()
  })

  test('the wish for a proof taken out of the answer: both still want it', async () => {
    const handshake = await proved()
    expect(message(handshake.tokens[1]!)).toMatchObject({ negState: 'requestMic' })
    for (const negState of ['acceptIncomplete', undefined] as const) {
      const sides = await handshake.withToken(
        1,
        answered(handshake.tokens[1]!, (value) => ({ ...value, negState })),
      )
      expectAgreed(sides!)
    }
    const done = answered(handshake.tokens[1]!, (value) => ({ ...value, negState: 'acceptCompleted' }))
    expect(await handshake.withToken(1, done)).toBeUndefined()
  })

  test('the choice taken out of the answer, or another one in it', async () => {
    const handshake = await proved()
    for (const supportedMech of [undefined, other, '1.3.6.1.4.1.1.9', mechanismOids.iakerb, mechanismOids.spnego])
      expect(
        await handshake.withToken(
          1,
          answered(handshake.tokens[1]!, (value) => ({ ...value, supportedMech })),
        ),
      ).toBeUndefined()
  })

  test('any proof taken out, of another list, of the other side, or of another negotiation', async () => {
    const handshake = await proved()
    const another = await Handshake.of(() => start('second', flags, 7))
    const proofs = handshake.tokens.flatMap((token, index) => (message(token).mechListMIC ? [index] : []))
    expect(proofs).toHaveLength(2)
    for (const index of proofs) {
      const token = handshake.tokens[index]!
      const theirs = handshake.tokens[proofs.find((other) => other !== index)!]!
      const others = [theirs, another.tokens[index]!].map((each) => message(each).mechListMIC!)
      expect(await handshake.withToken(index, answered(token, without('mechListMIC')))).toBeUndefined()
      for (const mechListMIC of [...others, new Uint8Array(0)]) {
        const altered = answered(token, (value) => ({ ...value, mechListMIC }))
        expect(await handshake.withToken(index, altered)).toBeUndefined()
      }
    }
  })

  test('a proof that repeats the token is none (Windows 2000), so that it is missing', async () => {
    const handshake = await proved()
    const index = handshake.tokens.findIndex((token) => message(token).mechListMIC)
    const repeated = answered(handshake.tokens[index]!, ({ responseToken, ...value }) => ({
      ...value,
      responseToken,
      mechListMIC: responseToken,
    }))
    expect(await handshake.withToken(index, repeated)).toBeUndefined()
  })

  test('every answer says that all is done: without the proof, it is not', async () => {
    const handshake = await proved()
    for (const [index, token] of handshake.tokens.entries()) {
      if (index === 0) continue
      const proves = message(token).mechListMIC !== undefined
      const sides = await handshake.withToken(
        index,
        answered(token, (value) => ({ ...without('mechListMIC')(value), negState: 'acceptCompleted' })),
      )
      // What the initiator says in its own tokens of the mechanism is not believed either.
      if (index === 2 && !proves) expectAgreed(sides!)
      else expect(sides, `token ${index}`).toBeUndefined()
    }
  })

  test('every token rejects: what the peer says is taken at its word', async () => {
    const handshake = await proved()
    for (const [index] of handshake.tokens.entries()) {
      if (index === 0) continue
      const reject = encode(NegotiationToken, { kind: 'negTokenResp', value: { negState: 'reject' } })
      expect(await handshake.withToken(index, reject)).toBeUndefined()
    }
  })
})

describe('what is no negotiation (class 7)', () => {
  const first = (octets: Uint8Array) => start('first', [])[1].step(octets)
  const list = listOf(mechanismOids.negoex, krb5)
  const init = (value: NegTokenInit) =>
    frame(mechanismOids.spnego, encode(NegotiationToken, { kind: 'negTokenInit', value }))

  test.each<[string, Uint8Array]>([
    ['a list of nothing', init({ mechTypes: listOf() })],
    ['a list without end', init({ mechTypes: listOf(...Array<string>(10_000).fill(krb5)) })],
    ['NTLM, bare', utf8('NTLMSSP\0\u0001\0\0\0')],
    ['NTLM, as the token of krb5', init({ mechTypes: listOf(krb5), mechToken: utf8('NTLMSSP\0\u0001\0\0\0') })],
    ['nothing, as the token of krb5', init({ mechTypes: listOf(krb5), mechToken: new Uint8Array(0) })],
    ['SPNEGO, as a mechanism of SPNEGO', init({ mechTypes: listOf(mechanismOids.spnego) })],
    ['two frames around each other', frame(mechanismOids.spnego, frame(mechanismOids.spnego, new Uint8Array(4)))],
    ['256 KiB', new Uint8Array(2 ** 18)],
  ])('%s: is refused in so many words', async (_, octets) => {
    const error = await first(octets).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(GssError)
    expect(['GSS_S_DEFECTIVE_TOKEN', 'GSS_S_BAD_MECH']).toContain((error as GssError).major)
  })

  test('garbage of NegoEx is not looked at, and krb5 is proved', async () => {
    for (const mechToken of [utf8('NEGOEXTS'), new Uint8Array(100_000), new Uint8Array(0)]) {
      const token = (await first(init({ mechTypes: list, mechToken })))!
      expect(message(token)).toMatchObject({ negState: 'requestMic', supportedMech: krb5 })
      expect(message(token)).not.toHaveProperty('responseToken')
    }
  })

  test('an empty continuation is refused, on both sides', async () => {
    const handshake = await Handshake.of(() => start('second', ['mutualAuthentication']))
    for (const index of handshake.tokens.keys())
      if (index > 0) expect(await handshake.withToken(index, new Uint8Array(0))).toBeUndefined()
    const [one, two] = start('first', [])
    await one.step()
    await expect(one.step(new Uint8Array(0))).rejects.toMatchObject({ major: 'GSS_S_DEFECTIVE_TOKEN' })
    await two.step(new Uint8Array(0)) // asks for hints
    await expect(two.step(new Uint8Array(0))).rejects.toMatchObject({ major: 'GSS_S_DEFECTIVE_TOKEN' })
  })
})
