/** Services that act in the name of users: MS-SFU (S4U2Self, S4U2Proxy), RFC 4120 §2.9.2 (user-to-user), §2.6 (forwarded tickets). */
import { beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import type { MemoryDatabase } from '../../src/kdc/database.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { s4u2proxy, s4u2self } from '../../src/krb5/exchanges/s4u.ts'
import { paForUser } from '../../src/krb5/exchanges/s4upadata.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { requestTicket, type TgsExtension } from '../../src/krb5/exchanges/tgsrequest.ts'
import { addressTypes, adTypes, paTypes } from '../../src/krb5/messages/codes.ts'
import { PaForUser } from '../../src/krb5/messages/s4u.ts'
import { type EncTicketPart, Ticket } from '../../src/krb5/messages/ticket.ts'
import { formatPrincipal, parsePrincipal, ticketGrantingService } from '../../src/krb5/names.ts'
import { verifyTicketPac } from '../../src/krb5/pac/verify.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { few, Realms } from '../support/realms.ts'

const lab = (name: string) => parsePrincipal(name, { realm: 'LAB.TEST' })
const self = lab('HTTP/www')
const backend = lab('db/host')
let realms: Realms
let database: MemoryDatabase
let tgt: Credential
beforeEach(async () => {
  realms = new Realms()
  database = realms.realm('LAB.TEST')
  const sid = (rid: number) => ({ identity: { sid: `S-1-5-21-1-2-3-${rid}` } })
  database.add('alice', { password: 'x', ...sid(1103), ...few })
  database.add('vip', { password: 'x', notDelegated: true, ...few })
  database.add('HTTP/www', { password: 'x', okToAuthAsDelegate: true, allowedToDelegateTo: ['db/host'], ...few })
  database.add('plain/www', { password: 'x', allowedToDelegateTo: ['db/host'], ...few })
  database.add('db/host', { ...few })
  database.add('files/host', { allowedToActOnBehalf: ['plain/www'], ...few })
  tgt = await realms.login('HTTP/www@LAB.TEST')
})
const opened = ({ server, ticket }: Pick<Credential, 'server' | 'ticket'>): EncTicketPart =>
  sealedTicket.open(database.lookup(server)!.keys[0]!, decode(Ticket, ticket).encPart)
const resealed = (credential: Credential, change: (part: EncTicketPart) => EncTicketPart): Credential => {
  const ticket = decode(Ticket, credential.ticket)
  const record = database.lookup(credential.server)!
  const encPart = sealedTicket.seal(record.keys[0]!, change(opened(credential)), realms.env, record.kvno)
  return { ...credential, ticket: encode(Ticket, { ...ticket, encPart }) }
}
const selfTicket = async (user: string, given = tgt) =>
  (await realms.go(s4u2self({ tgt: given, user: lab(user) }, realms.env))).credential
const proxied = async (evidence: Credential, service = backend, given = tgt) =>
  (await realms.go(s4u2proxy({ tgt: given, evidence, service }, realms.env))).credential
const refused = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code })

describe('S4U2Self', () => {
  test('gives a service a ticket of a user to itself', async () => {
    const credential = await selfTicket('alice')
    expect(formatPrincipal(credential.client)).toBe('alice@LAB.TEST')
    expect(formatPrincipal(credential.server)).toBe('HTTP/www@LAB.TEST')
    expect(opened(credential).cname.nameString).toEqual(['alice'])
    expect(credential.flags.has('forwardable')).toBe(true)
  })

  test('goes through FAST as well', async () => {
    const asked = { tgt, user: lab('alice'), fast: 'required' } as const
    const { credential } = await realms.go(s4u2self(asked, realms.env))
    expect(formatPrincipal(credential.client)).toBe('alice@LAB.TEST')
  })

  test('gives no forwardable ticket without protocol transition, nor of a sensitive user', async () => {
    const plain = await realms.login('plain/www@LAB.TEST')
    expect((await selfTicket('alice', plain)).flags.has('forwardable')).toBe(false)
    expect((await selfTicket('vip')).flags.has('forwardable')).toBe(false)
  })

  test('is for tickets to oneself alone', () =>
    refused(realms.go(s4u2self({ tgt, user: lab('alice'), service: backend }, realms.env)), 'KDC_ERR_BADOPTION'))

  test('knows no users that are not there', () => refused(selfTicket('nobody'), 'KDC_ERR_C_PRINCIPAL_UNKNOWN'))

  test.each([
    [7, 'KRB_AP_ERR_INAPP_CKSUM'],
    [15, 'KRB_AP_ERR_INAPP_CKSUM'],
    [16, 'KRB_AP_ERR_MODIFIED'],
    [-138, 'KRB_AP_ERR_MODIFIED'],
  ])(
    'class 10, CVE-2018-16860: PA-FOR-USER with a checksum of type %i that nobody signed is refused',
    async (type, code) => {
      const padata = () => {
        const forUser = decode(PaForUser, paForUser(lab('alice'), tgt.key).padataValue)
        const cksum = { cksumtype: type, checksum: new Uint8Array(16) }
        return [{ padataType: paTypes.forUser, padataValue: encode(PaForUser, { ...forUser, cksum }) }]
      }
      const extension: TgsExtension = { padata, clientOf: () => lab('alice') }
      const asked = { tgt, service: self, canonicalize: false, clockOffset: 0, extension }
      await refused(realms.go(requestTicket(asked, realms.env)), code)
    },
  )

  test('class 2: a KDC that passes PA-FOR-USER over is found out by the name in its reply', async () => {
    const extension: TgsExtension = { clientOf: () => lab('alice') }
    const asked = { tgt, service: self, canonicalize: false, clockOffset: 0, extension }
    await refused(realms.go(requestTicket(asked, realms.env)), 'REPLY_MODIFIED')
  })
})

