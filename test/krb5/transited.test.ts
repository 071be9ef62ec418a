/** The realms that a ticket went through: RFC 4120 §3.3.3.2 and its examples, §1.2, §2.7. */
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'
import { decodeTransited, encodeTransited, mayTransit, realmPath } from '../../src/krb5/transited.ts'

const encoding = (text: string, trType = 1) => ({ trType, contents: utf8(text) })
const read = (text: string, client = 'CLIENT.TEST', server = 'SERVER.TEST') =>
  decodeTransited(encoding(text), { client, server })

describe('DOMAIN-X500-COMPRESS (RFC 4120 §3.3.3.2)', () => {
  test.each([
    [
      'EDU,MIT.,ATHENA.,WASHINGTON.EDU,CS.',
      ['EDU', 'MIT.EDU', 'ATHENA.MIT.EDU', 'WASHINGTON.EDU', 'CS.WASHINGTON.EDU'],
    ],
    ['EDU,MIT.,WASHINGTON.EDU', ['EDU', 'MIT.EDU', 'WASHINGTON.EDU']],
    ['/COM,/HP,/APOLLO, /COM/DEC', ['/COM', '/COM/HP', '/COM/HP/APOLLO', '/COM/DEC']],
    ['/COM,/HP', ['/COM', '/COM/HP']],
  ])('the RFC\'s "%s" is read and written', (text, realms) => {
    expect(read(text)).toEqual(realms)
    expect(new TextDecoder().decode(encodeTransited(realms).contents)).toBe(text)
  })

  test('"," means all realms between the endpoints', () => {
    expect(read(',', 'A.B.TEST', 'C.TEST')).toEqual(['B.TEST', 'TEST'])
  })

  test('",EDU, /COM," means all up to EDU, and all down from /COM', () => {
    expect(read(',EDU, /COM,', 'ATHENA.MIT.EDU', '/COM/HP/APOLLO')).toEqual(['MIT.EDU', 'EDU', '/COM', '/COM/HP'])
  })

  test('quoted characters belong to the name', () => {
    const realms = ['A\\B', 'C,D', ' E', 'F.']
    expect(read(new TextDecoder().decode(encodeTransited(realms).contents))).toEqual(realms)
  })

  test('endpoints are none of them', () => expect(read('CLIENT.TEST,X,SERVER.TEST')).toEqual(['X']))
  test('a quote at the end is no text', () => expect(read('A,B\\')).toBeUndefined())
  test('another encoding is not guessed', () =>
    expect(decodeTransited(encoding('X', 2), { client: 'A', server: 'B' })).toBeUndefined())
  test('more than 64 are refused', () => expect(read('X,'.repeat(100))).toBeUndefined())
})

describe('the way between realms', () => {
  test.each([
    ['A.B.C', 'D.C', ['B.C', 'C']],
    ['A.TEST', 'A.TEST', []],
    ['TEST', 'A.B.TEST', ['B.TEST']],
    ['A.ONE', 'B.OTHER', []],
    ['/COM/HP/APOLLO', '/COM/DEC', ['/COM/HP', '/COM']],
  ])('from %s to %s by names (RFC 4120 §1.2)', (from, to, way) => expect(realmPath({}, from, to)).toEqual(way))

  test('is the configured one where there is one', () => {
    const paths = () => ['MID']
    expect(realmPath({ paths }, 'A.TEST', 'B.TEST')).toEqual(['MID'])
    expect(mayTransit({ paths }, encoding('MID'), { client: 'A.TEST', server: 'B.TEST' })).toBe(true)
    expect(mayTransit({ paths }, encoding('TEST'), { client: 'A.TEST', server: 'B.TEST' })).toBe(false)
  })

  test('without configuration, only realms in the tree between the two may be on it (CVE-2017-6594)', () => {
    expect(mayTransit({}, encoding('TEST'), { client: 'A.TEST', server: 'B.TEST' })).toBe(true)
    expect(mayTransit({}, encoding('EVIL'), { client: 'A.TEST', server: 'B.TEST' })).toBe(false)
    expect(mayTransit({}, encoding(''), { client: 'A.TEST', server: 'B.TEST' })).toBe(true)
    expect(mayTransit({}, encoding('\\'), { client: 'A.TEST', server: 'B.TEST' })).toBe(false)
  })
})
