/** PACs that other people made: vectors/generated_pac.json (MIT 1.20.1, Samba 4.17 and 4.22), vectors/windows_pac.json. */
import { describe, expect, test } from 'vitest'
import { authorizationOf } from '../../../src/krb5/pac/authorization.ts'
import type { Pac } from '../../../src/krb5/pac/pac.ts'
import { verifyTicketPac } from '../../../src/krb5/pac/verify.ts'
import { type Recorded, recorded, recording, windows2003, windows2022 } from './recorded.ts'

const verdictOf = ({ ticket, ...keys }: Recorded, required?: readonly ('ticket' | 'full')[]) =>
  verifyTicketPac(ticket, { ...keys, ...(required ? { required } : {}) })
const pacOf = (recording: Recorded): Pac => {
  const verdict = verdictOf(recording, [])
  if (verdict.state !== 'verified') throw new TypeError(`${recording.id} is ${verdict.state}`)
  return verdict.pac
}

describe('every signature of the recorded tickets', () => {
  const withPac = recorded.filter(({ id }) => !/nopac\/|nopac HTTP/.test(id))
  test('is there to be tried on', () => expect(withPac.length).toBeGreaterThan(12))
  test.each([...withPac, windows2003, windows2022])('$id', (recording) => {
    expect(verdictOf(recording, [])).toMatchObject({ state: 'verified' })
    expect(verifyTicketPac(recording.ticket, { serverKey: recording.serverKey })).toMatchObject({ state: 'partial' })
  })

  test.each([
    's417 alice HTTP/svc.ad.test@AD.TEST',
    's417 proxy svc2/localhost@AD.TEST',
    's422 alice HTTP/svc.ad.test@AD.TEST',
  ])('%s has all four that are required', (id) => expect(verdictOf(recording(id))).toMatchObject({ state: 'verified' }))

  test('of Windows Server 2022 are four', () => expect(verdictOf(windows2022)).toMatchObject({ state: 'verified' }))

  test('of MIT 1.20 are too few where the full one is required, as it is unless said', () => {
    const verdict = verdictOf(recording('mit alice HTTP/localhost@LAB.TEST'))
    expect(verdict).toMatchObject({ state: 'invalid', error: { path: 'full signature', reason: 'missing' } })
    expect(verdictOf(recording('mit alice HTTP/localhost@LAB.TEST'), ['ticket'])).toMatchObject({ state: 'verified' })
  })

  test('of a ticket-granting ticket are too few where the ticket is to be signed', () => {
    const verdict = verdictOf(recording('s417 alice krbtgt/AD.TEST@AD.TEST'))
    expect(verdict).toMatchObject({ state: 'invalid', error: { path: 'ticket signature', reason: 'missing' } })
  })
})

test('tickets without a PAC are told from those with a wrong one', () => {
  for (const id of ['mit nopacsvc nopac/localhost@LAB.TEST', 's417 nopac HTTP/svc.ad.test@AD.TEST'])
    expect(verdictOf(recording(id))).toEqual({ state: 'absent' })
})

describe('what Samba says of alice', () => {
  const { logonInfo, clientInfo, upnDns, delegation, clientClaims, signatures } = pacOf(
    recording('s422 proxy svc2/localhost@AD.TEST'),
  )
  const domain = 'S-1-5-21-357651206-2948158097-494653529'

  test('is who she is', () =>
    expect(logonInfo).toMatchObject({
      logonTime: 1795824015,
      logoffTime: 'never',
      lastSuccessfulLogon: 'unset',
      effectiveName: 'alice',
      fullName: '',
      logonServer: 'DC1',
      logonDomainName: 'ADDOM',
      logonDomainId: domain,
      userId: 1103,
      primaryGroupId: 513,
      userAccountControl: 0x10,
      groupIds: [513, 1119, 1136].map((rid) => ({ rid, attributes: 7 })),
      extraSids: ['S-1-18-2', 'S-1-5-21-0-0-0-497'].map((sid) => ({ sid, attributes: 7 })),
      resourceGroupDomainSid: domain,
      resourceGroupIds: [{ rid: 1137, attributes: 0x2000_0007 }],
    }))
  test('is when she logged on', () => expect(clientInfo).toEqual({ authtime: 1795824048, name: 'alice' }))
  test('is her other name', () =>
    expect(upnDns).toEqual({
      upn: 'alice@ad.test',
      dnsDomainName: 'AD.TEST',
      constructed: false,
      samName: 'alice',
      sid: `${domain}-1103`,
    }))
  test('is who acts for her', () =>
    expect(delegation).toEqual({ target: 'svc2/localhost', transited: ['svc-svc1@AD.TEST'] }))
  test('is no claim, in an empty buffer', () => expect(clientClaims).toEqual([]))
  test('is signed by two parties', () =>
    expect(Object.keys(signatures).sort()).toEqual(['full', 'kdc', 'server', 'ticket']))
  test('is how the ticket-granting ticket got its PAC', () => {
    const { attributes, requestor } = pacOf(recording('s417 alice krbtgt/AD.TEST@AD.TEST'))
    expect(attributes).toEqual({ requested: false, implicit: true })
    expect(requestor).toBe('S-1-5-21-1867268475-1903403455-2052489195-1103')
  })

  test('authorizes her as herself and her groups', () =>
    expect(authorizationOf(verdictOf(recording('s422 proxy svc2/localhost@AD.TEST')))).toEqual({
      user: `${domain}-1103`,
      groups: [513, 1119, 1136]
        .map((rid) => `${domain}-${rid}`)
        .concat(['S-1-18-2', 'S-1-5-21-0-0-0-497', `${domain}-1137`]),
      denied: [],
      claims: [],
    }))
})

test('what Windows Server 2003 says of a computer', () => {
  expect(pacOf(windows2003)).toMatchObject({
    clientInfo: { name: 'w2003final$', authtime: 1120440609 },
    logonInfo: {
      effectiveName: 'W2003FINAL$',
      logonServer: 'W2003FINAL',
      logonDomainName: 'WIN2K3THINK',
      logonDomainId: 'S-1-5-21-3048156945-3961193616-3706469200',
      userId: 1005,
      primaryGroupId: 516,
      extraSids: [{ sid: 'S-1-5-9', attributes: 7 }],
      resourceGroupDomainSid: undefined,
    },
  })
})

test('what Windows Server 2022 says of an administrator', () => {
  const { user, groups } = authorizationOf(verdictOf(windows2022))
  expect(user).toMatch(/^S-1-5-21-\d+-\d+-\d+-500$/)
  expect(groups).toEqual(expect.arrayContaining([expect.stringMatching(/-513$/), expect.stringMatching(/-512$/)]))
})

test('what MIT says is the name and the time alone', () => {
  const { logonInfo, clientInfo, buffers } = pacOf(recording('mit alice HTTP/localhost@LAB.TEST'))
  expect([logonInfo, clientInfo?.name]).toEqual([undefined, 'alice'])
  expect(buffers.map(({ type }) => type)).toEqual([10, 16, 6, 7])
})
