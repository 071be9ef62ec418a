import { expect, test } from 'vitest'
import { PrincipalMap } from '../../src/kdc/principalmap.ts'

/** What the wire can name: any components, not only those that a text spells. */
const named = (realm: string, ...components: string[]) => ({ type: 1, components, realm })

test('names that are written alike are not the same (RFC 4120 §6.2)', () => {
  const map = new PrincipalMap<string>()
  map.set(named('LAB.TEST', 'HTTP', 'www'), 'two components')
  map.set(named('LAB.TEST', 'HTTP/www'), 'one')
  expect(map.get(named('LAB.TEST', 'HTTP', 'www'))).toBe('two components')
  expect(map.get(named('LAB.TEST', 'HTTP/www'))).toBe('one')
  for (const other of [
    named('LAB.TEST', 'HTTP'),
    named('LAB.TEST', 'HTTP', 'www', ''),
    named('LAB.TEST', 'HTTP\0www'),
    named('LAB.TEST\0HTTP', 'www'),
    named('LAB.TEST', 'http', 'www'),
    named('LAB', 'HTTP', 'www'),
    named('', 'LAB.TEST', 'HTTP', 'www'),
    named('LAB.TEST'),
    named('__proto__', 'constructor'),
  ])
    expect(map.get(other)).toBeUndefined()
})

test('what replaces a value is there under all of its names', () => {
  const map = new PrincipalMap<object>()
  const [old, other, value] = [{}, {}, {}]
  const names = [named('A', 'alice'), named('A', 'alice', 'admin'), named('B', 'alice')]
  for (const name of names) map.set(name, old)
  map.set(named('A', 'bob'), other)
  map.replace(old, value)
  for (const name of names) expect(map.get(name)).toBe(value)
  expect(map.get(named('A', 'bob'))).toBe(other)
})
