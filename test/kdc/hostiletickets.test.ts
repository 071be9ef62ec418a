/**
 * Tickets that somebody forged with a key that is not his to use, and requests that hide in FAST: RFC 4120 §3.3.3, MS-PAC §2,
 * and the flaws of other KDCs that the titles name. Every one of them is told no; none of them is told more.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { concat } from '../../src/bytes/index.ts'
import { checksumTypeById, plainChecksum } from '../../src/crypto/checksums.ts'
import { Key } from '../../src/crypto/key.ts'
import type { MemoryDatabase } from '../../src/kdc/database.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { errorCodeOf } from '../../src/krb5/errorcodes.ts'
import { FastChannel } from '../../src/krb5/exchanges/fastchannel.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { ApReq } from '../../src/krb5/messages/ap.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { KdcReqBody, TgsReq } from '../../src/krb5/messages/kdc.ts'
import { type EncTicketPart, Ticket } from '../../src/krb5/messages/ticket.ts'
import { parsePrincipal, principalNameOf } from '../../src/krb5/names.ts'
import { decodePac, joinBuffers, type PacBuffer } from '../../src/krb5/pac/pac.ts'
import { signGrantingTicket } from '../../src/krb5/pac/sign.ts'
import { findPac, wrapPac } from '../../src/krb5/pac/ticket.ts'
import { sealedTgsAuthenticator, sealedTicket } from '../../src/krb5/sealed.ts'
import { keyUsages } from '../../src/krb5/usages.ts'
import { few, Realms } from '../support/realms.ts'

const service = parsePrincipal('HTTP/www@LAB.TEST')
const sid = (rid: number) => `S-1-5-21-1-2-3-${rid}`
let realms: Realms
let database: MemoryDatabase
let tgt: Credential
beforeEach(async () => {
  realms = new Realms()
  database = realms.realm('LAB.TEST')
  database.add('alice', { password: 'x', identity: { sid: sid(1103) }, ...few })
  database.add('HTTP/www', few)
  tgt = await realms.login('alice@LAB.TEST')
})

const krbtgt = () => database.lookup(tgt.server)!
const keyOf = (credential: Credential) => {
  const { etype } = decode(Ticket, credential.ticket).encPart
  return krbtgt().keys.find(({ enctype }) => enctype.id === etype)!
}
const opened = () => sealedTicket.open(keyOf(tgt), decode(Ticket, tgt.ticket).encPart)
/** The ticket with other contents under the seal of the KDC, or with another shell around them. */
function forged(
  change: (part: EncTicketPart) => EncTicketPart,
  shell: (ticket: Ticket) => Ticket = (ticket) => ticket,
): Credential {
  const ticket = decode(Ticket, tgt.ticket)
  const encPart = sealedTicket.seal(keyOf(tgt), change(opened()), realms.env, krbtgt().kvno)
  return { ...tgt, ticket: encode(Ticket, shell({ ...ticket, encPart })) }
}
const same = (part: EncTicketPart) => part
const bought = (shown: Credential) =>
  realms.go(tgsExchange({ tgt: shown, service }, realms.env)).then(
    () => 'issued',
    ({ code }: { code: string }) => code,
  )

test('an honest ticket under the same seal is taken', async () => expect(await bought(forged(same))).toBe('issued'))

