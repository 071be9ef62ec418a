/** How a client proved itself, told from ticket to ticket (RFC 8129, RFC 7751), and services that ask for it. */
import { beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import type { MemoryDatabase } from '../../src/kdc/database.ts'
import { authenticationIndicators } from '../../src/krb5/cammac.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import { s4u2proxy, s4u2self } from '../../src/krb5/exchanges/s4u.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { AuthorizationData } from '../../src/krb5/messages/basics.ts'
import { adTypes } from '../../src/krb5/messages/codes.ts'
import { type EncTicketPart, Ticket } from '../../src/krb5/messages/ticket.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { findPac } from '../../src/krb5/pac/ticket.ts'
import { verifyTicketPac } from '../../src/krb5/pac/verify.ts'
import { encryptedTimestamp } from '../../src/krb5/preauth/timestamp/client.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { few, Realms } from '../support/realms.ts'

let realms: Realms
let database: MemoryDatabase
beforeEach(() => {
  realms = new Realms()
  database = realms.realm('LAB.TEST', { indicators: { SPAKE: ['spake', 'strong'], 'encrypted challenge': ['fast'] } })
  for (const user of ['alice', 'HTTP/act']) database.add(user, { password: 'x', okToAuthAsDelegate: true, ...few })
  database.add('HTTP/www', few)
  database.add('vault/host', { requireAuth: ['pkinit', 'spake'], allowedToActOnBehalf: ['HTTP/act'], ...few })
})
const lab = (name: string) => parsePrincipal(name, { realm: 'LAB.TEST' })
const buy = async (tgt: Credential, service: string) =>
  (await realms.go(tgsExchange({ tgt, service: parsePrincipal(service, { realm: 'LAB.TEST' }) }, realms.env)))
    .credential
const byTimestamp = async () => {
  const request = { client: lab('alice'), secret: passwordSecret(lab('alice'), 'x'), lifetime: 3600 }
  return (await realms.go(asExchange({ ...request, preauth: [encryptedTimestamp] }, realms.env))).credential
}
const keyOf = (name: string) => database.lookup(lab(name))!.keys[0]!
const opened = ({ server, ticket }: Credential): EncTicketPart =>
  sealedTicket.open(database.lookup(server)!.keys[0]!, decode(Ticket, ticket).encPart)
const resealed = (credential: Credential, change: (part: EncTicketPart) => EncTicketPart): Credential => {
  const ticket = decode(Ticket, credential.ticket)
  const record = database.lookup(credential.server)!
  const encPart = sealedTicket.seal(record.keys[0]!, change(opened(credential)), realms.env, record.kvno)
  return { ...credential, ticket: encode(Ticket, { ...ticket, encPart }) }
}

describe('authentication indicators', () => {
  test('go from the login into the ticket, and on into what is bought with it', async () => {
    const bought = await buy(await realms.login('alice@LAB.TEST'), 'HTTP/www')
    const [serverKey, kdcKey] = [keyOf('HTTP/www'), keyOf('krbtgt/LAB.TEST')]
    expect(authenticationIndicators(opened(bought), { serverKey })).toEqual(['spake', 'strong'])
    expect(authenticationIndicators(opened(bought), { kdcKey })).toEqual(['spake', 'strong'])
    const verdict = verifyTicketPac(opened(bought), { serverKey, kdcKeys: [kdcKey] })
    expect(verdict.state).toBe('verified')
    const cammacs = opened(bought).authorizationData!.filter(
      ({ adData }) => decode(AuthorizationData, adData)[0]!.adType === adTypes.cammac,
    )
    expect(cammacs.length).toBe(1)
  })

  test('are none where the way to prove oneself has none', async () => {
    const bought = await buy(await byTimestamp(), 'HTTP/www')
    expect(authenticationIndicators(opened(bought), { serverKey: keyOf('HTTP/www') })).toEqual([])
    expect(findPac(opened(bought).authorizationData)).toBeDefined()
  })

  test('of a ticket whose key a service has are believed by that service alone', async () => {
    // The holder of the service's key makes its evidence say more; only the KDC's verifier counts to the KDC.
    const tgt = await realms.login('HTTP/act@LAB.TEST')
    const { credential } = await realms.go(s4u2self({ tgt, user: lab('alice') }, realms.env))
    const spake = opened(await buy(await realms.login('alice@LAB.TEST'), 'HTTP/act'))
    const stolen = spake.authorizationData!.filter(({ adData }) =>
      decode(AuthorizationData, adData).some(({ adType }) => adType === adTypes.cammac),
    )
    const forged = resealed(credential, (part) => ({
      ...part,
      authorizationData: [...stolen, ...part.authorizationData!],
    }))
    const asked = { tgt, evidence: forged, service: lab('vault/host') }
    await expect(realms.go(s4u2proxy(asked, realms.env))).rejects.toMatchObject({ name: 'KrbError', origin: 'peer' })
  })
})

describe('a service that asks for a way to prove oneself', () => {
  test('is for those who did', async () => {
    const bought = await buy(await realms.login('alice@LAB.TEST'), 'vault/host')
    expect(authenticationIndicators(opened(bought), { serverKey: keyOf('vault/host') })).toContain('spake')
  })

  test('is for nobody else: KDC_ERR_POLICY, and what to do', async () => {
    await expect(buy(await byTimestamp(), 'vault/host')).rejects.toMatchObject({
      code: 'KDC_ERR_POLICY',
      message: expect.stringContaining('pkinit or spake'),
    })
    const tgt = await realms.login('HTTP/act@LAB.TEST')
    const { credential: evidence } = await realms.go(s4u2self({ tgt, user: lab('alice') }, realms.env))
    await expect(realms.go(s4u2proxy({ tgt, evidence, service: lab('vault/host') }, realms.env))).rejects.toMatchObject(
      { code: 'KDC_ERR_POLICY' },
    )
  })

  test('is held to it at a login straight to it', async () => {
    const request = { client: lab('alice'), service: lab('vault/host'), secret: passwordSecret(lab('alice'), 'x') }
    const login = (preauth?: readonly [typeof encryptedTimestamp]) =>
      realms.go(asExchange({ ...request, lifetime: 60, ...(preauth ? { preauth } : {}) }, realms.env))
    expect((await login()).credential.server.components).toEqual(['vault', 'host'])
    await expect(login([encryptedTimestamp])).rejects.toMatchObject({ code: 'KDC_ERR_POLICY' })
  })
})
