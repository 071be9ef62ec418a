/** What `kerb klist --open` says of a ticket: one of Windows Server 2022 (vectors/windows_pac.json), and forgeries of it. */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { fromHex } from '../../src/bytes/index.ts'
import { openedLines } from '../../src/cli/opened.ts'
import { enctypeById } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import type { ServiceKey } from '../../src/krb5/credential.ts'
import { AuthorizationData } from '../../src/krb5/messages/basics.ts'
import { type EncTicketPart, Ticket } from '../../src/krb5/messages/ticket.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { fixedEnv } from '../support/env.ts'
import { vectors } from '../support/vectors.ts'

interface KeyVector {
  readonly etype: number
  readonly key: string
}
const { ticket: recorded } = vectors<{
  ticket: { ticket: string; server_key: KeyVector; kdc_keys: readonly KeyVector[] }
}>('windows_pac')
const held = (name: string, { etype, key }: KeyVector): ServiceKey => ({
  principal: parsePrincipal(name),
  kvno: 5,
  key: new Key(enctypeById(etype)!, fromHex(key)),
})
const service = held('cifs/w2022-118.w2022-l7.base@W2022-L7.BASE', recorded.server_key)
const krbtgt = recorded.kdc_keys.map((key) => held('krbtgt/W2022-L7.BASE@W2022-L7.BASE', key))
const ticket = decode(Ticket, fromHex(recorded.ticket))
const domain = 'S-1-5-21-133451344-1126667713-3548050118'

test('tells whose it is, what it may, and what its PAC says', () =>
  expect(openedLines(ticket, [...krbtgt, service])).toEqual([
    'Opened with: the aes256-cts-hmac-sha1-96 key of cifs/w2022-118.w2022-l7.base@W2022-L7.BASE, version 5',
    '  Client: administrator@W2022-L7.BASE, Flags: RAO, Session key: aes256-cts-hmac-sha1-96',
    '  Authorization data: 1 (ifRelevant) of 128 (win2kPac)',
    '  PAC: verified: server, kdc, ticket, full signatures verified',
    '    Logon name: W2022-L7\\Administrator',
    '    UPN: Administrator@w2022-l7.base',
    `    SID: ${domain}-500 (Administrator)`,
    `    Group: ${domain}-513 (Domain Users)`,
    `    Group: ${domain}-512 (Domain Admins)`,
    `    Group: ${domain}-520 (Group Policy Creator Owners)`,
    `    Group: ${domain}-518 (Schema Admins)`,
    `    Group: ${domain}-519 (Enterprise Admins)`,
    '    Group: S-1-18-1 (Authentication Authority Asserted Identity)',
    `    Group: ${domain}-572 (Denied RODC Password Replication Group)`,
  ]))

test("says what the service's key alone proves", () =>
  expect(openedLines(ticket, [service])).toContain(
    '  PAC: partial: server signature verified; kdc, ticket, full signatures not checked, for want of the key of the ticket-granting service',
  ))

test('says that no key fits, and no more', () => {
  expect(openedLines(ticket, krbtgt)).toEqual(['Opened with: no key at hand'])
  expect(openedLines(ticket, [])).toEqual(['Opened with: no key at hand'])
})

describe('a ticket that was forged', () => {
  const env = fixedEnv()
  const part = sealedTicket.open(service.key, ticket.encPart)
  const linesOf = (changes: Partial<EncTicketPart>) =>
    openedLines({ ...ticket, encPart: sealedTicket.seal(service.key, { ...part, ...changes }, env, 5) }, [service])

  test('has a PAC that says nothing', () => {
    const lines = linesOf({ cname: { nameType: 1, nameString: ['mallory'] } })
    expect(lines).toContain('  PAC: invalid: PAC.clientInfo.name: it names another client than the ticket')
    expect(lines.join()).not.toMatch(/Logon name|Group/)
  })
  test('is told of to a certain depth, and where it cannot be read', () => {
    let data: AuthorizationData = [{ adType: 7, adData: new Uint8Array(1) }]
    for (let i = 0; i < 200; i++) data = [{ adType: 1, adData: encode(AuthorizationData, data) }]
    const [, , line] = linesOf({ authorizationData: data })
    expect(line!.length).toBeLessThan(200)
    const odd = [{ adType: 1, adData: Uint8Array.of(0x30, 5, 0) }]
    expect(linesOf({ authorizationData: odd })).toContain('  Authorization data: 1 (ifRelevant), unreadable')
  })
  test('without authorization data has none, and no PAC', () => {
    const { authorizationData: _, ...bare } = part
    const encPart = sealedTicket.seal(service.key, bare, env, 5)
    expect(openedLines({ ...ticket, encPart }, [service]).slice(2)).toEqual([
      '  Authorization data: none',
      '  PAC: absent',
    ])
  })
})