describe('S4U2Proxy', () => {
  test('goes to the services that the KDC allows, in the name of the user', async () => {
    const credential = await proxied(await selfTicket('alice'))
    expect(formatPrincipal(credential.client)).toBe('alice@LAB.TEST')
    expect(formatPrincipal(credential.server)).toBe('db/host@LAB.TEST')
    const verdict = verifyTicketPac(opened(credential), {
      serverKey: database.lookup(backend)!.keys[0]!,
      kdcKeys: database.lookup(ticketGrantingService('LAB.TEST'))!.keys,
    })
    expect(verdict).toMatchObject({
      state: 'verified',
      pac: { delegation: { target: 'db/host', transited: ['HTTP/www@LAB.TEST'] }, logonInfo: { userId: 1103 } },
    })
  })

  test('takes the ticket that a user showed for evidence', async () => {
    const alice = await realms.login('alice@LAB.TEST')
    const { credential } = await realms.go(tgsExchange({ tgt: alice, service: self }, realms.env))
    expect(formatPrincipal((await proxied(credential)).client)).toBe('alice@LAB.TEST')
  })

  test('goes nowhere else', async () => {
    const evidence = await selfTicket('alice')
    await refused(proxied(evidence, lab('files/host')), 'KDC_ERR_BADOPTION')
  })

  test('needs no forwardable evidence where the other service allows it (resource-based)', async () => {
    const plain = await realms.login('plain/www@LAB.TEST')
    const evidence = await selfTicket('alice', plain)
    expect(formatPrincipal((await proxied(evidence, lab('files/host'), plain)).client)).toBe('alice@LAB.TEST')
    await refused(proxied(evidence, backend, plain), 'KDC_ERR_BADOPTION')
  })

  test('is not for sensitive users, however it is allowed', async () => {
    const plain = await realms.login('plain/www@LAB.TEST')
    await refused(proxied(await selfTicket('vip')), 'KDC_ERR_BADOPTION')
    await refused(proxied(await selfTicket('vip', plain), lab('files/host'), plain), 'KDC_ERR_BADOPTION')
  })

  test('takes no evidence for another service', async () => {
    const alice = await realms.login('alice@LAB.TEST')
    const { credential } = await realms.go(tgsExchange({ tgt: alice, service: backend }, realms.env))
    await refused(proxied(credential), 'KDC_ERR_BADOPTION')
  })

  test('class 10, CVE-2020-17049 (Bronze Bit): evidence made forwardable by its holder is refused', async () => {
    const plain = await realms.login('plain/www@LAB.TEST')
    const flipped = resealed(await selfTicket('alice', plain), (part) => ({
      ...part,
      flags: new Set([...part.flags, 'forwardable' as const]),
    }))
    await refused(proxied(flipped, backend, plain), 'KRB_AP_ERR_MODIFIED')
  })

  test('class 8: evidence without a PAC proves nothing of its flags', async () => {
    const bare = resealed(await selfTicket('alice'), ({ authorizationData: _, ...part }) => part)
    await refused(proxied(bare), 'KRB_AP_ERR_MODIFIED')
  })
})

