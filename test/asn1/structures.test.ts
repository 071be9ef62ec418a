/** Types made of others: members, tags, and declarations that cannot be told apart on the wire. */
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  Asn1Error,
  anyValue,
  application,
  boolean,
  type Codec,
  choice,
  decode,
  decodePrefix,
  defaulted,
  encode,
  encoded,
  explicit,
  field,
  fixed,
  generalString,
  type Infer,
  implicit,
  implicitApplication,
  integer,
  mapped,
  objectIdentifier,
  octetString,
  optional,
  plainSequence,
  sequence,
  sequenceOf,
} from '../../src/asn1/index.ts'
import { fromHex, toHex } from '../../src/bytes/index.ts'

const Byte = integer('Byte', 0, 255)
const written = <T>(codec: Codec<T>, value: T) => toHex(encode(codec, value))
const read = <T>(codec: Codec<T>, hex: string) => decode(codec, fromHex(hex))
const refuses = (codec: Codec<unknown>, hex: string, message: string) =>
  expect(() => read(codec, hex)).toThrow(expect.objectContaining({ name: 'Asn1Error', message }))

describe('SEQUENCE', () => {
  const Sample = sequence('Sample', {
    version: fixed(0, Byte, 5),
    a: field(1, Byte),
    b: optional(2, Byte),
    c: optional(4, Byte),
  })

  test('holds what it declares', () => {
    expect(written(Sample, { a: 1 })).toBe('300aa003020105a103020101')
    expect(written(Sample, { a: 1, b: 2, c: undefined })).toBe('300fa003020105a103020101a203020102')
    expect(read(Sample, '300aa003020105a103020101')).toStrictEqual({ a: 1 })
    expect(read(Sample, '300fa003020105a103020101a403020103')).toStrictEqual({ a: 1, c: 3 })
    expectTypeOf<Infer<typeof Sample>>().toEqualTypeOf<{
      readonly a: number
      readonly b?: number | undefined
      readonly c?: number | undefined
    }>()
  })
  test.each([
    ['unknown context tag', '300fa003020105a103020101a703020109'],
    ['two of them', '3014a003020105a103020101a703020109a803020109'],
    ['primitive', '300da003020105a10302010187' + '0109'],
  ])('members after the last known one are skipped: %s', (_, hex) => expect(read(Sample, hex)).toStrictEqual({ a: 1 }))
  test.each([
    ['3005a003020105', 'Sample.a: missing'],
    ['3000', 'Sample.version: missing'],
    ['300aa003020104a103020101', 'Sample.version: expected 5, found 4'],
    ['300aa103020101a003020105', 'Sample.version: missing, found tag 0xa1 in its place'],
    ['300fa003020105a303020109a103020101', 'Sample.a: missing, found tag 0xa3 in its place'],
    ['300fa003020105a103020101a103020101', 'Sample.a: out of order, or given twice'],
    ['3014a003020105a103020101a403020103a203020102', 'Sample.b: out of order, or given twice'],
    ['3014a003020105a103020101a703020109a203020102', 'Sample.b: out of order, or given twice'],
    ['300ca003020105a103020101' + '0500', 'Sample: tag 0x5 is not of a member, nor of one that may follow the last'],
    ['300fa003020105a103020101a303020109', 'Sample: tag 0xa3 is not of a member, nor of one that may follow the last'],
    ['300ca003020105a103020101a705', 'Sample: the value runs past its container: it claims 5 octets, 0 are left'],
    ['300ca003020105a103020101bf20', 'Sample: tag numbers above 30 are not in use'],
    ['300ca003020105a103020101a780', 'Sample: an indefinite length is not DER'],
    ['300ca003020105a103020101' + '0000', 'Sample: tag 0x0 is not of a member, nor of one that may follow the last'],
    ['300ba003020105a10402010100', 'Sample.a: [1] holds more than one value'],
    ['3007a003020105a100', 'Sample.a: expected Byte, found nothing'],
    ['3009a003020105a1020201' + '01', 'Sample.a: the value runs past its container: it claims 1 octets, 0 are left'],
    ['100aa003020105a103020101', 'Sample: expected SEQUENCE, found tag 0x10'],
    ['300aa003020105' + '8103020101', 'Sample.a: missing, found tag 0x81 in its place'],
    ['3080a003020105a1030201010000', 'Sample: an indefinite length is not DER'],
  ])('%s is refused: %s', (hex, message) => refuses(Sample, hex, message))
  test('a missing member is not written', () =>
    expect(() => encode(Sample, {} as { a: number })).toThrow(new TypeError('Sample.a is missing')))
  test('a key of Object.prototype is a key like any other', () =>
    expect(() => encode(sequence('S', { b: field(0, Byte) }), { toString: 1 } as unknown as { b: number })).toThrow(
      'S.b is missing',
    ))
  test('a failed encoding leaves nothing behind for the next', () => {
    expect(() => encode(Sample, { a: 1, b: 256 })).toThrow(RangeError)
    expect(written(Byte, 7)).toBe('020107')
  })
})

