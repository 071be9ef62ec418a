/** SIDs and times of MS-DTYP §2.3.3 and §2.4.2. */
import { describe, expect, test } from 'vitest'
import { OctetReader, OctetWriter } from '../../../src/bytes/cursor.ts'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import { fileTimeOf, ticksOf } from '../../../src/krb5/pac/filetime.ts'
import { formatSid, parseSid, readSid, sidInDomain, splitSid, writeSid } from '../../../src/krb5/pac/sid.ts'

const written = (sid: string) => {
  const writer = new OctetWriter({ littleEndian: true })
  writeSid(writer, sid)
  return toHex(writer.finish())
}
const read = (hex: string, announced?: number) =>
  readSid(new OctetReader(fromHex(hex), { littleEndian: true }), announced)

describe('a SID', () => {
  test.each([
    ['S-1-0', '010000000000 0000'],
    ['S-1-1-0', '0101000000000001 00000000'],
    ['S-1-5-32-544', '0102000000000005 20000000 20020000'],
    ['S-1-5-21-3048156945-3961193616-3706469200', '0104000000000005 15000000 112fafb5 90041bec 503becdc'],
    ['S-1-4294967295-1', '01010000ffffffff 01000000'],
    ['S-1-0x010203040506-4294967295', '0101010203040506 ffffffff'],
    [`S-1-5${'-7'.repeat(15)}`, `010f000000000005${'07000000'.repeat(15)}`],
  ])('%s is written and read', (sid, hex) => {
    expect(written(sid)).toBe(hex.replaceAll(' ', ''))
    expect(read(hex)).toBe(sid)
    expect(formatSid(parseSid(sid))).toBe(sid)
  })

  test.each([
    '',
    'S-1',
    'S-2-5-21',
    'S-1-5-',
    'S-1-5-4294967296',
    'S-1-5-x',
    `S-1-5${'-7'.repeat(16)}`,
    ' S-1-5-21',
    'S-1-0x1-1',
  ])('is not %j', (text) => expect(() => parseSid(text)).toThrow(TypeError))

  test('of another revision, of more than 15 parts or of fewer than announced is none', () => {
    expect(() => read('0201000000000005 20000000')).toThrow('SID of revision 2')
    expect(() => read('0110000000000005')).toThrow('SID of 16 subauthorities')
    expect(() => read('0101000000000005 20000000', 2)).toThrow('where 2 were announced')
    expect(() => read('0102000000000005 20000000')).toThrow(RangeError)
  })

  test('of an account is that of its domain and a number', () => {
    expect(sidInDomain('S-1-5-21-1-2-3', 500)).toBe('S-1-5-21-1-2-3-500')
    expect(splitSid('S-1-5-21-1-2-3-500')).toEqual({ domain: 'S-1-5-21-1-2-3', rid: 500 })
    expect(splitSid('S-1-5')).toBeUndefined()
  })
})

describe('a FILETIME', () => {
  test.each([
    [0n, 'unset'],
    [0x7fff_ffff_ffff_ffffn, 'never'],
    [116_444_736_000_000_000n, 0],
    [116_444_736_010_000_000n, 1],
    [10_000_000n, -11_644_473_599],
  ] as const)('of %d ticks is %s', (ticks, time) => {
    expect(fileTimeOf(ticks)).toBe(time)
    expect(ticksOf(time)).toBe(ticks)
  })
  test('beyond the largest is never', () => expect(fileTimeOf(2n ** 64n - 1n)).toBe('never'))
  test('before 1601 or of parts of a second is none', () => {
    expect(() => ticksOf(-11_644_473_601)).toThrow(RangeError)
    expect(() => ticksOf(1.5)).toThrow(RangeError)
  })
})
