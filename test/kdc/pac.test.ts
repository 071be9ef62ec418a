/** The PACs in tickets of the embedded KDC: MS-PAC, MS-KILE §2.2.3 and §3.3.5, CVE-2021-42287. */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import type { Key } from '../../src/crypto/key.ts'
import { run } from '../../src/effects/index.ts'
import { MemoryDatabase, type PrincipalOptions } from '../../src/kdc/database.ts'
import { createKdc } from '../../src/kdc/kdc.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import type { AsRequest } from '../../src/krb5/exchanges/asrequest.ts'
import { tgsExchange, ticketAgain } from '../../src/krb5/exchanges/tgs.ts'
import { type EncTicketPart, Ticket } from '../../src/krb5/messages/ticket.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { authorizationOf } from '../../src/krb5/pac/authorization.ts'
import { signGrantingTicket } from '../../src/krb5/pac/sign.ts'
import { type PacVerdict, verifyTicketPac } from '../../src/krb5/pac/verify.ts'
import type { KrbExchange, KrbQuestions } from '../../src/krb5/questions.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from '../support/env.ts'

const REALM = 'LAB.TEST'
const TIME = 1_800_000_000
const env = fixedEnv(TIME)
const database = new MemoryDatabase(REALM, env.random)
const few = { enctypes: [enctypes[0]!] }
const domain = 'S-1-5-21-1-2-3'
const alice = {
  sid: `${domain}-1103`,
  fullName: 'Alice',
  upn: 'alice@corp.test',
  groups: [513, 1200],
  extraSids: ['S-1-5-21-7-7-7-9'],
}
const add = (name: string, options: PrincipalOptions = {}) => database.add(name, { ...few, ...options })
add('alice', { password: 'x', identity: alice })
add('mallory', { password: 'x', identity: { sid: `${domain}-1104` } })
add('plain', { password: 'x' })
const web = add('HTTP/www')
const krbtgt = database.lookup(parsePrincipal('krbtgt/LAB.TEST@LAB.TEST'))!
const kdc = createKdc({ realm: REALM, database, env })

const go = <T>(exchange: KrbExchange<T>): Promise<T> =>
  run<KrbQuestions, T>(exchange, {
    send: ({ message }) => ({ message: kdc.handle(message)!, kdc: 'embedded' }),
    prompt: () => expect.unreachable(),
    replay: () => false,
    keep: () => undefined,
    compute: ({ work }) => work(),
  })
const login = async (name: string, more: Partial<AsRequest> = {}) => {
  const client = parsePrincipal(name, { realm: REALM })
  return (await go(asExchange({ client, secret: passwordSecret(client, 'x'), lifetime: 3600, ...more }, env)))
    .credential
}
const buy = async (tgt: Credential, name = 'HTTP/www') =>
  (await go(tgsExchange({ tgt, service: parsePrincipal(name, { realm: REALM }) }, env))).credential
const opened = ({ ticket }: Credential, key: Key): EncTicketPart =>
  sealedTicket.open(key, decode(Ticket, ticket).encPart)
const verdictOf = (credential: Credential, key = web.keys[0]!): PacVerdict =>
  verifyTicketPac(opened(credential, key), {
    serverKey: key,
    kdcKeys: krbtgt.keys,
    ...(krbtgt.keys.includes(key) ? { required: [] } : {}),
  })
const granting = krbtgt.keys.find(({ enctype }) => enctype === enctypes[0])!
/** The ticket with other contents, sealed as the KDC seals it. */
const forged = (credential: Credential, change: (part: EncTicketPart) => EncTicketPart): Credential => {
  const ticket = decode(Ticket, credential.ticket)
  const part = change(sealedTicket.open(granting, ticket.encPart))
  return {
    ...credential,
    ticket: encode(Ticket, { ...ticket, encPart: sealedTicket.seal(granting, part, env, krbtgt.kvno) }),
  }
}