describe('SEQUENCE OF', () => {
  test('keeps order, and may be empty', () => {
    expect(written(sequenceOf(Byte), [2, 1])).toBe('3006020102020101')
    expect(read(sequenceOf(Byte), '3006020102020101')).toEqual([2, 1])
    expect(read(sequenceOf(Byte), '3000')).toEqual([])
  })
  test('a failure names the item', () =>
    refuses(sequenceOf(Byte), '3006020101040101', 'SEQUENCE OF Byte[1]: expected Byte, found tag 0x4'))
})

describe('DEFAULT (X.690 §11.5)', () => {
  const Extension = sequence('Extension', {
    critical: defaulted(0, boolean, false),
    level: defaulted(1, Byte, 3),
    last: optional(2, Byte),
  })
  test('is absent on the wire and present in the value', () => {
    expect(written(Extension, { critical: false, level: 3 })).toBe('3000')
    expect(read(Extension, '3000')).toStrictEqual({ critical: false, level: 3 })
    expect(written(Extension, { critical: true, level: 4 })).toBe('300aa0030101ffa103020104')
    expect(read(Extension, '300aa0030101ffa103020104')).toStrictEqual({ critical: true, level: 4 })
    expectTypeOf<Infer<typeof Extension>['critical']>().toEqualTypeOf<boolean>()
  })
  test('written out is not DER', () =>
    refuses(Extension, '3005a003010100', 'Extension.critical: false is the default, which DER leaves out'))
})

describe('SEQUENCE without tags', () => {
  const AlgorithmIdentifier = plainSequence('AlgorithmIdentifier', {
    algorithm: objectIdentifier,
    parameters: optional(anyValue),
  })
  test('AlgorithmIdentifier (RFC 5280 §4.1.1.2)', () => {
    const hex = '300d06092a864886f70d01010b0500'
    expect(read(AlgorithmIdentifier, hex)).toEqual({ algorithm: '1.2.840.113549.1.1.11', parameters: fromHex('0500') })
    expect(written(AlgorithmIdentifier, read(AlgorithmIdentifier, hex))).toBe(hex)
    expect(read(AlgorithmIdentifier, '300506032b6570')).toStrictEqual({ algorithm: '1.3.101.112' })
    expectTypeOf<Infer<typeof AlgorithmIdentifier>>().toEqualTypeOf<{
      readonly algorithm: string
      readonly parameters?: Uint8Array | undefined
    }>()
  })
  test('ends with its last member', () => {
    refuses(
      plainSequence('Pair', { a: Byte, b: Byte }),
      '3008020101020102' + '0500',
      'Pair: tag 0x5 is not of a member, nor of one that may follow the last',
    )
    refuses(plainSequence('Pair', { a: Byte, b: Byte }), '3003020101', 'Pair.b: missing')
  })
})

