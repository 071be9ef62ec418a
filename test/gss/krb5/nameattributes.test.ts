/** What a context's ticket says of the initiator, in tickets of MIT and Samba (vectors/generated_pac.json). */
import { expect, test } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { nameAttributes } from '../../../src/gss/krb5/nameattributes.ts'
import { authorizationDataIn, ifRelevant } from '../../../src/gss/krb5/relevant.ts'
import type { AuthorizationData } from '../../../src/krb5/messages/basics.ts'
import { adTypes } from '../../../src/krb5/messages/codes.ts'
import { findPac } from '../../../src/krb5/pac/ticket.ts'
import { recorded } from '../../krb5/pac/recorded.ts'

const withPac = recorded.filter(({ ticket }) => findPac(ticket.authorizationData))

test.each(withPac)('$id: the PAC and its buffers, by the names of MIT’s library', ({ ticket }) => {
  const { octets } = findPac(ticket.authorizationData)!
  const attributes = nameAttributes({ ticket })
  expect(attributes.get('urn:mspac:')).toEqual(octets)
  expect([...attributes.keys()]).toEqual(
    expect.arrayContaining(['urn:mspac:client-info', 'urn:mspac:server-checksum', 'urn:mspac:privsvr-checksum']),
  )
  for (const [name, value] of attributes) if (name !== 'urn:mspac:') expect(value.length).toBeLessThan(octets.length)
  expect(authorizationDataIn(ticket.authorizationData, adTypes.win2kPac)).toEqual([octets])
})

test('a ticket without a PAC, or with one that cannot be read, says nothing', () => {
  const facts = recorded[0]!.ticket
  for (const authorizationData of [
    undefined,
    [],
    [{ adType: adTypes.win2kPac, adData: concat() }],
    [{ adType: adTypes.ifRelevant, adData: Uint8Array.of(0x30, 5) }],
  ])
    expect(nameAttributes({ ticket: { ...facts, authorizationData } }).size).toBe(0)
})

test('what is nested without end is looked into four times', () => {
  let data: AuthorizationData = [{ adType: 99, adData: Uint8Array.of(1) }]
  for (let depth = 0; depth < 4; depth++) data = ifRelevant(data)!
  expect(authorizationDataIn(data, 99)).toEqual([Uint8Array.of(1)])
  expect(authorizationDataIn(ifRelevant(data), 99)).toEqual([])
})
