/** What is told of mechanisms (RFC 5587, RFC 5801); that MIT's library says the same stands in test/interop/gssfacts.test.ts. */
import { expect, test } from 'vitest'
import { attributeOid, mechanismOfSaslName, mechanisms, mechanismsWith, saslNameOf } from '../../src/gss/mechanisms.ts'
import { mechanismOids } from '../../src/gss/oids.ts'

test('a mechanism without a name for SASL has one made of its identifier (SPKM-1 of RFC 5801 §3.3)', () =>
  expect(saslNameOf('1.3.6.1.5.5.1.1')).toBe('GS2-DT4PIK22T6A'))

test('those that have one are found by it, with channel bindings, too', () => {
  for (const { oid, saslName } of mechanisms) {
    expect(saslNameOf(oid)).toBe(saslName)
    for (const name of [saslName, `${saslName}-PLUS`]) expect(mechanismOfSaslName(name)?.oid).toBe(oid)
  }
  expect(mechanismOfSaslName('GS2-DT4PIK22T6A')).toBeUndefined()
})

test('mechanisms are found by what they can do (GSS_Indicate_mechs_by_attrs)', () => {
  const { krb5, iakerb, spnego } = mechanismOids
  const found = (query: Parameters<typeof mechanismsWith>[0]) => mechanismsWith(query).map(({ oid }) => oid)
  expect(found({})).toEqual([krb5, iakerb, spnego])
  expect(found({ desired: ['concrete', 'wrap'], except: ['notDefault'] })).toEqual([krb5])
  expect(found({ desired: ['negotiates'] })).toEqual([spnego])
  expect(found({ desired: ['compression'] })).toEqual([])
  expect(attributeOid('contextTransfer')).toBe('1.3.6.1.5.5.13.27')
})