describe('tags', () => {
  // PA-PK-AS-REQ of RFC 4556 §3.2.1: IMPLICIT and EXPLICIT side by side.
  const PaPkAsReq = sequence('PA-PK-AS-REQ', {
    signedAuthPack: implicit(0, octetString),
    trustedCertifiers: optional(1, sequenceOf(octetString)),
    kdcPkId: optional(implicit(2, octetString)),
  })
  test('IMPLICIT replaces the tag and keeps the constructed bit (X.690 §8.14.3)', () => {
    const value = { signedAuthPack: fromHex('0102'), trustedCertifiers: [fromHex('03')], kdcPkId: fromHex('04') }
    const hex = '300e80020102a10530030401038201' + '04'
    expect(written(PaPkAsReq, value)).toBe(hex)
    expect(read(PaPkAsReq, hex)).toEqual(value)
    expect(read(PaPkAsReq, '300480020102')).toStrictEqual({ signedAuthPack: fromHex('0102') })
    expect(written(implicit(3, sequenceOf(Byte)), [1])).toBe('a303020101')
    expect(written(implicit(3, sequence('S', { a: field(0, Byte) })), { a: 1 })).toBe('a305a003020101')
    expect(written(implicit(3, explicit(9, Byte)), 1)).toBe('a303020101')
    refuses(PaPkAsReq, '3004a0020102', 'PA-PK-AS-REQ.signedAuthPack: missing, found tag 0xa0 in its place')
  })
  test('IMPLICIT reaches through what leaves the wire alone', () => {
    const Doubled = mapped(
      'Doubled',
      Byte,
      (wire) => wire / 2,
      (value: number) => value * 2,
    )
    expect(written(implicit(1, Doubled), 4)).toBe('810108')
    expect(read(implicit(1, Doubled), '810108')).toBe(4)
    expect(read(implicit(1, encoded(Byte)), '810108')).toEqual({ value: 8, der: fromHex('810108') })
  })
  test('a CHOICE or ANY has no tag to replace (X.680 §31.2)', () => {
    expect(() => implicit(0, choice('C', { a: Byte }))).toThrow(TypeError)
    expect(() => implicit(0, anyValue)).toThrow(TypeError)
  })
  test('[APPLICATION 0] IMPLICIT frames the first token of a context (RFC 2743 §3.1)', () => {
    const Token = implicitApplication(
      0,
      plainSequence('InitialContextToken', { thisMech: objectIdentifier, innerToken: anyValue }),
    )
    const hex = '600d06062b0601050502a00330' + '0105'
    expect(read(Token, hex)).toEqual({ thisMech: '1.3.6.1.5.5.2', innerToken: fromHex('a003300105') })
    expect(written(Token, read(Token, hex))).toBe(hex)
  })
  test('of several application tags the first is written and any read', () => {
    const Either = application([25, 26], Byte)
    expect(written(Either, 1)).toBe('7903020101')
    expect([read(Either, '7903020101'), read(Either, '7a03020101')]).toEqual([1, 1])
    refuses(Either, '7b03020101', 'Byte: expected [APPLICATION 25 or 26], found tag 0x7b')
  })
  test.each([31, -1, 0.5, Number.NaN])('[%d] does not fit one octet', (tag) =>
    expect(() => field(tag, Byte)).toThrow(TypeError),
  )
})

describe('CHOICE', () => {
  const Either = choice('Either', { number: explicit(0, Byte), text: generalString })
  test('is told apart by its first octet and narrows by kind', () => {
    expect(read(Either, 'a003020105')).toEqual({ kind: 'number', value: 5 })
    expect(read(Either, '1b0161')).toEqual({ kind: 'text', value: 'a' })
    expect(written(Either, { kind: 'number', value: 5 })).toBe('a003020105')
    expectTypeOf<Extract<Infer<typeof Either>, { kind: 'text' }>['value']>().toEqualTypeOf<string>()
  })
  test('an unknown alternative is an error of its own (cf. CVE-2022-44640)', () => {
    refuses(Either, 'a103020105', 'Either: no alternative has tag 0xa1')
    refuses(Either, '', 'Either: expected Either, found nothing')
    expect(() => encode(Either, { kind: 'toString', value: '' } as unknown as Infer<typeof Either>)).toThrow(TypeError)
  })
  test('may be a member without a tag of its own', () => {
    const Holder = plainSequence('Holder', { either: optional(Either), last: boolean })
    expect(read(Holder, '30061b01610101ff')).toEqual({ either: { kind: 'text', value: 'a' }, last: true })
    expect(read(Holder, '3008a0030201050101ff')).toEqual({ either: { kind: 'number', value: 5 }, last: true })
    expect(read(Holder, '30030101ff')).toStrictEqual({ last: true })
  })
})

