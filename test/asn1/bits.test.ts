/** BIT STRING and the flags of Kerberos. */
import { describe, expect, test } from 'vitest'
import { bitString, type Codec, decode, encode, flags } from '../../src/asn1/index.ts'
import { fromHex, toHex } from '../../src/bytes/index.ts'

const written = <T>(codec: Codec<T>, value: T) => toHex(encode(codec, value))
const read = <T>(codec: Codec<T>, hex: string) => decode(codec, fromHex(hex))
const refuses = (codec: Codec<unknown>, hex: string, reason: string) =>
  expect(() => read(codec, hex)).toThrow(expect.objectContaining({ name: 'Asn1Error', reason }))

describe('BIT STRING (X.690 §8.6, §11.2)', () => {
  test('octets and unused bits', () => {
    expect(read(bitString, '0303045ff0')).toEqual({ octets: fromHex('5ff0'), unusedBits: 4 })
    expect(written(bitString, { octets: fromHex('5ff0'), unusedBits: 4 })).toBe('0303045ff0')
    expect(read(bitString, '030100')).toEqual({ octets: new Uint8Array(), unusedBits: 0 })
  })
  test.each([
    ['0300', 'BIT STRING has no octets'],
    ['030101', 'BIT STRING of 0 octets has 1 unused bits'],
    ['03020800', 'BIT STRING of 1 octets has 8 unused bits'],
    ['030204ff', 'the unused bits of the BIT STRING are not zero'],
  ])('%s is refused: %s', (hex, reason) => {
    refuses(bitString, hex, reason)
    refuses(flags('Flags', {}), hex, reason)
  })
  test.each([
    ['ff', 8],
    ['ff', -1],
    ['ff', 0.5],
    ['', 1],
    ['ff', 3],
  ])('%s with %d unused bits is not written', (hex, unusedBits) =>
    expect(() => encode(bitString, { octets: fromHex(hex), unusedBits })).toThrow(RangeError),
  )
})

describe('KerberosFlags (RFC 4120 §5.2.8)', () => {
  const Options = flags('Options', { forwardable: 1, renewable: 8, validate: 31 })
  test('bit 0 is the most significant; unknown bits survive', () => {
    expect(written(Options, new Set(['forwardable', 'renewable']))).toBe('03050040800000')
    expect(read(Options, '030500c0000001')).toEqual(new Set(['bit0', 'forwardable', 'validate']))
    expect(written(Options, new Set(['bit0', 'validate']))).toBe('03050080000001')
    expect(written(Options, new Set(['bit1']))).toBe('03050040000000')
  })
  test('32 bits are always sent, and any number read', () => {
    expect(written(Options, new Set())).toBe('03050000000000')
    expect(read(Options, '030100')).toEqual(new Set())
    expect(read(Options, '03020640')).toEqual(new Set(['forwardable']))
    expect(read(Options, '030600000000' + '0180')).toEqual(new Set(['validate', 'bit32']))
    expect(written(Options, new Set(['bit32']))).toBe('0309000000000080000000')
  })
  test('not more than 256 bits are read or written', () => {
    expect(read(Options, `032100${'00'.repeat(31)}01`)).toEqual(new Set(['bit255']))
    refuses(Options, `032200${'00'.repeat(33)}`, 'Options has more than 32 octets')
    for (const flag of ['bit256', 'bit-1', 'bit01', 'postdated', 'constructor'])
      expect(() => encode(Options, new Set([flag as 'bit1']))).toThrow(TypeError)
  })
})
