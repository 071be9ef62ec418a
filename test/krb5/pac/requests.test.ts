/** PA-PAC-REQUEST and PA-PAC-OPTIONS: octets worked out by hand from MS-KILE §2.2.3 and §2.2.10, not captured from a client. */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import { PaPacOptions, PaPacRequest } from '../../../src/krb5/messages/pac.ts'

describe('PA-PAC-REQUEST', () => {
  test.each([
    ['3005a0030101ff', true],
    ['3005a003010100', false],
  ])('%s', (hex, includePac) => {
    expect(decode(PaPacRequest, fromHex(hex))).toEqual({ includePac })
    expect(toHex(encode(PaPacRequest, { includePac }))).toBe(hex)
  })
})

test('PA-PAC-OPTIONS numbers its bits from the left', () => {
  const hex = '3009a00703050010000000'
  const kerberosFlags = new Set(['resourceBasedConstrainedDelegation'] as const)
  expect(decode(PaPacOptions, fromHex(hex))).toEqual({ kerberosFlags })
  expect(toHex(encode(PaPacOptions, { kerberosFlags }))).toBe(hex)
  expect(toHex(encode(PaPacOptions, { kerberosFlags: new Set(['claims'] as const) }))).toBe('3009a00703050080000000')
})
