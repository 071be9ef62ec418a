/** PACs of our own making, beside those of Windows and Samba (vectors/windows_pac.json, vectors/generated_pac.json). */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import { authorizationOf } from '../../../src/krb5/pac/authorization.ts'
import type { LogonInfo } from '../../../src/krb5/pac/logoninfo.ts'
import { decodePac, encodeContent, type PacContent } from '../../../src/krb5/pac/pac.ts'
import { buildPac, layOutPac, signGrantingTicket, signTicket } from '../../../src/krb5/pac/sign.ts'
import { findPac } from '../../../src/krb5/pac/ticket.ts'
import { verifyTicketPac } from '../../../src/krb5/pac/verify.ts'
import { fixedEnv } from '../../support/env.ts'
import { recorded, recording, windows2003, windows2022 } from './recorded.ts'

const { random } = fixedEnv()
const keys = (enctype = enctypes[0]!) => ({
  serverKey: Key.generate(enctype, random),
  kdcKey: Key.generate(enctypes[0]!, random),
})
const domain = 'S-1-5-21-1-2-3'

const logonInfo: LogonInfo = {
  logonTime: 1_800_000_000,
  logoffTime: 'never',
  kickOffTime: 'never',
  passwordLastSet: 'unset',
  passwordCanChange: 1_700_000_000,
  passwordMustChange: 'never',
  effectiveName: 'jörg',
  fullName: 'Jörg 😀 \ud800',
  logonScript: '',
  profilePath: 'x'.repeat(255),
  homeDirectory: '\\\\srv\\home',
  homeDirectoryDrive: 'H:',
  logonCount: 65_535,
  badPasswordCount: 1,
  userId: 1103,
  primaryGroupId: 513,
  groupIds: [
    { rid: 1200, attributes: 7 },
    { rid: 513, attributes: 7 },
    { rid: 1300, attributes: 0x10 },
  ],
  userFlags: 0x220,
  logonServer: 'DC1',
  logonDomainName: 'DOM',
  logonDomainId: domain,
  userAccountControl: 0x10,
  subAuthStatus: 0,
  lastSuccessfulLogon: 'unset',
  lastFailedLogon: 'unset',
  failedLogonCount: 4_294_967_295,
  extraSids: [{ sid: 'S-1-18-1', attributes: 7 }],
  resourceGroupDomainSid: 'S-1-5-21-9-9-9',
  resourceGroupIds: [{ rid: 7, attributes: 0x2000_0007 }],
}
const content: PacContent = {
  logonInfo,
  credentials: new Uint8Array(19).fill(5),
  clientInfo: { name: 'alice', authtime: 1_795_824_014 },
  delegation: { target: 'svc2/localhost', transited: ['svc1@A.TEST', ''] },
  upnDns: { upn: 'jörg@a.test', dnsDomainName: 'A.TEST', constructed: true, samName: 'jörg', sid: `${domain}-1103` },
  clientClaims: [{ source: 1, claims: [{ id: 'ad://ext/x', type: 'string', values: ['a', 'b'] }] }],
  deviceInfo: {
    userId: 1500,
    primaryGroupId: 515,
    accountDomainId: domain,
    accountGroupIds: [{ rid: 515, attributes: 7 }],
    extraSids: [{ sid: 'S-1-18-1', attributes: 7 }],
    domainGroups: [
      { domainId: 'S-1-5-21-7-7-7', groupIds: [{ rid: 1, attributes: 7 }] },
      { domainId: 'S-1-5-21-8-8-8', groupIds: [] },
    ],
  },
  deviceClaims: [],
  attributes: { requested: true, implicit: false },
  requestor: `${domain}-1103`,
}
const { ticket: whole } = recording('s417 alice HTTP/svc.ad.test@AD.TEST')
const { authorizationData: _, ...bare } = { ...whole, authtime: 1_795_824_014 }