describe('class 3: a ticket', () => {
  test.each([
    ['another type of the same name', { nameType: 1, nameString: ['krbtgt', 'LAB.TEST'] }, 'issued'],
    ['both parts of its name in one', { nameType: 1, nameString: ['krbtgt/LAB.TEST'] }, 'KRB_AP_ERR_NOT_US'],
    [
      'an enterprise name in its place',
      { nameType: 10, nameString: ['krbtgt/LAB.TEST@LAB.TEST'] },
      'KRB_AP_ERR_NOT_US',
    ],
    ['a third part of its name', { nameType: 2, nameString: ['krbtgt', 'LAB.TEST', ''] }, 'KRB_AP_ERR_NOT_US'],
    ['its name in other letters', { nameType: 2, nameString: ['KRBTGT', 'LAB.TEST'] }, 'KRB_AP_ERR_NOT_US'],
    ['no name', { nameType: 0, nameString: [] }, 'KRB_AP_ERR_NOT_US'],
  ])('for %s', async (_, sname, outcome) =>
    expect(await bought(forged(same, (ticket) => ({ ...ticket, sname })))).toBe(outcome),
  )

  test('of a client whose name is the same only when its parts are joined is not that client’s', async () => {
    for (const nameString of [['al', 'ice'], ['alice', ''], ['alice@LAB.TEST'], ['Alice']]) {
      const cname = { nameType: 1, nameString }
      expect(await bought(forged((part) => ({ ...part, cname })))).toBe('KRB_AP_ERR_BADMATCH')
    }
  })

  test('that is not valid yet, or has ended, buys nothing', async () => {
    const now = realms.env.now() / 1e6
    expect(await bought(forged((part) => ({ ...part, flags: new Set([...part.flags, 'invalid' as const]) })))).toBe(
      'KRB_AP_ERR_TKT_NYV',
    )
    expect(await bought(forged((part) => ({ ...part, starttime: now + 3600 })))).toBe('KRB_AP_ERR_TKT_NYV')
    expect(await bought(forged((part) => ({ ...part, endtime: now - 3600 })))).toBe('KRB_AP_ERR_TKT_EXPIRED')
  })
})

describe('class 10: a ticket of a key version that this KDC has not', () => {
  const version = (kvno: number) => (ticket: Ticket) => ({ ...ticket, encPart: { ...ticket.encPart, kvno } })
  // A read-only domain controller puts its number into the upper half (MS-KILE §3.1.5.8); what it sealed is not for us to take.
  test.each([
    ['of a read-only domain controller', 0x0001_0001],
    ['of a read-only domain controller, the highest', 0xffff_0001 | 0],
    ['of one that was', 99],
    ['below zero', -1],
  ])('%s', async (_, kvno) => expect(await bought(forged(same, version(kvno)))).toBe('KRB_AP_ERR_BADKEYVER'))
})

describe('class 8: a ticket-granting ticket', () => {
  const pacOf = () => findPac(opened().authorizationData)!.octets
  const withPac = (...pacs: readonly Uint8Array[]) =>
    bought(forged((part) => ({ ...part, authorizationData: pacs.map(wrapPac) })))
  const buffers = (): readonly PacBuffer[] => decodePac(pacOf()).buffers.map(({ type, octets }) => ({ type, octets }))
  /** Signed as it should be, but for what it says. */
  const signed = (content: Parameters<typeof signGrantingTicket>[0]) =>
    bought(
      forged((part) => ({
        ...part,
        authorizationData: signGrantingTicket(content, { serverKey: keyOf(tgt), kdcKey: krbtgt().keys[0]! }),
      })),
    )
  const told = () => {
    const { signatures: _, buffers: _b, octets: _o, ...content } = decodePac(pacOf())
    return content
  }

  test('as it is, buys others', async () => {
    expect(await withPac(pacOf())).toBe('issued')
    expect(await signed(told())).toBe('issued')
  })

  test.each([1, 2, 7, 14])('CVE-2014-6324: whose PAC is signed by a checksum that takes no key (%i)', async (id) => {
    const type = checksumTypeById(id)!
    const fake = concat(new Uint8Array(new Int32Array([id]).buffer), plainChecksum(type, pacOf()))
    for (const kind of [6, 7])
      expect(
        await withPac(
          joinBuffers(buffers().map((buffer) => (buffer.type === kind ? { type: kind, octets: fake } : buffer))).octets,
        ),
      ).toBe('KRB_AP_ERR_MODIFIED')
  })

  test.each([2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 8n])(
    'CVE-2022-42898: whose PAC has a buffer at %s',
    async (offset) => {
      const pac = new Uint8Array(pacOf())
      new DataView(pac.buffer).setBigUint64(16, offset, true)
      expect(await withPac(pac)).toBe('KRB_AP_ERR_MODIFIED')
    },
  )

  test('CVE-2022-42898: whose PAC has buffers that overlap, or more of them than there is room for', async () => {
    for (const change of [
      (view: DataView) => view.setBigUint64(8 + 16 + 8, view.getBigUint64(16, true), true),
      (view: DataView) => view.setUint32(0, 0xffff_ffff, true),
      (view: DataView) => view.setUint32(12, 0xffff_fff8, true),
    ]) {
      const pac = new Uint8Array(pacOf())
      change(new DataView(pac.buffer))
      expect(await withPac(pac)).toBe('KRB_AP_ERR_MODIFIED')
    }
  })

  test('with two PACs, both of them good', async () =>
    expect(await withPac(pacOf(), pacOf())).toBe('KRB_AP_ERR_MODIFIED'))

  test('CVE-2021-42287 (noPac): whose PAC was asked for by another account, or by one that it does not name', async () => {
    expect(await signed({ ...told(), requestor: sid(500) })).toBe('KRB_AP_ERR_MODIFIED')
    const { requestor: _, ...unnamed } = told()
    expect(await signed(unnamed)).toBe('KDC_ERR_TGT_REVOKED')
    database.add('alice', { password: 'x', identity: { sid: sid(500) }, ...few })
    expect(await signed(told())).toBe('KDC_ERR_TGT_REVOKED')
  })
})

