/** Tokens of context establishment on a hostile way (RFC 4121 §4.1, MS-KILE §3.4.5.1): every octet flipped, every length cut. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { concat, equal, utf8 } from '../../../src/bytes/index.ts'
import type { World } from '../../../src/effects/index.ts'
import { bind, type Credentials, GssError, type GssFlag, Name, SecurityContext } from '../../../src/gss/index.ts'
import { frame, tokenIds, unframe } from '../../../src/gss/krb5/framing.ts'
import { krb5Mechanism } from '../../../src/gss/krb5/mechanism.ts'
import type { Env } from '../../../src/krb5/env.ts'
import { ApReq } from '../../../src/krb5/messages/ap.ts'
import type { KrbQuestions } from '../../../src/krb5/questions.ts'
import { type Realm, startRealm } from '../../../src/node/realm.ts'
import { grafted, grafts } from '../../support/dertree.ts'
import { again, expectAgreed, expectOver, Handshake, type Sides } from '../../support/handshake.ts'
import { long, mutations } from '../../support/mutations.ts'

const name = Name.principal('HTTP/www.lab.test@LAB.TEST')
const bindings = { applicationData: utf8('tls-server-end-point:0123456789') }
const detection: readonly GssFlag[] = ['replayDetection', 'outOfSequenceDetection']

let realm: Realm
let alice: Credentials
let service: Credentials
let env: Env
let world: World<KrbQuestions>

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/www.lab.test'] })
  const kerberos = realm.kerberos()
  alice = (await kerberos.login('alice', { password: 'alice-pw', forwardable: true })).credentials
  service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/www.lab.test') } })
  env = kerberos.env
  // The same handshake many times: what sees replays is tested elsewhere.
  world = { ...kerberos.world, replay: () => false }
  await Handshake.of(() => start([])) // buys the ticket
})
afterAll(() => realm[Symbol.asyncDispose]())

function start(flags: readonly GssFlag[], seed = 1): Sides {
  const mech = (seed: number) => bind(krb5Mechanism(again(env, seed)), world)
  return [
    new SecurityContext({ usage: 'initiate', name, creds: alice, mech: mech(seed), flags, channelBindings: bindings }),
    new SecurityContext({ usage: 'accept', creds: service, mech: mech(-seed), channelBindings: bindings }),
  ]
}

const handshakes: readonly { readonly flags: readonly GssFlag[]; readonly legs: number }[] = [
  { flags: ['mutualAuthentication', ...detection], legs: 2 },
  { flags: [], legs: 1 },
  { flags: ['dceStyle', ...detection], legs: 3 },
]

describe.each(handshakes)('a handshake with $flags', ({ flags, legs }) => {
  /** In the clear of an AP-REQ are the service's name, the options and key versions, which nothing protects. */
  function expectHarmless(token: Uint8Array, altered: Uint8Array): void {
    const [before, after] = [token, altered].map((octets) => requestIn(octets, flags.includes('dceStyle')))
    expect(equal(before!.ticket.encPart.cipher, after!.ticket.encPart.cipher)).toBe(true)
    expect(equal(before!.authenticator.cipher, after!.authenticator.cipher)).toBe(true)
  }

  test('ends at any token with an octet flipped or missing, unless nothing hangs on it', async () => {
    const handshake = await Handshake.of(() => start(flags))
    expect(handshake.tokens).toHaveLength(legs)
    for (const [index, token] of handshake.tokens.entries())
      for (const { what, octets } of mutations(token, { salt: index })) {
        const sides = await handshake.withToken(index, octets)
        if (!sides) continue
        expect(index, `token ${index}, ${what}`).toBe(0)
        expectHarmless(token, octets)
        expectAgreed(sides)
      }
  })

  test('ends at any token of another kind, of another handshake, and at those that came before', async () => {
    const handshake = await Handshake.of(() => start(flags))
    const others = await Promise.all(handshakes.map((other, at) => Handshake.of(() => start(other.flags, at + 2))))
    const foreign = others.flatMap(({ tokens }) => tokens)
    const junk = [new Uint8Array(0), Uint8Array.of(0x60), utf8('NTLMSSP\0'), frame('error', new Uint8Array(0))]
    for (const [index, token] of handshake.tokens.entries()) {
      const before = handshake.tokens.slice(0, index)
      for (const octets of [...before, ...junk, concat(token, token), concat(token, Uint8Array.of(0))])
        expect(await handshake.withToken(index, octets)).toBeUndefined()
      if (index > 0) for (const octets of foreign) expect(await handshake.withToken(index, octets)).toBeUndefined()
    }
  })
})