describe('a PAC', () => {
  test('says what it was told to say', () => {
    const { signatures, buffers, octets, ...read } = decodePac(buildPac(content, keys()))
    expect(read).toEqual(content)
    expect(buffers.map(({ type }) => type)).toEqual([1, 2, 10, 11, 12, 13, 14, 15, 17, 18, 6, 7])
  })

  test('says little where little is told', () => {
    const little: PacContent = {
      clientInfo: { name: '', authtime: 'unset' },
      upnDns: { upn: '', dnsDomainName: '', constructed: false },
      delegation: { target: '', transited: [] },
    }
    expect(decodePac(buildPac(little, keys()))).toMatchObject(little)
  })

  test('keeps the buffers that nobody knows', () => {
    const buffers = [...encodeContent(content), { type: 99, octets: new Uint8Array(3).fill(1) }]
    expect(decodePac(buildPac(buffers, keys())).buffers.find(({ type }) => type === 99)?.octets).toEqual(
      new Uint8Array(3).fill(1),
    )
  })

  test('that was laid out once is signed for one ticket after the other, and for nothing that it was not laid out for', () => {
    const signers = { ...keys(), rodcIdentifier: 0x0201 }
    const form = layOutPac(content, signers, false)
    for (const ticket of [Uint8Array.of(1), Uint8Array.of(2)])
      expect(buildPac(form, signers, ticket)).toEqual(buildPac(content, signers, ticket))
    expect(() => buildPac(form, signers)).toThrow(TypeError)
    const [, other] = enctypes
    expect(() => buildPac(form, { ...signers, serverKey: Key.generate(other!, random) }, Uint8Array.of(1))).toThrow(
      TypeError,
    )
  })

  test('is refused before it is made when it cannot be held', () => {
    const refused = (more: Partial<LogonInfo>) => () => encodeContent({ logonInfo: { ...logonInfo, ...more } })
    expect(refused({ effectiveName: 'x'.repeat(40_000) })).toThrow(RangeError)
    expect(refused({ logonDomainId: 'S-2' })).toThrow(TypeError)
    expect(refused({ logonTime: 0.5 })).toThrow(RangeError)
    const upnDns = { upn: 'x'.repeat(30_000), dnsDomainName: 'y'.repeat(9_000), constructed: false }
    expect(() => encodeContent({ upnDns })).toThrow(RangeError)
  })
})

describe('a ticket', () => {
  const signed = [...enctypes, ...deprecatedEnctypes]
  test.each(signed)('for a service with a key of $name is signed four times and verified', (enctype) => {
    const signers = keys(enctype)
    const authorizationData = signTicket(bare, content, signers)
    const verdict = verifyTicketPac({ ...bare, authorizationData }, { ...signers, kdcKeys: [signers.kdcKey] })
    expect(verdict).toMatchObject({ state: 'verified', pac: { logonInfo: { effectiveName: 'jörg' } } })
  })

  test('keeps what else it authorizes', () => {
    const signers = keys()
    const other = { adType: 1, adData: Uint8Array.of(0x30, 0) }
    const ticket = { ...bare, authorizationData: [other] }
    const authorizationData = signTicket(ticket, content, signers)
    expect(authorizationData[1]).toEqual(other)
    const kdcKeys = [signers.kdcKey]
    expect(verifyTicketPac({ ...ticket, authorizationData }, { ...signers, kdcKeys })).toMatchObject({
      state: 'verified',
    })
    expect(() => signTicket({ ...ticket, authorizationData }, content, signers)).toThrow('has a PAC already')
  })

  test('signed by a read-only domain controller tells which', () => {
    const signers = { ...keys(), rodcIdentifier: 0x1234 }
    const authorizationData = signTicket(bare, content, signers)
    const verdict = verifyTicketPac({ ...bare, authorizationData }, { ...signers, kdcKeys: [signers.kdcKey] })
    expect(verdict).toMatchObject({
      state: 'verified',
      pac: {
        signatures: {
          kdc: { rodcIdentifier: 0x1234 },
          ticket: { rodcIdentifier: 0x1234 },
          full: { rodcIdentifier: 0x1234 },
        },
      },
    })
    expect(verdict).not.toMatchObject({ pac: { signatures: { server: { rodcIdentifier: expect.anything() } } } })
  })

  test('that grants tickets is signed twice', () => {
    const { kdcKey } = keys()
    const authorizationData = signGrantingTicket(content, { serverKey: kdcKey, kdcKey })
    const ticket = { ...bare, authorizationData }
    expect(verifyTicketPac(ticket, { serverKey: kdcKey, kdcKeys: [kdcKey], required: [] })).toMatchObject({
      state: 'verified',
    })
  })

  test('is verified with any of several keys of the KDC, of the signature’s enctype', () => {
    const signers = keys()
    const ticket = { ...bare, authorizationData: signTicket(bare, content, signers) }
    const others = [keys().kdcKey, Key.generate(enctypes[1]!, random)]
    const verify = (kdcKeys: readonly Key[]) => verifyTicketPac(ticket, { serverKey: signers.serverKey, kdcKeys })
    expect(verify([...others, signers.kdcKey]).state).toBe('verified')
    expect(verify(others)).toMatchObject({ state: 'invalid', error: { path: 'kdc signature' } })
  })
})

