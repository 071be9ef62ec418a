/** asn1js as oracle: random types with random values, built twice, must be the same octets and read as the same value. */
import * as asn1js from 'asn1js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  application,
  bitString,
  boolean,
  type Codec,
  decode,
  encode,
  enumerated,
  explicit,
  field,
  flags,
  generalizedTime,
  generalString,
  ia5String,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  optional,
  plainSequence,
  sequence,
  sequenceOf,
  utf8String,
} from '../../src/asn1/index.ts'
import { toHex } from '../../src/bytes/index.ts'

/** A type, a value of it, and what asn1js makes of that value. */
interface Sample {
  readonly codec: Codec<unknown>
  readonly value: unknown
  readonly tree: asn1js.AsnType
}

const sample = <T>(codec: Codec<T>, value: T, tree: asn1js.AsnType): Sample => ({
  codec: codec as Codec<unknown>,
  value,
  tree,
})

const CONTEXT = 3
const APPLICATION = 2
const constructed = (tagClass: number, tagNumber: number, value: asn1js.AsnType[]) =>
  new asn1js.Constructed({ idBlock: { tagClass, tagNumber }, value })

const Int32 = integer('Int32', -(2 ** 31), 2 ** 31 - 1)
const UInt32 = integer('UInt32', 0, 2 ** 32 - 1)
const Safe = integer('Safe', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
const Grade = enumerated('Grade', { low: 0, high: 200 })
const Options = flags('Options', { reserved: 0, forwardable: 1, proxy: 4, validate: 31 })

const octets = fc.uint8Array({ maxLength: 300 })
const ascii = fc.string({
  unit: fc.integer({ min: 1, max: 127 }).map((unit) => String.fromCharCode(unit)),
  maxLength: 90,
})
const unicode = fc.string({ unit: 'grapheme', maxLength: 90 }).filter((text) => !text.includes('\0'))
const times = fc.integer({ min: 0, max: 253_402_300_799 })
const arcs = fc.oneof(fc.nat(300), fc.nat(), fc.bigInt({ min: 0n, max: (1n << 53n) - 1n }).map(Number))
const oids = fc
  .tuple(
    fc.oneof(fc.tuple(fc.constantFrom(0, 1), fc.nat(39)), fc.tuple(fc.constant(2), fc.nat(1000))),
    fc.array(arcs, { minLength: 1, maxLength: 8 }),
  )
  .map(([first, rest]) => [...first, ...rest].join('.'))

const integerSample = (codec: Codec<number>, min: number, max: number) =>
  fc
    .oneof(fc.integer({ min, max }), fc.constantFrom(min, max, 0, 127, 128, 255, 256, 32_767, 32_768, 2 ** 23))
    .map((value) => sample(codec, value, asn1js.Integer.fromBigInt(BigInt(value))))

const leaves: Record<string, fc.Arbitrary<Sample>> = {
  Int32: integerSample(Int32, -(2 ** 31), 2 ** 31 - 1),
  UInt32: integerSample(UInt32, 0, 2 ** 32 - 1),
  'safe integers': integerSample(Safe, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  booleans: fc.boolean().map((value) => sample(boolean, value, new asn1js.Boolean({ value }))),
  enumerations: fc
    .constantFrom('low' as const, 'high' as const)
    .map((value) => sample(Grade, value, enumeratedTree(value === 'low' ? 0 : 200))),
  'octet strings': octets.map((value) => sample(octetString, value, new asn1js.OctetString({ valueHex: value }))),
  'implicit octet strings': octets.map((value) =>
    sample(
      implicit(7, octetString),
      value,
      new asn1js.Primitive({ idBlock: { tagClass: CONTEXT, tagNumber: 7 }, valueHex: value }),
    ),
  ),
  'bit strings': fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(7)).map(([all, unusedBits]) => {
    const value = Uint8Array.from(all, (octet, i) => (i === all.length - 1 ? octet & (0xff << unusedBits) : octet))
    return sample(bitString, { octets: value, unusedBits }, new asn1js.BitString({ valueHex: value, unusedBits }))
  }),
  flags: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((valueHex) => {
    const names = [
      'reserved',
      'forwardable',
      'bit2',
      'bit3',
      'proxy',
      ...Array.from({ length: 26 }, (_, i) => `bit${i + 5}`),
      'validate',
    ]
    const set = new Set(names.filter((_, bit) => valueHex[bit >> 3]! & (0x80 >> (bit & 7))))
    return sample(Options, set as ReadonlySet<'proxy'>, new asn1js.BitString({ valueHex, unusedBits: 0 }))
  }),
  'general strings': ascii.map((value) => sample(generalString, value, new asn1js.GeneralString({ value }))),
  'IA5 strings': ascii.map((value) => sample(ia5String, value, new asn1js.IA5String({ value }))),
  'UTF-8 strings': unicode.map((value) => sample(utf8String, value, new asn1js.Utf8String({ value }))),
  times: times.map((value) =>
    sample(generalizedTime, value, new asn1js.GeneralizedTime({ valueDate: new Date(value * 1000) })),
  ),
  'object identifiers': oids.map((value) => sample(objectIdentifier, value, new asn1js.ObjectIdentifier({ value }))),
}

/** asn1js writes ENUMERATED through INTEGER, whose sign it takes from the number given. */
function enumeratedTree(value: number): asn1js.AsnType {
  const { valueBlock } = asn1js.Integer.fromBigInt(BigInt(value))
  return new asn1js.Enumerated({ valueHex: valueBlock.valueHexView })
}

/** Members by tag; the absent ones are optional and not in the tree. */
type Part = readonly [Sample, 'required' | 'present' | 'absent']

const { any: samples } = fc.letrec<{ any: Sample }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'asn1' },
    fc.oneof(...Object.values(leaves)),
    fc.array(fc.tuple(tie('any'), fc.constantFrom('required', 'present', 'absent')), { maxLength: 5 }).map(tagged),
    fc.array(tie('any'), { maxLength: 3 }).map(untagged),
    fc.tuple(tie('any'), fc.nat(3)).map(repeated),
    fc
      .tuple(tie('any'), fc.nat(30))
      .map(([inner, tag]) =>
        sample(application(tag, inner.codec), inner.value, constructed(APPLICATION, tag, [inner.tree])),
      ),
    fc
      .tuple(tie('any'), fc.nat(30))
      .map(([inner, tag]) => sample(explicit(tag, inner.codec), inner.value, constructed(CONTEXT, tag, [inner.tree]))),
  ),
}))

