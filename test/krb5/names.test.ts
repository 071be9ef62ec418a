import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nameTypes } from '../../src/krb5/messages/codes.ts'
import { formatPrincipal, grantedRealm, hostService, parsePrincipal, samePrincipal } from '../../src/krb5/names.ts'

describe('principal names (RFC 1964 §2.1.3, krb5_parse_name)', () => {
  test.each([
    ['alice', ['alice'], 'LAB.TEST', nameTypes.principal],
    ['alice@OTHER', ['alice'], 'OTHER', nameTypes.principal],
    ['host/www.example.org@X', ['host', 'www.example.org'], 'X', nameTypes.principal],
    ['krbtgt/X@Y', ['krbtgt', 'X'], 'Y', nameTypes.serviceInstance],
    ['WELLKNOWN/ANONYMOUS', ['WELLKNOWN', 'ANONYMOUS'], 'LAB.TEST', nameTypes.wellknown],
    ['carol\\@corp.example', ['carol@corp.example'], 'LAB.TEST', nameTypes.principal],
    ['a\\/b/c', ['a/b', 'c'], 'LAB.TEST', nameTypes.principal],
    ['a\\tb', ['a\tb'], 'LAB.TEST', nameTypes.principal],
    ['with space', ['with space'], 'LAB.TEST', nameTypes.principal],
    ['jörg', ['jörg'], 'LAB.TEST', nameTypes.principal],
    ['a//b', ['a', '', 'b'], 'LAB.TEST', nameTypes.principal],
    ['alice@', ['alice'], '', nameTypes.principal],
  ])('reads %s', (text, components, realm, type) =>
    expect(parsePrincipal(text, { realm: 'LAB.TEST' })).toEqual({ components, realm, type }),
  )

  test('an enterprise name keeps its first @ (RFC 6806 §5)', () => {
    const type = nameTypes.enterprise
    expect(parsePrincipal('carol@corp.example', { realm: 'LAB.TEST', type })).toEqual({
      components: ['carol@corp.example'],
      realm: 'LAB.TEST',
      type,
    })
    expect(parsePrincipal('carol@corp.example@AD.TEST', { type }).realm).toBe('AD.TEST')
  })

  test.each(['', '@X', 'a@b@c', 'a\\', 'a\0b', 'a\\0b', '/'.repeat(40), 'x'.repeat(5000)])('refuses %j', (text) =>
    expect(() => parsePrincipal(text)).toThrow(TypeError),
  )

  test('what is written is read again', () => {
    const component = fc.string({ maxLength: 12, unit: 'grapheme' }).filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(fc.array(component, { minLength: 1, maxLength: 4 }), component, (components, realm) => {
        fc.pre(components.length > 1 || components[0] !== '')
        const read = parsePrincipal(formatPrincipal({ components, realm }), { realm: '' })
        expect(read).toMatchObject({ components, realm })
      }),
    )
  })

  test('the type is a hint and no part of the identity (RFC 4120 §6.2)', () => {
    const alice = parsePrincipal('alice@X')
    expect(samePrincipal(alice, { ...alice, type: nameTypes.unknown })).toBe(true)
    expect(samePrincipal(alice, { ...alice, realm: 'Y' })).toBe(false)
    expect(samePrincipal(parsePrincipal('a/b@X'), parsePrincipal('a\\/b@X'))).toBe(false)
  })

  test('a host-based service has its host in lower case, without the final dot', () =>
    expect(hostService('HTTP', 'WWW.Example.ORG.').components).toEqual(['HTTP', 'www.example.org']))

  test('only krbtgt/REALM grants tickets', () => {
    expect(grantedRealm(parsePrincipal('krbtgt/X@Y'))).toBe('X')
    expect(grantedRealm(parsePrincipal('krbtgt@Y'))).toBeUndefined()
    expect(grantedRealm(parsePrincipal('host/x@Y'))).toBeUndefined()
  })
})
