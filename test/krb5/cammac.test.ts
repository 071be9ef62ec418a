/** CAMMACs (RFC 7751) and authentication indicators (RFC 8129) in a ticket of MIT's KDC: vectors/generated_pac.json. */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { toHex } from '../../src/bytes/index.ts'
import { authenticationIndicators, verifiedAuthorizationData } from '../../src/krb5/cammac.ts'
import { AuthorizationData } from '../../src/krb5/messages/basics.ts'
import { AdCammac } from '../../src/krb5/messages/cammac.ts'
import { recording } from './pac/recorded.ts'

const { ticket, serverKey, kdcKeys } = recording('mit pk pkonly/localhost@LAB.TEST')
const elements = (ticket.authorizationData ?? []).flatMap(({ adData }) => decode(AuthorizationData, adData))
const cammac = elements.find(({ adType }) => adType === 96)!.adData
const [kdcKey] = kdcKeys.filter(({ enctype }) => enctype.id === 18)
const inTicket = (value: AdCammac) => ({
  ...ticket,
  authorizationData: [
    { adType: 1, adData: encode(AuthorizationData, [{ adType: 96, adData: encode(AdCammac, value) }]) },
  ],
})

describe('authentication indicators', () => {
  test('are read with the key of the service', () =>
    expect(authenticationIndicators(ticket, { serverKey })).toEqual(['pkinit']))
  test('are read with the key of the KDC, whose verifier covers the ticket', () => {
    expect(authenticationIndicators(ticket, { kdcKey })).toEqual(['pkinit'])
    expect(authenticationIndicators({ ...ticket, endtime: ticket.endtime + 1 }, { kdcKey })).toEqual([])
  })
  test('are none without a key, or with another', () => {
    expect(authenticationIndicators(ticket, {})).toEqual([])
    expect(authenticationIndicators(ticket, { serverKey: kdcKey })).toEqual([])
  })
  test('outside of a CAMMAC are none', () => {
    const [bare] = decode(AdCammac, cammac).elements
    const adData = encode(AuthorizationData, [bare!])
    expect(bare!.adType).toBe(97)
    expect(
      authenticationIndicators({ ...ticket, authorizationData: [{ adType: 1, adData }] }, { serverKey, kdcKey }),
    ).toEqual([])
  })
  test('are none in a ticket that has no authorization data', () =>
    expect(authenticationIndicators(recording('mit nopacsvc nopac/localhost@LAB.TEST').ticket, { serverKey })).toEqual(
      [],
    ))
})

describe('a CAMMAC', () => {
  const value = decode(AdCammac, cammac)
  test('of MIT survives reading and writing', () => expect(toHex(encode(AdCammac, value))).toBe(toHex(cammac)))
  test('with other elements is not verified', () => {
    const [first] = value.elements
    const changed = { ...value, elements: [{ ...first!, adType: 98 }] }
    expect(verifiedAuthorizationData(inTicket(value), { serverKey })).toEqual(value.elements)
    expect(verifiedAuthorizationData(inTicket(changed), { serverKey, kdcKey })).toEqual([])
  })
  test('is not verified by a checksum that takes no key', () => {
    const { svcVerifier } = value
    const mac = { cksumtype: 7, checksum: new Uint8Array(16) }
    const changed = { ...value, svcVerifier: { ...svcVerifier!, mac } }
    expect(verifiedAuthorizationData(inTicket(changed), { serverKey })).toEqual([])
  })
  test('is verified by no octet string but its own', () => {
    for (let at = 0; at < cammac.length; at++) {
      const changed = new Uint8Array(cammac)
      changed[at]! ^= 1 << (at % 8)
      const authorizationData = [{ adType: 96, adData: changed }]
      for (const { adType, adData } of verifiedAuthorizationData({ ...ticket, authorizationData }, { serverKey }))
        expect([adType, toHex(adData)]).toEqual([value.elements[0]!.adType, toHex(value.elements[0]!.adData)])
    }
  })
})
