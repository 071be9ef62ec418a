/**
 * A peer that holds the keys may seal what it likes: authenticators, AP-REPs, tickets and what is handed over, with any
 * octet flipped or missing inside. What comes of it is a typed error, or a context that is whose the ticket says.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import type { Key } from '../../../src/crypto/key.ts'
import type { World } from '../../../src/effects/index.ts'
import { bind, type Credentials, mechanismOids, Name, SecurityContext } from '../../../src/gss/index.ts'
import type { Krb5Credential } from '../../../src/gss/krb5/credential.ts'
import { frame, unframe } from '../../../src/gss/krb5/framing.ts'
import { krb5Mechanism } from '../../../src/gss/krb5/mechanism.ts'
import { ApRep, ApReq, EncApRepPart } from '../../../src/krb5/messages/ap.ts'
import type { EncryptedData } from '../../../src/krb5/messages/basics.ts'
import { parsePrincipal } from '../../../src/krb5/names.ts'
import type { KrbQuestions } from '../../../src/krb5/questions.ts'
import { sealedApRep, sealedAuthenticator, sealedTicket } from '../../../src/krb5/sealed.ts'
import type { Kerberos } from '../../../src/node/kerberos.ts'
import { type Realm, startRealm } from '../../../src/node/realm.ts'
import { fixedEnv } from '../../support/env.ts'
import { expectAgreed, expectOver } from '../../support/handshake.ts'
import { changes, mutations } from '../../support/mutations.ts'

const name = Name.principal('HTTP/www.lab.test@LAB.TEST')
const { random } = fixedEnv()

let realm: Realm
let kerberos: Kerberos
let alice: Credentials
let service: Credentials
let world: World<KrbQuestions>

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/www.lab.test'] })
  kerberos = realm.kerberos()
  alice = (await kerberos.login('alice', { password: 'alice-pw', forwardable: true })).credentials
  service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/www.lab.test') } })
  world = { ...kerberos.world, replay: () => false }
})
afterAll(() => realm[Symbol.asyncDispose]())

const initiator = (
  flags: Iterable<'mutualAuthentication' | 'delegateToPeer' | 'channelBound'> = ['mutualAuthentication'],
) => new SecurityContext({ usage: 'initiate', name, creds: alice, mech: kerberos.krb5, flags })
const acceptor = () =>
  new SecurityContext({ usage: 'accept', creds: service, mech: bind(krb5Mechanism(kerberos.env), world) })
const sessionKey = (): Key => {
  const element = alice.element(mechanismOids.krb5) as Krb5Credential
  return element.ticket(parsePrincipal(name.text), Math.floor(Date.now() / 1000))!.key
}
const serviceKey = (): Key => (service.element(mechanismOids.krb5) as Krb5Credential).acceptor!.keys[0]!.key

/** What is sealed, with another plaintext under the same key. */
function* resealed({ cipher, ...data }: EncryptedData, key: Key, usage: number, stride = 1) {
  for (const { what, octets } of mutations(key.decrypt(usage, cipher), { stride }))
    yield { what, data: { ...data, cipher: key.encrypt(usage, octets, random) } }
}

/** The acceptor refuses, or has a context of alice's. */
async function expectTyped(message: ApReq, what: string): Promise<void> {
  const context = acceptor()
  const token = frame('apReq', encode(ApReq, message))
  try {
    await context.step(token)
  } catch (error) {
    await expectOver(context, error, token)
    return
  }
  if (context.initiatorName.text !== 'alice@LAB.TEST') expect.fail(`${what}: accepted ${context.initiatorName.text}`)
  context.delegatedCredentials?.[Symbol.dispose]()
  context[Symbol.dispose]()
}

const requestOf = async (context: SecurityContext) => decode(ApReq, unframe((await context.step())!).message)

describe('what is sealed as it should be, but holds other octets', () => {
  test.each([
    ['of any', ['mutualAuthentication', 'channelBound'], 1],
    ['that hands over credentials', ['mutualAuthentication', 'delegateToPeer'], 3],
  ] as const)('an authenticator %s', async (_, flags, stride) => {
    const request = await requestOf(initiator([...flags]))
    const { usage } = sealedAuthenticator
    for (const { what, data } of resealed(request.authenticator, sessionKey(), usage, stride))
      await expectTyped({ ...request, authenticator: data }, what)
  })

  test('an AP-REP', async () => {
    const plaintext = async (one: SecurityContext) => {
      const { encPart } = decode(ApRep, unframe((await acceptor().step(await one.step()))!).message)
      return { encPart, octets: sessionKey().decrypt(sealedApRep.usage, encPart.cipher) }
    }
    const { octets: example } = await plaintext(initiator())
    for (const { what, change } of changes(example)) {
      const one = initiator()
      const { encPart, octets } = await plaintext(one)
      const cipher = sessionKey().encrypt(sealedApRep.usage, change(octets), random)
      const token = frame('apRep', encode(ApRep, { encPart: { ...encPart, cipher } }))
      const error = await one.step(token).catch((thrown) => thrown)
      if (error !== undefined) await expectOver(one, error, token)
      else {
        const [before, after] = [octets, change(octets)].map((each) => decode(EncApRepPart, each))
        expect([after!.ctime, after!.cusec], what).toEqual([before!.ctime, before!.cusec])
      }
    }
  })

  test('a ticket', async () => {
    const request = await requestOf(initiator())
    const { ticket } = request
    const names = new Set<string>()
    for (const { data } of resealed(ticket.encPart, serviceKey(), sealedTicket.usage, 2)) {
      const context = acceptor()
      const token = frame('apReq', encode(ApReq, { ...request, ticket: { ...ticket, encPart: data } }))
      try {
        await context.step(token)
        names.add(context.initiatorName.text)
      } catch (error) {
        await expectOver(context, error, token)
      }
    }
    // The authenticator's name is sealed with a key that is the ticket's.
    expect([...names]).toEqual(['alice@LAB.TEST'])
  })
})

test('nothing of the kind leaves the acceptor unable to accept', async () => {
  const [one, two] = [initiator(), acceptor()]
  await one.step(await two.step(await one.step()))
  expectAgreed([one, two])
})
