/** pkinit_cert_match (krb5.conf(5)); test/interop/pkinit.test.ts asks MIT's kinit the same. */
import { describe, expect, test } from 'vitest'
import { certificateRule } from '../../src/store/certificaterule.ts'
import { ConfigError } from '../../src/store/error.ts'

const facts = {
  subject: 'DC=gov,O=DoE,CN=alice',
  issuer: 'DC=gov,O=DoE,CN=CA 1',
  names: ['alice@EXAMPLE.COM', 'alice.a@example.com'],
  purposes: ['1.3.6.1.4.1.311.20.2.2', '1.3.6.1.5.5.7.3.2'],
  usages: new Set(['digitalSignature']),
}

describe('a rule', () => {
  test.each([
    ['||<SUBJECT>.*DoE.*<SAN>.*@EXAMPLE.COM', true],
    ['&&<EKU>msScLogin,clientAuth<ISSUER>.*DoE.*', true],
    ['<EKU>msScLogin,clientAuth<KU>digitalSignature', true],
    ['<SAN>^alice\\.a@', true],
    ['<SUBJECT>CN=(alice|bob)$', true],
    ['<SUBJECT>^CN=', false],
    ['<SUBJECT>a<b', false],
    ['<EKU>pkinit', false],
    ['<EKU>msScLogin,emailProtection', false],
    ['<KU>keyEncipherment', false],
    ['<KU>digitalSignature,keyEncipherment', false],
    ['||<KU>keyEncipherment<EKU>clientAuth', true],
    ['&&<KU>keyEncipherment<EKU>clientAuth', false],
    ['<SUBJECT>', true],
  ])('%s: %s', (rule, holds) => expect(certificateRule(rule)(facts)).toBe(holds))

  test.each([
    '',
    '&&',
    'CN=alice',
    '<NONE>x',
    ' &&<SUBJECT>x',
    '<SUBJECT>(',
    '<EKU>',
    '<EKU>constructor',
    '<KU>keyCertSign',
    `<SUBJECT>${'x'.repeat(600)}`,
    `${'<SUBJECT>x'.repeat(500)}`,
  ])('%s is none', (rule) => expect(() => certificateRule(rule)).toThrow(ConfigError))

  test('that would take for ever is given up', () => {
    const rule = certificateRule('<SUBJECT>((a*)*b?){200}c')
    expect(() => rule({ ...facts, subject: 'a'.repeat(5000) })).toThrow(ConfigError)
  })
})