describe('a ticket for a service', () => {
  test('says who its client is, signed four times', async () => {
    const verdict = verdictOf(await buy(await login('alice')))
    expect(verdict).toMatchObject({
      state: 'verified',
      pac: {
        logonInfo: { effectiveName: 'alice', fullName: 'Alice', logonDomainName: 'LAB', logonTime: TIME },
        upnDns: { upn: 'alice@corp.test', dnsDomainName: REALM, samName: 'alice', constructed: false },
        clientInfo: { name: 'alice', authtime: TIME },
      },
    })
    expect(verdict).not.toHaveProperty('pac.requestor')
    expect(verdict).not.toHaveProperty('pac.attributes')
    expect(authorizationOf(verdict)).toMatchObject({
      user: `${domain}-1103`,
      groups: [`${domain}-513`, `${domain}-1200`, 'S-1-18-1', 'S-1-5-21-7-7-7-9'],
    })
  })

  test('names the client alone where the KDC knows no more, as MIT’s does', async () => {
    const verdict = verdictOf(await buy(await login('plain')))
    expect(verdict).toMatchObject({ state: 'verified', pac: { clientInfo: { name: 'plain' } } })
    expect(verdict).not.toHaveProperty('pac.logonInfo')
  })

  test('says the same when it was bought with a login’s ticket or came of the login itself', async () => {
    const direct = await login('alice', { service: parsePrincipal('HTTP/www', { realm: REALM }) })
    expect(authorizationOf(verdictOf(direct))).toEqual(authorizationOf(verdictOf(await buy(await login('alice')))))
  })

  test('has no PAC when the login asked for none', async () =>
    expect(verdictOf(await buy(await login('alice', { pac: false })))).toEqual({ state: 'absent' }))

  test('keeps its PAC when it is renewed', async () => {
    const renewable = await login('alice', {
      renewLifetime: 86_400,
      service: parsePrincipal('HTTP/www', { realm: REALM }),
    })
    const renewed = (await go(ticketAgain('renew', { tgt: renewable }, env))).credential
    expect(verdictOf(renewed)).toMatchObject({ state: 'verified', pac: { logonInfo: { userId: 1103 } } })
  })
})

describe('a ticket-granting ticket', () => {
  test.each([
    [undefined, { requested: false, implicit: true }],
    [true, { requested: true, implicit: false }],
  ])('tells who asked for it, and how: %s', async (pac, attributes) => {
    const verdict = verdictOf(await login('alice', pac === undefined ? {} : { pac }), granting)
    expect(verdict).toMatchObject({ state: 'verified', pac: { requestor: alice.sid, attributes } })
    expect(Object.keys((verdict as { pac: { signatures: object } }).pac.signatures).sort()).toEqual(['kdc', 'server'])
  })

  test('keeps telling it when it is renewed', async () => {
    const renewed = (await go(ticketAgain('renew', { tgt: await login('alice', { renewLifetime: 86_400 }) }, env)))
      .credential
    expect(verdictOf(renewed, granting)).toMatchObject({ state: 'verified', pac: { requestor: alice.sid } })
  })

  test('whose PAC was changed buys nothing', async () => {
    const changed = forged(await login('alice'), (part) => {
      const [first, ...rest] = part.authorizationData!
      const adData = new Uint8Array(first!.adData)
      adData[200]! ^= 1
      return { ...part, authorizationData: [{ ...first!, adData }, ...rest] }
    })
    await expect(buy(changed)).rejects.toMatchObject({ code: 'KRB_AP_ERR_MODIFIED' })
  })

  test('with the PAC of somebody else buys nothing', async () => {
    const { authorizationData } = opened(await login('alice'), granting)
    const stolen = forged(await login('mallory'), (part) => ({ ...part, authorizationData: authorizationData! }))
    await expect(buy(stolen)).rejects.toMatchObject({ code: 'KRB_AP_ERR_MODIFIED' })
  })

  test('signed by the service alone buys nothing', async () => {
    const key = web.keys[0]!
    const signed = forged(await login('plain'), (part) => {
      const clientInfo = { name: 'plain', authtime: part.authtime }
      return { ...part, authorizationData: signGrantingTicket({ clientInfo }, { serverKey: granting, kdcKey: key }) }
    })
    await expect(buy(signed)).rejects.toMatchObject({ code: 'KRB_AP_ERR_MODIFIED' })
  })

  test('class 8, CVE-2021-42287 (noPac): buys nothing once its client’s name is another account’s', async () => {
    add('renamed', { password: 'x', identity: { sid: `${domain}-1500` } })
    const tgt = await login('renamed')
    await expect(buy(tgt)).resolves.toBeDefined()
    add('renamed', { password: 'x', identity: { sid: `${domain}-500` } })
    await expect(buy(tgt)).rejects.toMatchObject({ code: 'KDC_ERR_TGT_REVOKED' })
  })
})

test.each(['S-1-5', 'S-2-5-21-1', ''])('an account with the SID %j cannot be added', (sid) =>
  expect(() => add('odd', { identity: { sid } })).toThrow(TypeError),
)