describe('what others made', () => {
  test('Windows signs the ticket as we do', () => {
    const { ticket, serverKey, kdcKeys } = windows2022
    const { authorizationData, ...bare } = ticket
    const { buffers, signatures } = decodePac(findPac(authorizationData)!.octets)
    const ours = signTicket(bare, buffers, { serverKey, kdcKey: kdcKeys[0]! })
    expect(decodePac(findPac(ours)!.octets).signatures.ticket).toEqual(signatures.ticket)
    expect(verifyTicketPac({ ...bare, authorizationData: ours }, { serverKey, kdcKeys })).toMatchObject({
      state: 'verified',
    })
  })

  /** Strings of Windows have room for a NUL that is not sent, and its pointers have numbers of their own. */
  test('is read, written and read again the same', () => {
    for (const { ticket } of [...recorded, windows2003, windows2022]) {
      const found = findPac(ticket.authorizationData)
      if (!found) continue
      const { signatures, buffers, octets, ...read } = decodePac(found.octets)
      const again = decodePac(buildPac(read, keys()))
      expect(again).toMatchObject(read)
    }
  })

  test.each([
    's417 proxy svc2/localhost@AD.TEST',
    's417 alice krbtgt/AD.TEST@AD.TEST',
    's422 alice HTTP/svc.ad.test@AD.TEST',
  ])('is written as Samba writes it, to the octet: %s', (id) => {
    // Logon information aside: there Samba has parts of seconds, and room for a NUL that is not sent.
    const { logonInfo, upnDns, clientClaims, buffers, ...read } = decodePac(
      findPac(recording(id).ticket.authorizationData)!.octets,
    )
    for (const { type, octets } of encodeContent(read))
      expect(`${type} ${toHex(octets)}`).toBe(
        `${type} ${toHex(buffers.find((buffer) => buffer.type === type)!.octets)}`,
      )
  })
})

describe('authorization', () => {
  const signers = keys()
  const ticketOf = (more: Partial<LogonInfo> = {}) => ({
    ...bare,
    authorizationData: signTicket(bare, { ...content, logonInfo: { ...logonInfo, ...more } }, signers),
  })
  const all = { serverKey: signers.serverKey, kdcKeys: [signers.kdcKey] }

  test('gives the groups once each, the primary one first, those for denial aside', () =>
    expect(authorizationOf(verifyTicketPac(ticketOf(), all))).toEqual({
      user: `${domain}-1103`,
      groups: [`${domain}-513`, `${domain}-1200`, 'S-1-18-1', 'S-1-5-21-9-9-9-7'],
      denied: [`${domain}-1300`],
      claims: content.clientClaims,
    }))

  test('gives no SIDs whose flag is not set (MS-PAC §2.5)', () =>
    expect(authorizationOf(verifyTicketPac(ticketOf({ userFlags: 0 }), all)).groups).toEqual([
      `${domain}-513`,
      `${domain}-1200`,
    ]))

  test('names a user of no domain by the first extra SID', () => {
    const sid = 'S-1-5-21-4-4-4-500'
    const foreign = { ...logonInfo, userId: 0, extraSids: [{ sid, attributes: 7 }] }
    const { requestor: _, upnDns: _u, ...less } = content
    const ticket = { ...bare, authorizationData: signTicket(bare, { ...less, logonInfo: foreign }, signers) }
    expect(authorizationOf(verifyTicketPac(ticket, all)).user).toBe(sid)
  })

  test('fails closed', () => {
    const partial = verifyTicketPac(ticketOf(), { serverKey: signers.serverKey })
    expect(() => authorizationOf(partial)).toThrow(/KDC's signatures were not verified/)
    expect(authorizationOf(partial, { accept: 'partial' }).user).toBe(`${domain}-1103`)
    expect(() => authorizationOf({ state: 'absent' }, { accept: 'partial' })).toThrow(/nothing is authorized/)
    const wrong = verifyTicketPac(ticketOf(), { serverKey: signers.kdcKey })
    expect(wrong.state).toBe('invalid')
    expect(() => authorizationOf(wrong, { accept: 'partial' })).toThrow(/server signature/)
  })
})
