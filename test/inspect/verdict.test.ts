/** What is said of PACs with few keys and with many: tickets of MIT krb5 1.20.1, Samba 4.22 and Windows Server 2022. */
import { describe, expect, test } from 'vitest'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { formatVerdict, verdictOf } from '../../src/inspect/verdict.ts'
import { verifyTicketPac } from '../../src/krb5/pac/verify.ts'
import { type Recorded, recording, windows2022 } from '../krb5/pac/recorded.ts'
import { fixedEnv } from '../support/env.ts'

const said = ({ ticket, serverKey }: Recorded, kdcKeys: readonly Key[]) =>
  formatVerdict(verdictOf(ticket, serverKey, kdcKeys))
const mit = recording('mit alice HTTP/localhost@LAB.TEST')
const samba = recording('s422 alice HTTP/svc.ad.test@AD.TEST')
const granting = recording('s422 alice krbtgt/AD.TEST@AD.TEST')
const unchecked = ', for want of the key of the ticket-granting service'

describe('a verdict says which signatures were verified', () => {
  test.each([
    [windows2022, 'verified: server, kdc, ticket, full signatures verified'],
    [samba, 'verified: server, kdc, ticket, full signatures verified'],
    [mit, 'verified: server, kdc, ticket signatures verified; no full signature'],
    [granting, 'verified: server, kdc signatures verified; no ticket, full signatures'],
  ])('with all keys: $id', (recorded, words) => expect(said(recorded, recorded.kdcKeys)).toBe(words))

  test('and which could not be, without those of the KDC', () => {
    expect(said(samba, [])).toBe(
      `partial: server signature verified; kdc, ticket, full signatures not checked${unchecked}`,
    )
    expect(said(mit, [])).toBe(
      `partial: server signature verified; kdc, ticket signatures not checked${unchecked}; no full signature`,
    )
  })

  test('or with one of another enctype alone', () => {
    const { random } = fixedEnv()
    const others = enctypes
      .filter(({ id }) => id !== samba.kdcKeys[0]!.enctype.id)
      .map((enctype) => Key.generate(enctype, random))
    expect(said(samba, others)).toMatch(/^partial: server signature verified; /)
  })

  test('and that one is bad, where a key that should fit does not', () => {
    const { random } = fixedEnv()
    const wrong = Key.generate(samba.kdcKeys[0]!.enctype, random)
    expect(said(samba, [wrong])).toMatch(/^invalid: .*kdc signature.*does not match/)
    expect(said({ ...samba, serverKey: wrong }, samba.kdcKeys)).toMatch(/^invalid: .*server signature.*does not match/)
    expect(formatVerdict(verdictOf({ ...samba.ticket, authorizationData: [] }, samba.serverKey, []))).toBe('absent')
  })
})

test('the library tells the same apart (kerb/krb5/pac)', () => {
  const { ticket, serverKey, kdcKeys } = samba
  expect(verifyTicketPac(ticket, { serverKey, kdcKeys })).toMatchObject({
    verified: ['server', 'kdc', 'ticket', 'full'],
  })
  expect(verifyTicketPac(ticket, { serverKey })).toMatchObject({ verified: ['server'] })
})
