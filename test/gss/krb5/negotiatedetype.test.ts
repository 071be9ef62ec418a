/** RFC 4537: a session key of an old enctype need not be what protects messages. */
import { describe, expect, test } from 'vitest'
import { encode } from '../../../src/asn1/codec.ts'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypeByName, enctypes } from '../../../src/crypto/enctypes/table.ts'
import { etypeNegotiation, negotiatedEtype } from '../../../src/gss/krb5/negotiatedetype.ts'
import { ifRelevant } from '../../../src/gss/krb5/relevant.ts'
import { AuthorizationData } from '../../../src/krb5/messages/basics.ts'

const all = [...enctypes, ...deprecatedEnctypes]
const rc4 = enctypeByName('rc4-hmac')!
const aes = enctypeByName('aes256-cts')!

describe('the enctype of the acceptor’s subkey (RFC 4537)', () => {
  test('is the best of both, whatever the session key is', () => {
    const said = ifRelevant(etypeNegotiation(all, rc4))
    expect(negotiatedEtype(said, all, rc4)).toBe(aes)
    expect(negotiatedEtype(said, [enctypeByName('aes128-sha2')!, rc4], rc4).name).toBe('aes128-cts-hmac-sha256-128')
    expect(negotiatedEtype(said, [rc4], rc4)).toBe(rc4)
  })

  test('is told by the numbers in decreasing preference (§3)', () =>
    expect(toHex(etypeNegotiation([aes, rc4], rc4)[0]!.adData)).toBe('3006020112020117'))

  test('needs no word when the session key’s is liked best', () => {
    expect(ifRelevant(etypeNegotiation(all, aes))).toBeUndefined()
    expect(negotiatedEtype(undefined, all, rc4)).toBe(rc4)
  })

  test.each([
    ['not a list', '0400'],
    ['of enctypes that nobody knows', '300402020100'],
    ['empty', '3000'],
    ['cut short', '30060201'],
  ])('is the session key’s when the list is %s', (_, hex) => {
    const element = [{ adType: 129, adData: fromHex(hex) }]
    expect(negotiatedEtype([{ adType: 1, adData: encode(AuthorizationData, element) }], all, rc4)).toBe(rc4)
    // Outside of AD-IF-RELEVANT it is nobody's word (§4).
    expect(negotiatedEtype([{ adType: 129, adData: fromHex('3003020112') }], all, rc4)).toBe(rc4)
  })
})