describe('class 10: in FAST', () => {
  /** What the KDC says to a request whose body inside the tunnel is another than the one outside. */
  function answerTo(inside: (body: KdcReqBody) => KdcReqBody): string {
    const { env } = realms
    const value: KdcReqBody = {
      kdcOptions: new Set(),
      realm: 'LAB.TEST',
      sname: principalNameOf(service),
      till: 0,
      nonce: 1,
      etype: [18],
    }
    const der = encode(KdcReqBody, value)
    using subkey = Key.generate(tgt.key.enctype, env.random)
    const cksum = { cksumtype: tgt.key.enctype.checksumId, checksum: tgt.key.checksum(keyUsages.tgsReqChecksum, der) }
    const time = Math.floor(env.now() / 1e6)
    const who = { crealm: 'LAB.TEST', cname: principalNameOf(parsePrincipal('alice@LAB.TEST')) }
    const own = { keytype: subkey.enctype.id, keyvalue: subkey.octets() }
    const authenticator = sealedTgsAuthenticator.seal(
      tgt.key,
      { ...who, cksum, ctime: time, cusec: 0, subkey: own },
      env,
    )
    const shown = encode(ApReq, { apOptions: new Set<never>(), ticket: decode(Ticket, tgt.ticket), authenticator })
    using channel = new FastChannel(subkey, tgt.key)
    const inner = inside(value)
    const body = { value: inner, der: encode(KdcReqBody, inner) }
    const armored = channel.sealRequest({ padata: [], body, fastOptions: new Set<never>(), signed: shown }, env)
    const padata = [{ padataType: paTypes.tgsReq, padataValue: shown }, armored]
    const reply = realms.answer('LAB.TEST', encode(TgsReq, { padata, reqBody: { value, der } }))
    return reply[0] === 0x6d ? 'issued' : errorCodeOf(decode(KrbErrorMessage, reply).errorCode)
  }

  test('an honest request is answered', () => expect(answerTo((body) => body)).toBe('issued'))
  test('CVE-2021-37750: a body without a service is refused', () =>
    expect(answerTo(({ sname: _, ...body }) => body)).toBe('KDC_ERR_S_PRINCIPAL_UNKNOWN'))
  test('a body for another realm, or with no enctype, is refused', () => {
    expect(answerTo((body) => ({ ...body, realm: 'OTHER.TEST' }))).not.toBe('issued')
    expect(answerTo((body) => ({ ...body, etype: [] }))).not.toBe('issued')
  })
})
