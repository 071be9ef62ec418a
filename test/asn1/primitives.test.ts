/** Primitive types: what X.690 and RFC 4120 §5.2 make of a value, and what they refuse. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Asn1Error, type Codec, decode, encode } from '../../src/asn1/index.ts'
import {
  anyValue,
  boolean,
  enumerated,
  generalizedTime,
  generalString,
  ia5String,
  integer,
  objectIdentifier,
  octetString,
  primitive,
  utf8String,
} from '../../src/asn1/primitives.ts'
import { fromHex, toHex, utf8 } from '../../src/bytes/index.ts'

const Int32 = integer('Int32', -(2 ** 31), 2 ** 31 - 1)
const UInt32 = integer('UInt32', 0, 2 ** 32 - 1)
const Safe = integer('Safe', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)

const written = <T>(codec: Codec<T>, value: T) => toHex(encode(codec, value))
const read = <T>(codec: Codec<T>, hex: string) => decode(codec, fromHex(hex))
const refuses = (codec: Codec<unknown>, hex: string, reason: string) =>
  expect(() => read(codec, hex)).toThrow(expect.objectContaining({ name: 'Asn1Error', reason }))

describe('INTEGER (X.690 §8.3)', () => {
  test.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [256, '02020100'],
    [-1, '0201ff'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [2 ** 31 - 1, '02047fffffff'],
    [-(2 ** 31), '020480000000'],
  ])('%i is %s', (value, hex) => {
    expect(written(Int32, value)).toBe(hex)
    expect(read(Int32, hex)).toBe(value)
  })
  test.each([
    [2 ** 32 - 1, '020500ffffffff'],
    [2 ** 53 - 1, '02071fffffffffffff'],
    [-(2 ** 53) + 1, '0207e0000000000001'],
  ])('%i takes more than four octets: %s', (value, hex) => {
    expect(written(Safe, value)).toBe(hex)
    expect(read(Safe, hex)).toBe(value)
  })

  test.each([
    ['0200', 'INTEGER has no octets'],
    ['02020005', 'INTEGER is padded'],
    ['0202ff80', 'INTEGER is padded'],
    ['02050080000000', '2147483648 is not within Int32, -2147483648 to 2147483647'],
    ['0205ff7fffffff', '-2147483649 is not within Int32, -2147483648 to 2147483647'],
    ['02080100000000000000', 'an INTEGER of 8 octets is not within Int32'],
    ['040105', 'expected Int32, found tag 0x4'],
    ['220105', 'expected Int32, found tag 0x22'],
  ])('%s is refused: %s', (hex, reason) => refuses(Int32, hex, reason))

  test('a seven-octet value just above 2^53 does not round into range', () => {
    expect(() => read(Safe, '020720000000000000')).toThrow(Asn1Error)
    expect(() => read(Safe, '020720000000000001')).toThrow(Asn1Error)
  })

  test.each([0.5, Number.NaN, 2 ** 32, -1])('%d is not written as UInt32', (value) =>
    expect(() => encode(UInt32, value)).toThrow(RangeError),
  )
})

describe('BOOLEAN and ENUMERATED', () => {
  test('true is 0xff alone (X.690 §11.1)', () => {
    expect([written(boolean, true), written(boolean, false)]).toEqual(['0101ff', '010100'])
    expect([read(boolean, '0101ff'), read(boolean, '010100')]).toEqual([true, false])
    for (const hex of ['010101', '0100', '0102ffff']) refuses(boolean, hex, 'BOOLEAN is one octet, 0x00 or 0xff')
  })

  const NegState = enumerated('NegState', { acceptCompleted: 0, acceptIncomplete: 1, reject: 2 })
  test('a name stands for its number (RFC 4178 §4.2.2)', () => {
    expect(written(NegState, 'reject')).toBe('0a0102')
    expect(read(NegState, '0a0101')).toBe('acceptIncomplete')
  })
  test('a number without a name is refused, and a name without a number', () => {
    refuses(NegState, '0a0107', '7 is no NegState: acceptCompleted, acceptIncomplete, reject are')
    refuses(NegState, '0a020000', 'INTEGER is padded')
    expect(() => encode(NegState, 'toString' as 'reject')).toThrow(TypeError)
  })
})

describe('strings', () => {
  test('GeneralString is UTF-8, short and long, ASCII or not', () => {
    for (const text of [
      '',
      'LAB.TEST',
      'Zürich',
      '日本',
      '𝕂',
      '\ufeffbom',
      'x'.repeat(64),
      'x'.repeat(65),
      'ü'.repeat(90),
    ]) {
      const der = encode(generalString, text)
      expect(toHex(der.subarray(der.length - utf8(text).length))).toBe(toHex(utf8(text)))
      expect(decode(generalString, der)).toBe(text)
    }
    expect(written(generalString, 'LAB')).toBe('1b034c4142')
    // names are kept by a number made of their octets, which these have in common
    for (const text of ['AaAa', 'BBBB', 'AaBB', 'AaAa', 'BBAa'])
      expect(decode(generalString, encode(generalString, text))).toBe(text)
    expect(written(utf8String, 'ü')).toBe('0c02c3bc')
    expect(written(ia5String, 'a')).toBe('160161')
  })

  test.each([
    ['1b03610062', generalString],
    ['1b0100', generalString],
    [`1b50${'61'.repeat(79)}00`, generalString],
    ['0c03c3bc00', utf8String],
    ['160100', ia5String],
  ])('NUL in %s is refused', (hex, codec) => refuses(codec, hex, 'the text contains NUL'))

  test.each(['c3', 'ff', 'c080', 'eda080', 'f4908080'])('%s is not UTF-8', (hex) =>
    refuses(generalString, `1b0${hex.length / 2}${hex}`, 'the text is not UTF-8'),
  )
  test('IA5String is ASCII', () => {
    refuses(ia5String, '1602c3bc', 'the text is not ASCII')
    expect(() => encode(ia5String, 'ü')).toThrow(TypeError)
  })
  test.each(['a\0b', `${'x'.repeat(80)}\0`, '\ud800', 'a\udfff'])('%j is not sent', (text) => {
    expect(() => encode(generalString, text)).toThrow(TypeError)
    expect(() => encode(ia5String, text)).toThrow(TypeError)
  })
})

describe('OCTET STRING and ANY', () => {
  test('octets are views of the input: nothing is copied', () => {
    const der = fromHex('0403010203')
    expect(decode(octetString, der).buffer).toBe(der.buffer)
    expect(toHex(decode(octetString, der))).toBe('010203')
  })
  test('what is encoded is an array of its own', () => {
    const first = encode(octetString, fromHex('0102'))
    encode(octetString, fromHex('ffff'))
    expect(toHex(first)).toBe('04020102')
    expect(first.buffer.byteLength).toBe(4)
  })
  test('a constructed OCTET STRING is BER', () =>
    refuses(octetString, '2403040101', 'expected OCTET STRING, found tag 0x24'))
  test('ANY is one element, header and all, and is not looked into', () => {
    expect(toHex(read(anyValue, '3003020105'))).toBe('3003020105')
    expect(toHex(read(anyValue, '3003ffffff'))).toBe('3003ffffff')
    expect(written(anyValue, fromHex('0500'))).toBe('0500')
  })
  test.each([
    ['', 'expected an element, found nothing'],
    ['1f8101', 'tag numbers above 30 are not in use'],
    ['ff3f00', 'tag numbers above 30 are not in use'],
    ['0000', 'end-of-contents octets are not DER'],
    ['3080', 'an indefinite length is not DER'],
    ['05', 'the header is cut short'],
    ['050000', '1 octets follow the value'],
  ])('"%s" is not an element: %s', (hex, reason) => refuses(anyValue, hex, reason))
  test('a type of the caller gets its contents and gives them', () => {
    const Hex = primitive('Hex', 0x1b, fromHex, toHex)
    expect(written(Hex, '00ff')).toBe('1b0200ff')
    expect(read(Hex, '1b0200ff')).toBe('00ff')
  })
})

describe('lengths (X.690 §8.1.3, §10.1)', () => {
  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000])('%i octets', (size) => {
    const octets = new Uint8Array(size).fill(7)
    const der = encode(octetString, octets)
    const count = size < 0x80 ? 0 : size < 0x100 ? 1 : size < 0x10000 ? 2 : 3
    expect(der.length).toBe(2 + count + size)
    expect(toHex(decode(octetString, der).subarray(0, 3))).toBe('070707'.slice(0, 2 * size))
  })
  test.each([
    ['04810105', 'the length is not minimal'],
    ['0482000105', 'the length is not minimal'],
    [`048200ff${'00'.repeat(255)}`, 'the length is not minimal'],
    ['0480', 'an indefinite length is not DER'],
    ['048005000000', 'an indefinite length is not DER'],
    ['0485010000000000', 'a length of 5 octets is too long'],
    ['04ff', 'a length of 127 octets is too long'],
    ['0484ffffffff', 'the value runs past its container: it claims 4294967295 octets, 0 are left'],
    ['040201', 'the value runs past its container: it claims 2 octets, 1 are left'],
    ['048401', 'the header is cut short'],
    ['04', 'the header is cut short'],
    ['', 'expected OCTET STRING, found nothing'],
    ['0401ff00', '1 octets follow the value'],
  ])('"%s" is refused: %s', (hex, reason) => refuses(octetString, hex, reason))
})

describe('KerberosTime (RFC 4120 §5.2.3)', () => {
  const der = (text: string) => `18${text.length.toString(16).padStart(2, '0')}${toHex(utf8(text))}`
  test.each([
    '19700101000000Z',
    '19940610060317Z',
    '20000229235959Z',
    '20380119031408Z',
    '00000101000000Z',
    '00500301120000Z',
    '19000228000000Z',
    '99991231235959Z',
  ])('%s', (text) => {
    const [, year, month, day, hour, minute, second] = /^(....)(..)(..)(..)(..)(..)Z$/.exec(text)!
    const seconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000
    expect(read(generalizedTime, der(text))).toBe(seconds)
    expect(written(generalizedTime, seconds)).toBe(der(text))
  })
  test('any second of the years 0 to 9999 is as Date has it', () => {
    const bounds = { min: Date.parse('0000-01-01T00:00:00Z') / 1000, max: Date.parse('9999-12-31T23:59:59Z') / 1000 }
    fc.assert(
      fc.property(fc.integer(bounds), (seconds) => {
        const text = new Date(seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '')
        expect(written(generalizedTime, seconds)).toBe(der(text))
        expect(read(generalizedTime, der(text))).toBe(seconds)
      }),
      { numRuns: 2000 },
    )
  })
  test.each([
    '20230229000000Z',
    '19000229000000Z',
    '20240431000000Z',
    '20240001000000Z',
    '20241301000000Z',
    '20240100000000Z',
    '20240101240000Z',
    '20240101006000Z',
    '20240101000060Z',
  ])('%s is no such date or hour', (text) => refuses(generalizedTime, der(text), 'no such date or hour'))
  test.each([
    '20240101000000',
    '20240101000000z',
    '20240101000000.5Z',
    '20240101000000+0100',
    '202401010000Z',
    '2024010100000 Z',
    '2024-101000000Z',
    '',
  ])('"%s" is not of the one form', (text) =>
    refuses(generalizedTime, der(text), 'not a time of the form YYYYMMDDHHMMSSZ'),
  )
  test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 253_402_300_800, -62_167_219_201])(
    '%d is not written',
    (value) => expect(() => encode(generalizedTime, value)).toThrow(RangeError),
  )
})

describe('OBJECT IDENTIFIER (X.690 §8.19)', () => {
  test.each([
    ['1.2.840.113554.1.2.2', '06092a864886f712010202'],
    ['1.3.6.1.5.5.2', '06062b0601050502'],
    ['2.999.3', '0603883703'],
    ['0.0', '060100'],
    ['0.39', '060127'],
    ['1.0', '060128'],
    ['1.39', '06014f'],
    ['2.0', '060150'],
    ['2.40', '060178'],
    ['2.5.4.3', '0603550403'],
    ['1.2.562949953421312', '06092a8180808080808000'],
    ['1.2.562949953421311', '06082affffffffffff7f'],
    // A UUID as an arc, X.667 §6.
    ['2.25.329800735698586629295641978511506172918', '061469' + '83f09da7ebcfdee0c7a1a7b2c0948cc8f9d776'],
  ])('%s is %s', (dotted, hex) => {
    expect(written(objectIdentifier, dotted)).toBe(hex)
    expect(read(objectIdentifier, hex)).toBe(dotted)
  })
  test.each([
    ['0600', 'OBJECT IDENTIFIER has no octets'],
    ['06022a80', 'OBJECT IDENTIFIER ends inside an arc'],
    ['06032a8001', 'OBJECT IDENTIFIER has a padded arc'],
    ['06028001', 'OBJECT IDENTIFIER has a padded arc'],
    [`068181${'2a'.repeat(129)}`, 'OBJECT IDENTIFIER has more than 128 octets'],
  ])('%s is refused: %s', (hex, reason) => refuses(objectIdentifier, hex, reason))
  test.each(['', '1', '1.', '3.1', '1.40', '0.40', '1.2.03', '1.2.-1', '1.2.x', '1..2', ' 1.2', '1.2.3\n'])(
    '"%s" is not an object identifier',
    (dotted) => expect(() => encode(objectIdentifier, dotted)).toThrow(TypeError),
  )
  test('one that would not be read again is not written', () =>
    expect(() => encode(objectIdentifier, `1.2${'.999999'.repeat(60)}`)).toThrow(RangeError))
})
