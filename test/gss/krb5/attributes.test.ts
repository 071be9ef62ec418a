/** What a context's ticket says of the initiator, in tickets of MIT and Samba (vectors/generated_pac.json). */
import { describe, expect, test } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { Key } from '../../../src/crypto/key.ts'
import { initiatorAttributes } from '../../../src/gss/krb5/attributes.ts'
import { Krb5Context, type OpenTicket } from '../../../src/gss/krb5/context.ts'
import { authorizationDataIn, ifRelevant } from '../../../src/gss/krb5/relevant.ts'
import type { AuthorizationData } from '../../../src/krb5/messages/basics.ts'
import { adTypes } from '../../../src/krb5/messages/codes.ts'
import type { EncTicketPart } from '../../../src/krb5/messages/ticket.ts'
import { authorizationOf } from '../../../src/krb5/pac/authorization.ts'
import { findPac } from '../../../src/krb5/pac/ticket.ts'
import { verifyTicketPac } from '../../../src/krb5/pac/verify.ts'
import { recorded, windows2022 } from '../../krb5/pac/recorded.ts'
import { fixedEnv } from '../../support/env.ts'

const withPac = [...recorded, windows2022].filter(({ ticket }) => findPac(ticket.authorizationData))
const { random } = fixedEnv()

/** A context with that ticket behind it: an acceptor's, unless said. */
const behind = (ticket: EncTicketPart, serverKey?: Key, locallyInitiated = false): Krb5Context => {
  const { enctype } = recorded[0]!.serverKey
  const opened: OpenTicket | undefined = serverKey && { part: ticket, serverKey }
  return new Krb5Context({
    initiator: { realm: ticket.crealm, type: 1, components: ticket.cname.nameString },
    target: { realm: ticket.crealm, type: 2, components: ['HTTP', 'www'] },
    locallyInitiated,
    flags: new Set(),
    ticket,
    opened,
    initiatorKey: Key.generate(enctype, random),
    sendSequence: 0,
    receiveSequence: 0,
    random,
  })
}

describe.each(withPac)('$id', ({ ticket, serverKey }) => {
  test('the PAC and its buffers, by the names of MIT’s library', () => {
    const { octets } = findPac(ticket.authorizationData)!
    const { named } = initiatorAttributes(behind(ticket, serverKey))!
    expect(named!.get('urn:mspac:')!.values).toEqual([{ octets, display: undefined }])
    expect([...named!.keys()]).toEqual(
      expect.arrayContaining(['urn:mspac:client-info', 'urn:mspac:server-checksum', 'urn:mspac:privsvr-checksum']),
    )
    for (const [name, { values }] of named!)
      if (/^urn:mspac:./.test(name)) expect(values[0]!.octets.length).toBeLessThan(octets.length)
    expect(named!.get('urn:mspac:client-info')!.values[0]!.display).toContain(ticket.cname.nameString[0])
    expect(authorizationDataIn(ticket.authorizationData, adTypes.win2kPac)).toEqual([octets])
  })

  test('is authenticated by the key that opened the ticket, and then says who is in which groups', () => {
    const { named, user, groups, denied } = initiatorAttributes(behind(ticket, serverKey))!
    const verdict = verifyTicketPac(ticket, { serverKey })
    const isGood = verdict.state === 'partial'
    for (const attribute of named!.values()) expect(attribute).toMatchObject({ authenticated: isGood, complete: true })
    const said = isGood ? authorizationOf(verdict, { accept: 'partial' }) : { user: undefined, groups: [], denied: [] }
    expect({ user, groups, denied }).toEqual({ user: said.user, groups: said.groups, denied: said.denied })
    const [logon] = named!.get('urn:mspac:logon-info')?.values ?? []
    if (isGood) expect(logon?.display).toBe(user)
  })

  test('is not, and says nothing, without that key or with another one; and nothing at all to the initiator', () => {
    const other = Key.generate(serverKey.enctype, random)
    for (const key of [undefined, other]) {
      const found = initiatorAttributes(behind(ticket, key))!
      expect(found).toMatchObject({ indicators: [], user: undefined, groups: [], denied: [] })
      expect([...found.named!.values()].map(({ authenticated }) => authenticated)).not.toContain(true)
      expect(found.named!.get('urn:mspac:')).toBeDefined()
    }
    expect(initiatorAttributes(behind(ticket, serverKey, true))).toBeUndefined()
  })
})

test('a ticket without a PAC, or with one that cannot be read, says nothing', () => {
  const { ticket, serverKey } = recorded[0]!
  for (const authorizationData of [
    undefined,
    [],
    [{ adType: adTypes.win2kPac, adData: concat() }],
    [{ adType: adTypes.ifRelevant, adData: Uint8Array.of(0x30, 5) }],
  ])
    expect(initiatorAttributes(behind({ ...ticket, authorizationData }, serverKey))).toBeUndefined()
})

test('what is nested without end is looked into four times', () => {
  let data: AuthorizationData = [{ adType: 99, adData: Uint8Array.of(1) }]
  for (let depth = 0; depth < 4; depth++) data = ifRelevant(data)!
  expect(authorizationDataIn(data, 99)).toEqual([Uint8Array.of(1)])
  expect(authorizationDataIn(ifRelevant(data), 99)).toEqual([])
})
