/** Tickets that are handed over in the clear (enctype 0), as Heimdal does it: the authenticator around them is sealed (RFC 4121 §4.1.1). */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { Key } from '../../../src/crypto/key.ts'
import { type Credentials, mechanismOids, Name, SecurityContext } from '../../../src/gss/index.ts'
import type { Krb5Credential } from '../../../src/gss/krb5/credential.ts'
import { frame, unframe } from '../../../src/gss/krb5/framing.ts'
import type { Credential } from '../../../src/krb5/credential.ts'
import { makeCred } from '../../../src/krb5/exchanges/cred.ts'
import { ApReq, Authenticator } from '../../../src/krb5/messages/ap.ts'
import { EncTicketPart } from '../../../src/krb5/messages/ticket.ts'
import { parsePrincipal } from '../../../src/krb5/names.ts'
import { sealedAuthenticator, sealedTicket } from '../../../src/krb5/sealed.ts'
import type { Kerberos } from '../../../src/node/kerberos.ts'
import { type Realm, startRealm } from '../../../src/node/realm.ts'
import { handingOver } from '../../support/handedover.ts'
import { expectOver } from '../../support/handshake.ts'
import { mutations } from '../../support/mutations.ts'

const name = Name.principal('HTTP/www.lab.test@LAB.TEST')
let realm: Realm
let kerberos: Kerberos
let alice: Credentials
let bob: Credentials
let service: Credentials

beforeAll(async () => {
  realm = await startRealm({
    users: { alice: 'alice-pw', bob: 'bob-pw' },
    services: ['HTTP/www.lab.test', 'HTTP/next.lab.test'],
  })
  kerberos = realm.kerberos()
  const login = async (user: string) =>
    (await kerberos.login(user, { password: `${user}-pw`, forwardable: true })).credentials
  alice = await login('alice')
  bob = await login('bob')
  service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/www.lab.test') } })
})
afterAll(() => realm[Symbol.asyncDispose]())

const element = (of: Credentials) => of.element(mechanismOids.krb5) as Krb5Credential
const now = () => Math.floor(Date.now() / 1000)
const sessionKey = () => element(alice).ticket(parsePrincipal(name.text), now())!.key
const request = async () =>
  (await new SecurityContext({ usage: 'initiate', name, creds: alice, flags: [], mech: kerberos.krb5 }).step())!
const accepting = () => new SecurityContext({ usage: 'accept', creds: service, mech: kerberos.krb5 })
const inClear = (credential: Credential, key?: Key) => makeCred([credential], { key, timestamps: false }, kerberos.env)

test('are taken, and are good for other services', async () => {
  const context = accepting()
  await context.step(handingOver(await request(), sessionKey(), inClear(element(alice).grantingTicket()!)))
  using creds = context.delegatedCredentials!
  expect([creds.name?.text, context.actualFlags.has('delegateToPeer')]).toEqual(['alice@LAB.TEST', true])
  const next = Name.principal('HTTP/next.lab.test@LAB.TEST')
  const onward = new SecurityContext({ usage: 'initiate', name: next, creds, mech: kerberos.krb5 })
  expect((await onward.step())!.length).toBeGreaterThan(0)
})

test('of somebody else are refused', async () => {
  const context = accepting()
  const token = handingOver(await request(), sessionKey(), inClear(element(bob).grantingTicket()!))
  await expect(context.step(token)).rejects.toMatchObject({ major: 'GSS_S_FAILURE', minor: 'KRB_AP_ERR_BADMATCH' })
  expect(() => context.delegatedCredentials).toThrow('GSS_S_NO_CONTEXT')
})

test('sealed with a key that is neither the session key nor the subkey, they are refused', async () => {
  using other = Key.generate(sessionKey().enctype, kerberos.env.random)
  const delegation = inClear(element(alice).grantingTicket()!, other)
  const step = accepting().step(handingOver(await request(), sessionKey(), delegation))
  await expect(step).rejects.toMatchObject({ minor: 'KRB_AP_ERR_MODIFIED' })
})

test('nothing else is taken in the clear: neither an authenticator nor a ticket', async () => {
  const honest = decode(ApReq, unframe(await request()).message)
  const plain = encode(Authenticator, sealedAuthenticator.open(sessionKey(), honest.authenticator))
  const { key } = element(service).acceptor!.keys[0]!
  const part = encode(EncTicketPart, sealedTicket.open(key, honest.ticket.encPart))
  for (const forged of [
    { ...honest, authenticator: { etype: 0, cipher: plain } },
    { ...honest, ticket: { ...honest.ticket, encPart: { etype: 0, cipher: part } } },
  ]) {
    const context = accepting()
    const token = frame('apReq', encode(ApReq, forged))
    await expectOver(context, await context.step(token).catch((error) => error), token)
  }
})

test('with any octet changed or missing they are refused in so many words, or are still alice’s', async () => {
  const delegation = inClear(element(alice).grantingTicket()!)
  for (const { what, octets } of mutations(delegation, { stride: 5 })) {
    const context = accepting()
    const token = handingOver(await request(), sessionKey(), octets)
    const error = await context.step(token).catch((thrown) => thrown)
    if (error !== undefined) await expectOver(context, error, token)
    else {
      using creds = context.delegatedCredentials!
      expect(creds.name?.text, what).toBe('alice@LAB.TEST')
    }
  }
})
