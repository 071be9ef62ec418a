/** RFC 4537: a session key of an old enctype need not be what protects messages. */
import { describe, expect, test } from 'vitest'
import { encode } from '../../../src/asn1/codec.ts'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import type { Enctype } from '../../../src/crypto/enctypes/profile.ts'
import { deprecatedEnctypes, enctypeByName, enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import { heedsAcceptorSubkey } from '../../../src/gss/krb5/family.ts'
import { etypeNegotiation, negotiatedEtype } from '../../../src/gss/krb5/negotiatedetype.ts'
import { ifRelevant } from '../../../src/gss/krb5/relevant.ts'
import { AuthorizationData } from '../../../src/krb5/messages/basics.ts'
import { fixedEnv } from '../../support/env.ts'

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

test('a subkey of the acceptor is heeded but where RFC 1964 has none: of the initiator’s own old enctype, outside DCE style', () => {
  const [aes, rc4, des3] = ['aes256-cts', 'arcfour-hmac', 'des3-cbc-sha1'].map((name) => enctypeByName(name)!)
  const heeds = (one: Enctype, other: Enctype, dceStyle = false) =>
    heedsAcceptorSubkey(Key.generate(one, fixedEnv().random), other, dceStyle)
  expect([heeds(aes!, aes!), heeds(rc4!, aes!), heeds(rc4!, des3!), heeds(rc4!, rc4!, true)]).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect([heeds(rc4!, rc4!), heeds(des3!, des3!)]).toEqual([false, false])
})