describe('values with their octets', () => {
  test('are written back as they came', () => {
    const Kept = sequence('Kept', { body: field(0, encoded(sequenceOf(Byte))) })
    const input = fromHex('3007a0053003020109')
    const value = decode(Kept, input)
    expect(value.body.value).toEqual([9])
    expect(toHex(value.body.der)).toBe('3003020109')
    expect(value.body.der.buffer).toBe(input.buffer)
    expect(written(Kept, { body: { value: [], der: fromHex('3003020108') } })).toBe('3007a0053003020108')
  })
})

describe('declarations that cannot be told apart', () => {
  test.each([
    ['two alternatives', () => choice('C', { a: Byte, b: integer('Other', 0, 1) })],
    ['an optional member and the next', () => sequence('S', { a: optional(1, Byte), b: field(1, Byte) })],
    [
      'an optional member and one after other optional ones',
      () => sequence('S', { a: optional(1, Byte), b: optional(2, Byte), c: field(1, Byte) }),
    ],
    ['a default and the next', () => sequence('S', { a: defaulted(1, Byte, 0), b: field(1, Byte) })],
    ['ANY OPTIONAL and what follows', () => plainSequence('S', { a: optional(anyValue), b: Byte })],
  ])('%s', (_, declare) => expect(declare).toThrow(TypeError))
  test('equal tags on either side of a required member are told apart by it', () =>
    expect(
      read(plainSequence('S', { a: optional(Byte), b: boolean, c: Byte }), '3006' + '010100' + '020101'),
    ).toStrictEqual({ b: false, c: 1 }))
})

describe('prefixes', () => {
  test('a value is read from the front, and the rest is a view', () => {
    const input = fromHex('020105aabb')
    const { value, rest } = decodePrefix(Byte, input)
    expect(value).toBe(5)
    expect(toHex(rest)).toBe('aabb')
    expect(rest.buffer).toBe(input.buffer)
    expect(decodePrefix(Byte, fromHex('020105')).rest).toHaveLength(0)
  })
  test('the failure has the path of a whole one', () =>
    expect(() => decodePrefix(sequenceOf(Byte), fromHex('3003040101ff'))).toThrow(
      expect.objectContaining({ path: 'SEQUENCE OF Byte[0]', reason: 'expected Byte, found tag 0x4' }),
    ))
})

describe('nested calls', () => {
  test('encode inside encode does not disturb it', () => {
    const Wrapped = mapped(
      'Wrapped',
      octetString,
      (wire) => decode(Byte, wire),
      (value: number) => encode(Byte, value),
    )
    const Both = sequence('Both', { a: field(0, Wrapped), b: field(1, Wrapped) })
    expect(written(Both, { a: 1, b: 2 })).toBe('300ea0050403020101a1050403020102')
    expect(read(Both, '300ea0050403020101a1050403020102')).toEqual({ a: 1, b: 2 })
    expect(() => read(Both, '300ea0050403040101a1050403020102')).toThrow(Asn1Error)
  })
})

describe('shapes', () => {
  test('a declaration can be walked as data', () => {
    const Sample = sequence('Sample', { version: fixed(0, Byte, 5), list: optional(1, sequenceOf(generalString)) })
    const { shape } = Sample
    expect(shape.kind).toBe('sequence')
    const members = shape.kind === 'sequence' ? shape.members : {}
    expect(
      Object.entries(members).map(([key, codec]) => [key, codec.name, codec.identifiers, codec.shape.kind]),
    ).toEqual([
      ['version', 'Byte', [0xa0], 'explicit'],
      ['list', 'SEQUENCE OF GeneralString', [0xa1], 'explicit'],
    ])
  })
})