function tagged(parts: readonly Part[]): Sample {
  const members = parts.map(([{ codec }, presence], tag) => [
    `m${tag}`,
    presence === 'required' ? field(tag, codec) : optional(tag, codec),
  ])
  const there = parts.flatMap(([part, presence], tag) => (presence === 'absent' ? [] : [{ tag, ...part }]))
  return sample(
    sequence('Tagged', Object.fromEntries(members)) as Codec<unknown>,
    Object.fromEntries(there.map(({ tag, value }) => [`m${tag}`, value])),
    new asn1js.Sequence({ value: there.map(({ tag, tree }) => constructed(CONTEXT, tag, [tree])) }),
  )
}

function untagged(parts: readonly Sample[]): Sample {
  return sample(
    plainSequence('Plain', Object.fromEntries(parts.map(({ codec }, i) => [`m${i}`, codec]))) as Codec<unknown>,
    Object.fromEntries(parts.map(({ value }, i) => [`m${i}`, value])),
    new asn1js.Sequence({ value: parts.map(({ tree }) => tree) }),
  )
}

function repeated([item, count]: readonly [Sample, number]): Sample {
  return sample(
    sequenceOf(item.codec) as Codec<unknown>,
    Array.from({ length: count }, () => item.value),
    new asn1js.Sequence({ value: Array.from({ length: count }, () => item.tree) }),
  )
}

const agrees = ({ codec, value, tree }: Sample) => {
  const theirs = new Uint8Array(tree.toBER())
  expect(toHex(encode(codec, value))).toBe(toHex(theirs))
  expect(decode(codec, theirs)).toStrictEqual(value)
}

describe('asn1js makes the same octets of, and we read back,', () => {
  test.each(Object.entries(leaves))('%s', (_, samples) => fc.assert(fc.property(samples, agrees), { numRuns: 500 }))
  test('types nested in types', () => fc.assert(fc.property(samples, agrees), { numRuns: 1500 }))
})

test('asn1js reads what we write: a Kerberos time, an OID and a UInt32', () => {
  const read = (codec: Codec<unknown>, value: unknown) => asn1js.fromBER(encode(codec, value)).result
  fc.assert(
    fc.property(times, oids, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (time, oid, number) => {
      expect((read(generalizedTime as Codec<unknown>, time) as asn1js.GeneralizedTime).toDate().getTime()).toBe(
        time * 1000,
      )
      expect((read(objectIdentifier as Codec<unknown>, oid) as asn1js.ObjectIdentifier).getValue()).toBe(oid)
      expect((read(UInt32 as Codec<unknown>, number) as asn1js.Integer).toBigInt()).toBe(BigInt(number))
    }),
  )
})