describe('S4U across realms', () => {
  beforeEach(async () => {
    const other = realms.realm('OTHER.TEST')
    other.add('bob', { password: 'x', ...few })
    other.add('disk/host', { allowedToActOnBehalf: ['HTTP/www@LAB.TEST'], ...few })
    realms.trust('LAB.TEST', 'OTHER.TEST')
  })
  const bob = parsePrincipal('bob@OTHER.TEST')

  test("gives a ticket of another realm's user, whose KDC is asked first", async () => {
    const { credential } = await realms.go(s4u2self({ tgt, user: bob }, realms.env))
    expect(formatPrincipal(credential.client)).toBe('bob@OTHER.TEST')
    expect(opened(credential)).toMatchObject({ crealm: 'OTHER.TEST', cname: { nameString: ['bob'] } })
    expect(realms.sent.slice(-3)).toEqual(['LAB.TEST', 'OTHER.TEST', 'LAB.TEST'])
  })

  test('believes nobody who says so without that KDC', async () => {
    const extension: TgsExtension = { padata: () => [paForUser(bob, tgt.key)], clientOf: () => bob }
    const asked = { tgt, service: self, canonicalize: true, clockOffset: 0, extension }
    await refused(realms.go(requestTicket(asked, realms.env)), 'KDC_ERR_BADOPTION')
  })

  test('acts to a service of another realm that allows it (resource-based)', async () => {
    const evidence = await selfTicket('alice')
    const credential = await proxied(evidence, parsePrincipal('disk/host@OTHER.TEST'))
    expect(formatPrincipal(credential.client)).toBe('alice@LAB.TEST')
    expect(formatPrincipal(credential.server)).toBe('disk/host@OTHER.TEST')
  })
})

describe('user-to-user (RFC 4120 §2.9.2)', () => {
  test("is followed when the KDC demands it and the peer's ticket is at hand", async () => {
    database.add('desktop', { password: 'x', userToUserOnly: true, ...few })
    const peer = await realms.login('desktop@LAB.TEST')
    const service = lab('desktop')
    await refused(realms.go(tgsExchange({ tgt, service }, realms.env)), 'KDC_ERR_MUST_USE_USER2USER')
    const { credential } = await realms.go(tgsExchange({ tgt, service, secondTicket: peer.ticket }, realms.env))
    expect(credential.secondTicket).toEqual(peer.ticket)
    expect(sealedTicket.open(peer.key, decode(Ticket, credential.ticket).encPart).cname.nameString).toEqual([
      'HTTP',
      'www',
    ])
  })

  test("class 10: the ticket beside the request must be the service's own", async () => {
    const options = ['encTktInSkey'] as const
    const asked = { tgt, service: lab('alice'), options, secondTicket: tgt.ticket }
    await refused(realms.go(tgsExchange(asked, realms.env)), 'KDC_ERR_SERVER_NOMATCH')
  })
})

describe('what the client wants in a ticket', () => {
  const address = { addrType: addressTypes.ipv4, address: Uint8Array.of(10, 0, 0, 1) }
  test('a forwarded ticket is good from the addresses asked for (RFC 4120 §2.6)', async () => {
    const options = ['forwarded', 'forwardable'] as const
    const { credential } = await realms.go(
      tgsExchange({ tgt, service: tgt.server, options, addresses: [address] }, realms.env),
    )
    expect([...credential.flags]).toEqual(expect.arrayContaining(['forwarded', 'forwardable']))
    expect(credential.addresses).toEqual([address])
  })

  test('authorization data travels encrypted and arrives; a PAC of its own making does not', async () => {
    const own = { adType: 1000, adData: Uint8Array.of(1, 2, 3) }
    const authorizationData = [own, { adType: adTypes.win2kPac, adData: Uint8Array.of(0) }]
    const { credential } = await realms.go(tgsExchange({ tgt, service: backend, authorizationData }, realms.env))
    const data = opened(credential).authorizationData!
    expect(data).toContainEqual(own)
    expect(data.filter(({ adType }) => adType === adTypes.win2kPac)).toEqual([])
  })

  test('an enctype is asked for alone first, and all of them when the service has none such', async () => {
    const enctypes = realms.env.enctypes.filter(({ id }) => id === 17)
    const before = realms.sent.length
    const { credential } = await realms.go(tgsExchange({ tgt, service: backend, enctypes }, realms.env))
    expect(credential.key.enctype.id).toBe(18)
    expect(realms.sent.length - before).toBe(2)
  })
})
