/** Requests to the TGS that somebody tampered with: RFC 4120 §3.3.3, and the flaws of other KDCs that the titles name. */
import { beforeAll, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import type { MemoryDatabase } from '../../src/kdc/database.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { errorCodeOf } from '../../src/krb5/errorcodes.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { ApReq } from '../../src/krb5/messages/ap.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { KdcReqBody, TgsReq } from '../../src/krb5/messages/kdc.ts'
import { Ticket } from '../../src/krb5/messages/ticket.ts'
import { parsePrincipal, principalNameOf } from '../../src/krb5/names.ts'
import { sealedTgsAuthenticator, sealedTicket } from '../../src/krb5/sealed.ts'
import { keyUsages } from '../../src/krb5/usages.ts'
import { few, Realms } from '../support/realms.ts'

const realms = new Realms()
let database: MemoryDatabase
let tgt: Credential
beforeAll(async () => {
  database = realms.realm('LAB.TEST')
  for (const name of ['alice', 'mallory']) database.add(name, { password: 'x', ...few })
  database.add('HTTP/www', few)
  tgt = await realms.login('alice@LAB.TEST')
})

const alice = { crealm: 'LAB.TEST', cname: principalNameOf(parsePrincipal('alice@LAB.TEST')) }

/** What the KDC says to a request of alice's, tampered with. */
function answerTo({
  body: change = (body) => body,
  who = alice,
  cksumtype = tgt.key.enctype.checksumId,
  checksum,
  ticket = (ticket) => ticket,
  proof = true,
}: {
  readonly body?: (body: KdcReqBody) => KdcReqBody
  readonly who?: typeof alice
  readonly cksumtype?: number
  readonly checksum?: Uint8Array
  readonly ticket?: (ticket: Ticket) => Ticket
  readonly proof?: boolean
}): string {
  const value = change({
    kdcOptions: new Set(),
    realm: 'LAB.TEST',
    sname: principalNameOf(parsePrincipal('HTTP/www@LAB.TEST')),
    till: 0,
    nonce: 1,
    etype: [18],
  })
  const der = encode(KdcReqBody, value)
  const time = Math.floor(realms.env.now() / 1e6)
  const cksum = { cksumtype, checksum: checksum ?? tgt.key.checksum(keyUsages.tgsReqChecksum, der) }
  const authenticator = sealedTgsAuthenticator.seal(tgt.key, { ...who, cksum, ctime: time, cusec: 0 }, realms.env)
  const shown = encode(ApReq, {
    apOptions: new Set<never>(),
    ticket: ticket(decode(Ticket, tgt.ticket)),
    authenticator,
  })
  const padata = proof ? [{ padataType: paTypes.tgsReq, padataValue: shown }] : []
  const reply = realms.answer('LAB.TEST', encode(TgsReq, { padata, reqBody: { value, der } }))
  return reply[0] === 0x6d ? 'issued' : errorCodeOf(decode(KrbErrorMessage, reply).errorCode)
}

test('as it is, it is answered', () => expect(answerTo({})).toBe('issued'))

test('class 10, CVE-2021-3671 and CVE-2021-37750: one without a service is refused', () => {
  expect(answerTo({ body: ({ sname: _, ...body }) => body })).toBe('KDC_ERR_S_PRINCIPAL_UNKNOWN')
})

test('class 3: an authenticator of another name than the ticket is refused', () => {
  const who = { ...alice, cname: principalNameOf(parsePrincipal('mallory@LAB.TEST')) }
  expect(answerTo({ who })).toBe('KRB_AP_ERR_BADMATCH')
})

test('class 3: an authenticator of another realm than the ticket is refused', () => {
  expect(answerTo({ who: { ...alice, crealm: 'OTHER.TEST' } })).toBe('KRB_AP_ERR_BADMATCH')
})

test("class 3, CVE-2017-11103 (Orpheus' Lyre): the clear part of a ticket says nothing that counts", () => {
  const sname = principalNameOf(parsePrincipal('HTTP/www@LAB.TEST'))
  expect(answerTo({ ticket: (ticket) => ({ ...ticket, sname }) })).not.toBe('issued')
  expect(answerTo({ ticket: (ticket) => ({ ...ticket, realm: 'OTHER.TEST' }) })).not.toBe('issued')
})

test('class 10: a body that nobody signed with a key is refused', () => {
  expect(answerTo({ cksumtype: 7, checksum: new Uint8Array(16) })).toBe('KRB_AP_ERR_INAPP_CKSUM')
  expect(answerTo({ checksum: new Uint8Array(12) })).toBe('KRB_AP_ERR_MODIFIED')
})

test('class 10: one that shows no ticket is refused', () =>
  expect(answerTo({ proof: false })).toBe('KDC_ERR_PADATA_TYPE_NOSUPP'))

test('class 10: one for a ticket beside it, without that ticket, is refused', () => {
  const kdcOptions = (option: 'encTktInSkey' | 'cnameInAddlTkt') => (body: KdcReqBody) => ({
    ...body,
    kdcOptions: new Set([option]),
  })
  expect(answerTo({ body: kdcOptions('encTktInSkey') })).toBe('KDC_ERR_BADOPTION')
  expect(answerTo({ body: kdcOptions('cnameInAddlTkt') })).toBe('KDC_ERR_BADOPTION')
})

test('class 3: a service ticket buys no others', async () => {
  const { credential } = await realms.go(tgsExchange({ tgt, service: parsePrincipal('HTTP/www@LAB.TEST') }, realms.env))
  const shown = { ...credential, server: tgt.server }
  const service = parsePrincipal('HTTP/www@LAB.TEST')
  await expect(realms.go(tgsExchange({ tgt: shown, service }, realms.env))).rejects.toMatchObject({
    code: 'KRB_AP_ERR_NOT_US',
  })
})

test('class 8, CVE-2014-6324: a ticket-granting ticket whose PAC was changed buys nothing', async () => {
  const krbtgt = database.lookup(tgt.server)!
  const ticket = decode(Ticket, tgt.ticket)
  const key = krbtgt.keys.find(({ enctype }) => enctype.id === ticket.encPart.etype)!
  const part = sealedTicket.open(key, ticket.encPart)
  const [first, ...rest] = part.authorizationData!
  const adData = new Uint8Array(first!.adData)
  adData[adData.length - 1]! ^= 1
  const authorizationData = [{ ...first!, adData }, ...rest]
  const encPart = sealedTicket.seal(key, { ...part, authorizationData }, realms.env, krbtgt.kvno)
  const forged = { ...tgt, ticket: encode(Ticket, { ...ticket, encPart }) }
  const service = parsePrincipal('HTTP/www@LAB.TEST')
  await expect(realms.go(tgsExchange({ tgt: forged, service }, realms.env))).rejects.toMatchObject({
    code: 'KRB_AP_ERR_MODIFIED',
  })
})
