/** What an acceptor checks of tickets besides their seal: RFC 4120 §3.2.3 (user-to-user), §2.7 and §3.2.3 (realms on the way). */
import { beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import type { Credential, ServiceKey } from '../../../src/krb5/credential.ts'
import { shifted } from '../../../src/krb5/env.ts'
import { type Acceptor, acceptAp } from '../../../src/krb5/exchanges/accept.ts'
import { initiateAp } from '../../../src/krb5/exchanges/ap.ts'
import { tgsExchange } from '../../../src/krb5/exchanges/tgs.ts'
import { type EncTicketPart, Ticket } from '../../../src/krb5/messages/ticket.ts'
import { formatPrincipal, type Principal, parsePrincipal } from '../../../src/krb5/names.ts'
import { sealedTicket } from '../../../src/krb5/sealed.ts'
import { encodeTransited } from '../../../src/krb5/transited.ts'
import { few, Realms } from '../../support/realms.ts'

let realms: Realms
let alice: Credential
beforeEach(async () => {
  realms = new Realms()
  const database = realms.realm('LAB.TEST')
  for (const user of ['alice', 'desktop', 'laptop']) database.add(user, { password: 'x', ...few })
  database.add('HTTP/www', few)
  alice = await realms.login('alice@LAB.TEST')
})
const serviceKeys = (name = 'HTTP/www@LAB.TEST'): readonly ServiceKey[] => {
  const { principal, kvno, keys } = realms.databases.get('LAB.TEST')!.lookup(parsePrincipal(name))!
  return keys.map((key) => ({ principal, kvno, key }))
}
const bought = async (service: Principal, more: Partial<Parameters<typeof tgsExchange>[0]> = {}) =>
  (await realms.go(tgsExchange({ tgt: alice, service, ...more }, realms.env))).credential
const presented = (credential: Credential) => {
  using ap = initiateAp({ credential, mutual: false }, realms.env)
  return ap.message
}
const accepted = async (credential: Credential, acceptor: Acceptor) => {
  using found = await realms.go(acceptAp(presented(credential), acceptor, realms.env))
  return `${formatPrincipal(found.client)} -> ${formatPrincipal(found.server)}`
}

describe('a user-to-user ticket', () => {
  const toDesktop = async (peer: Credential) => {
    const asked = { options: ['encTktInSkey'] as const, secondTicket: peer.ticket }
    return bought(parsePrincipal('desktop@LAB.TEST'), asked)
  }

  test('is opened by the session key of the acceptor’s own ticket', async () => {
    const peer = await realms.login('desktop@LAB.TEST')
    const ticket = await toDesktop(peer)
    expect(await accepted(ticket, { keys: [], ownTickets: [peer] })).toBe('alice@LAB.TEST -> desktop@LAB.TEST')
    const both = { keys: serviceKeys(), ownTickets: [alice, peer] }
    expect(await accepted(ticket, both)).toBe('alice@LAB.TEST -> desktop@LAB.TEST')
  })

  test('is opened by no other ticket’s, nor by one that has expired, nor where nobody said so', async () => {
    const peer = await realms.login('desktop@LAB.TEST')
    const ticket = await toDesktop(peer)
    const another = await realms.login('laptop@LAB.TEST')
    const newer = await realms.login('desktop@LAB.TEST')
    await expect(accepted(ticket, { keys: [], ownTickets: [another] })).rejects.toMatchObject({
      code: 'KRB_AP_ERR_NOKEY',
    })
    await expect(accepted(ticket, { keys: [], ownTickets: [newer] })).rejects.toMatchObject({
      code: 'KRB_AP_ERR_MODIFIED',
    })
    for (const ownTickets of [undefined, [], [{ ...peer, endtime: 1 }]])
      await expect(accepted(ticket, { keys: serviceKeys(), ownTickets })).rejects.toMatchObject({
        code: 'KRB_AP_ERR_NOKEY',
        message: expect.stringContaining('user-to-user'),
      })
  })

  test('is held to the addresses that it names', async () => {
    const peer = await realms.login('desktop@LAB.TEST')
    const ticket = await toDesktop(peer)
    const der = decode(Ticket, ticket.ticket)
    const address = (last: number) => ({ addrType: 2, address: Uint8Array.of(10, 0, 0, last) })
    const part = { ...sealedTicket.open(peer.key, der.encPart), caddr: [address(1)] }
    const named = {
      ...ticket,
      ticket: encode(Ticket, { ...der, encPart: sealedTicket.seal(peer.key, part, realms.env) }),
    }
    const from = (last: number) => accepted(named, { keys: [], ownTickets: [peer], peerAddress: address(last) })
    expect(await from(1)).toBe('alice@LAB.TEST -> desktop@LAB.TEST')
    await expect(from(2)).rejects.toMatchObject({ code: 'KRB_AP_ERR_BADADDR' })
  })

  test('needs the option in the AP-REQ: long-term keys open no session-key tickets, and the other way round', async () => {
    const peer = await realms.login('desktop@LAB.TEST')
    const { secondTicket: _, ...unsaid } = await toDesktop(peer)
    const ownTickets = [peer]
    await expect(accepted(unsaid, { keys: serviceKeys(), ownTickets })).rejects.toMatchObject({
      code: 'KRB_AP_ERR_NOKEY',
    })
    const plain = await bought(parsePrincipal('HTTP/www@LAB.TEST'))
    const lying = { ...plain, secondTicket: peer.ticket }
    await expect(accepted(lying, { keys: serviceKeys(), ownTickets })).rejects.toMatchObject({
      code: 'KRB_AP_ERR_NOKEY',
    })
  })
})

describe('a ticket that came through other realms', () => {
  const key = () => serviceKeys()[0]!
  const via = async (realm: string[], flagged: boolean) => {
    const credential = await bought(parsePrincipal('HTTP/www@LAB.TEST'))
    const ticket = decode(Ticket, credential.ticket)
    const part = sealedTicket.open(key().key, ticket.encPart)
    const changed: EncTicketPart = {
      ...part,
      crealm: 'FAR.TEST',
      transited: encodeTransited(realm),
      flags: new Set(flagged ? ['transitedPolicyChecked'] : []),
    }
    const encPart = sealedTicket.seal(key().key, changed, realms.env, key().kvno)
    const client = { ...credential.client, realm: 'FAR.TEST' }
    return { ...credential, client, ticket: encode(Ticket, { ...ticket, encPart }) }
  }
  const acceptor = () => ({ keys: serviceKeys() })

  test('that are not on the way is refused (RFC 4120 §2.7)', async () =>
    expect(accepted(await via(['EVIL.TEST'], false), acceptor())).rejects.toMatchObject({
      code: 'KRB_AP_PATH_NOT_ACCEPTED',
    }))

  test('is taken where the KDC has checked them (TRANSITED-POLICY-CHECKED)', async () =>
    expect(await accepted(await via(['EVIL.TEST'], true), acceptor())).toBe('alice@FAR.TEST -> HTTP/www@LAB.TEST'))

  test('is taken unflagged where they are on the way, by their names or by [capaths]', async () => {
    expect(await accepted(await via(['TEST'], false), acceptor())).toBe('alice@FAR.TEST -> HTTP/www@LAB.TEST')
    const knowing = { ...realms.env, paths: () => ['HUB.ORG'] }
    const ticket = presented(await via(['HUB.ORG'], false))
    using found = await realms.go(acceptAp(ticket, acceptor(), knowing))
    expect(formatPrincipal(found.client)).toBe('alice@FAR.TEST')
  })
})

describe('a clock that is not ours (clockskew)', () => {
  const late = async (secondsOff: number, clockSkew?: number) => {
    const credential = await bought(parsePrincipal('HTTP/www@LAB.TEST'))
    using ap = initiateAp({ credential, mutual: false }, shifted(realms.env, secondsOff * 1e6))
    const acceptor = { keys: serviceKeys() }
    using found = await realms.go(acceptAp(ap.message, acceptor, { ...realms.env, clockSkew }))
    return formatPrincipal(found.client)
  }
  const skewed = { code: 'KRB_AP_ERR_SKEW' }

  test('may be off by five minutes unless less is said', async () => {
    expect(await late(-290)).toBe('alice@LAB.TEST')
    await expect(late(-290, 60e6)).rejects.toMatchObject(skewed)
    expect(await late(-50, 60e6)).toBe('alice@LAB.TEST')
  })

  test('may never be off by more than replay caches remember', () =>
    expect(late(-310, 3600e6)).rejects.toMatchObject(skewed))
})
