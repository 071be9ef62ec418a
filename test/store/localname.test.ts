/** Local names of principals; test/interop/localname.test.ts asks MIT the same. */
import { Kerberos } from 'kerb'
import { localName as localUser, Name } from 'kerb/gss'
import { describe, expect, test } from 'vitest'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { readConfig } from '../../src/store/config.ts'
import { ConfigError } from '../../src/store/error.ts'
import { localName } from '../../src/store/localname.ts'
import { parseProfile } from '../../src/store/profile.ts'
import { posixPattern } from '../../src/store/regexp.ts'
import { localNameCases, localNameConfig, malformedRules } from '../support/localnames.ts'

const ask = (rules: readonly string[], name: string, names: readonly string[] = []) =>
  localName(readConfig(parseProfile(localNameConfig(rules, names))), parsePrincipal(name, { realm: 'R.TEST' }))

describe('auth_to_local (krb5.conf(5))', () => {
  test.each(localNameCases)('%j makes of %s %s', (rules, name, local) => expect(ask(rules, name)).toBe(local))

  test.each(malformedRules)('%s is no rule', (rule) => expect(() => ask([rule], 'alice')).toThrow(ConfigError))

  test('auth_to_local_names come first, the last of a name counts, and other realms have none', () => {
    const names = ['alice = al', 'alice/admin = root', 'carol = c1', 'carol = c2', 'bob@R.TEST = b1']
    const asked = ['alice', 'alice/admin', 'carol', 'bob', 'alice@OTHER'].map((name) => ask([], name, names))
    expect(asked).toEqual(['al', 'root', 'c2', 'bob', undefined])
  })

  test('is asked for names of GSS-API, too', () => {
    const config = readConfig(parseProfile(localNameConfig(['RULE:[2:$1]'])))
    expect(localUser(Name.principal('www/a.example@X'), new Kerberos({ config }))).toBe('www')
  })

  test('a group in the expression is malformed, for the first parenthesis ends it, as in MIT', () =>
    expect(() => ask(['RULE:[1:$1](a(l|x)ice)'], 'alice')).toThrow(ConfigError))

  test('an empty name is nobody, and a name out of measure neither', () => {
    expect(ask(['RULE:[1:$1]s/.*//'], 'alice')).toBe(undefined)
    expect(ask(['RULE:[1:$1]'], 'a'.repeat(2000))).toBe(undefined)
  })

  test('an expression that would take JavaScript for ever maps nobody, soon', () => {
    const before = performance.now()
    expect(ask(['RULE:[1:$1]s/((a*)*)*b/x/'], 'a'.repeat(1000))).toBe(undefined)
    expect(ask(['RULE:[1:$1]s/x*/-/g'], 'alice')).toBe('-a-l-i-c-e')
    expect(performance.now() - before).toBeLessThan(2000)
  })
})

describe('POSIX extended regular expressions (POSIX.1-2017 XBD 9.4)', () => {
  test.each([
    ['al|alice', 'alice', 0, 5],
    ['(a|ab)(c|bcd)', 'abcd', 0, 4],
    ['b*', 'abb', 0, 0],
    ['[^[:alpha:]-]+$', 'x-09', 2, 4],
    ['[]a]+', 'x]a', 1, 3],
    ['x{2,3}', 'axxxx', 1, 4],
    ['\\.', 'a.b', 1, 2],
    ['^$', '', 0, 0],
    ['(|a)b', 'ab', 0, 2],
  ])('%s is found in %s from %i to %i', (pattern, text, start, end) =>
    expect(posixPattern(pattern).search(text)).toEqual({ start, end }),
  )

  test.each(['(', 'a)', '[', '[a', '*a', 'a{', 'a{2,1}', '(a)\\1', '\\w', '[[:word:]]', '[z-a]', '('.repeat(99)])(
    'refuses %s',
    (pattern) => expect(() => posixPattern(pattern)).toThrow(SyntaxError),
  )
})