function requestIn(octets: Uint8Array, bare: boolean): ApReq {
  return decode(ApReq, bare || octets[0] === 0x6e ? octets : unframe(octets).message)
}

test.each(handshakes)(
  'its messages with $flags, pruned and grafted, end it or change nothing',
  async ({ flags, legs }) => {
    const handshake = await Handshake.of(() => start(flags))
    const bare = flags.includes('dceStyle')
    const messages = handshake.tokens.map((token) => (bare ? token : unframe(token).message))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: legs - 1 }), grafts, async (index, changes) => {
        const message = grafted(messages[index]!, messages.slice(0, index), changes)
        const token = bare ? message : frame(index === 0 ? 'apReq' : 'apRep', message)
        const sides = await handshake.withToken(index, token)
        if (sides) expectAgreed(sides)
      }),
      { numRuns: long ? 5000 : 60 },
    )
  },
)

describe('an acceptor reads in the authenticator what it is asked for', () => {
  test.each(handshakes)('with $flags, whatever the options of the AP-REQ say in the clear', async ({ flags }) => {
    const handshake = await Handshake.of(() => start(flags))
    const bare = flags.includes('dceStyle')
    const request = requestIn(handshake.tokens[0]!, bare)
    for (const apOptions of [new Set<never>(), new Set(['mutualRequired'] as const)]) {
      const message = encode(ApReq, { ...request, apOptions })
      const sides = await handshake.withToken(0, bare ? message : frame('apReq', message))
      expectAgreed(sides!)
    }
  })
})

describe('an error token (RFC 4121 §4.1)', () => {
  /** What an acceptor says to an AP-REQ that it cannot take. */
  async function refused(): Promise<Uint8Array> {
    const [one, two] = start(['mutualAuthentication'])
    const message = requestIn((await one.step())!, false)
    const { cipher, ...rest } = message.authenticator
    const spoilt = { ...rest, cipher: cipher.map((octet, at) => (at === 40 ? octet ^ 1 : octet)) }
    const error = await two.step(frame('apReq', encode(ApReq, { ...message, authenticator: spoilt }))).catch((e) => e)
    expect(error).toBeInstanceOf(GssError)
    return (error as GssError).token!
  }

  test('ends the handshake, also with any octet flipped or missing', async () => {
    const token = await refused()
    for (const { what, octets } of [{ what: 'as it is', octets: token }, ...mutations(token)]) {
      const [one] = start(['mutualAuthentication'])
      await one.step()
      const error = await one.step(octets).catch((e) => e)
      expect(error, what).toBeInstanceOf(GssError)
      await expectOver(one, error, token)
    }
  })

  test('says why', async () => {
    const [one] = start(['mutualAuthentication'])
    await one.step()
    await expect(one.step(await refused())).rejects.toMatchObject({ minor: 'KRB_AP_ERR_BAD_INTEGRITY' })
  })

  test('ends an acceptor that is sent one', async () => {
    const [, two] = start(['mutualAuthentication'])
    await expect(two.step(await refused())).rejects.toMatchObject({ major: 'GSS_S_DEFECTIVE_TOKEN' })
  })
})

test('no token of context establishment has another identifier than those of RFC 4121 §4.1', async () => {
  const handshake = await Handshake.of(() => start(['mutualAuthentication']))
  const [known, inner] = [new Set<number>(Object.values(tokenIds)), unframe(handshake.tokens[0]!).message]
  const place = handshake.tokens[0]!.length - inner.length - 2
  for (let id = 0; id < 0x0600; id += long ? 1 : 7) {
    if (known.has(id)) continue
    const token = handshake.tokens[0]!.slice()
    token[place] = id >> 8
    token[place + 1] = id
    expect(await handshake.withToken(0, token)).toBeUndefined()
  }
})
