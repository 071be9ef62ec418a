/** What an attacker may send: every octet changed, every truncation, and a mebibyte of short, nested or lying elements. */
import * as asn1js from 'asn1js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Asn1Error,
  anyValue,
  bitString,
  boolean,
  type Codec,
  decode,
  encode,
  explicit,
  field,
  flags,
  generalizedTime,
  generalString,
  integer,
  objectIdentifier,
  octetString,
  optional,
  plainSequence,
  sequence,
  sequenceOf,
} from '../../src/asn1/index.ts'
import { concat, equal, fromHex, toHex } from '../../src/bytes/index.ts'
import { references } from './references.ts'

// A hundred thousand errors are made here and none is read: without traces that takes half the time.
Error.stackTraceLimit = 0

/** The decoded value, or undefined where the octets are refused; anything but Asn1Error fails the test. */
function read(codec: Codec<unknown>, der: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: decode(codec, der) }
  } catch (error) {
    if (error instanceof Asn1Error) return undefined
    throw error
  }
}

/**
 * `der` was accepted: then asn1js accepts it too, and what we write for its value is read as the same value. The octets
 * differ where RFC 4120 has more than one form for a value: numbers sent as signed, short flags, unknown members.
 */
function checkAccepted(codec: Codec<unknown>, der: Uint8Array, value: unknown): void {
  const again = encode(codec, value)
  const same = equal(again, der)
  if (!same) expect(decode(codec, again)).toEqual(value)
  // asn1js takes fifty times as long as all else here; what we write ourselves is also held to it in oracle.test.ts.
  if (same && accepted++ % ASKED_ONCE_IN !== 0) return
  const { offset, result } = asn1js.fromBER(der)
  if (offset !== der.length) expect.fail(`asn1js refuses ${toHex(der)}: ${result.error}`)
}

let accepted = 0
const ASKED_ONCE_IN = 16

/** Values that turn lengths, tags and signs inside out; with the single bits, every kind of change. */
const telling = [0x00, 0x01, 0x1f, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x85, 0xa0, 0xff]
const bits = [1, 2, 4, 8, 16, 32, 64, 128]
/** Messages up to this size get every value at every place. */
const EXHAUSTIVE_SIZE = 110

const every = Array.from({ length: 256 }, (_, octet) => octet)

describe('one octet changed', () => {
  test.each(references)('MIT $name: refused as Asn1Error, or agreed with asn1js', ({ codec, hex }) => {
    const original = fromHex(hex)
    const before = accepted
    for (const at of original.keys()) {
      const octet = original[at]!
      const changes = original.length <= EXHAUSTIVE_SIZE ? every : [...telling, ...bits.map((bit) => octet ^ bit)]
      for (const change of new Set(changes)) {
        if (change === octet) continue
        const der = original.slice()
        der[at] = change
        const outcome = read(codec, der)
        if (outcome) checkAccepted(codec, der, outcome.value)
      }
    }
    expect(accepted).toBeGreaterThan(before)
  })
})

describe('cut short, or gone on with', () => {
  test.each(references)('MIT $name at every octet', ({ codec, hex }) => {
    const original = fromHex(hex)
    for (const size of original.keys())
      expect(read(codec, original.subarray(0, size)), `${size} octets`).toBeUndefined()
    for (const octet of every) expect(read(codec, Uint8Array.of(...original, octet))).toBeUndefined()
  })
})

describe('octets put in or taken out', () => {
  test.each(references.filter(({ hex }) => hex.length <= 2 * 200))('MIT $name', ({ codec, hex }) => {
    const original = fromHex(hex)
    for (const at of original.keys()) {
      const edits = [
        [...original.subarray(0, at), ...original.subarray(at + 1)],
        ...[0, 0x30, 0x80, 0xff].map((octet) => [...original.subarray(0, at), octet, ...original.subarray(at)]),
      ]
      for (const edit of edits) {
        const der = Uint8Array.from(edit)
        const outcome = read(codec, der)
        if (outcome) checkAccepted(codec, der, outcome.value)
      }
    }
  })
})

test('random octets are an Asn1Error or what asn1js accepts, for every schema', () => {
  const heads = references.map(({ hex }) => fromHex(hex.slice(0, 2))[0]!)
  const noise = fc.tuple(fc.constantFrom(...heads, 0x30), fc.uint8Array({ maxLength: 40 }))
  fc.assert(
    fc.property(noise, ([head, tail]) => {
      const der = Uint8Array.of(head, tail.length, ...tail)
      for (const { codec } of references) {
        const outcome = read(codec, der)
        if (outcome) checkAccepted(codec, der, outcome.value)
      }
    }),
    { numRuns: 3000 },
  )
})

const MEBIBYTE = 2 ** 20
/** A mebibyte takes milliseconds in linear time and minutes in quadratic time; the slowest machine is between. */
const PATIENCE_MS = 5000

const Int32 = integer('Int32', -(2 ** 31), 2 ** 31 - 1)
const Known = sequence('Known', { a: field(0, Int32), b: optional(1, Int32) })

/** The size in as few octets as DER wants. */
const header = (identifier: number, size: number) => {
  const octets = [size >>> 24, (size >>> 16) & 0xff, (size >>> 8) & 0xff, size & 0xff]
  const count = size < 0x80 ? 0 : octets.length - octets.findIndex((octet) => octet > 0)
  return count === 0 ? [identifier, size] : [identifier, 0x80 | count, ...octets.slice(-count)]
}
const around = (identifier: number, contents: Uint8Array) =>
  concat(Uint8Array.from(header(identifier, contents.length)), contents)
const repeated = (hex: string, size = MEBIBYTE) => {
  const unit = fromHex(hex)
  return Uint8Array.from({ length: size - (size % unit.length) }, (_, i) => unit[i % unit.length]!)
}
/** A SEQUENCE in a SEQUENCE in a SEQUENCE, as deep as a mebibyte goes. */
const nested = (() => {
  const der = new Uint8Array(MEBIBYTE)
  for (let at = 0; at + 5 <= MEBIBYTE; ) {
    const left = MEBIBYTE - at
    const size = header(0x30, left - header(0x30, left).length)
    der.set(size, at)
    at += size.length
  }
  return der
})()

type Outcome = 'read' | RegExp

describe('a mebibyte is read or refused in linear time', () => {
  test.each<readonly [string, Codec<unknown>, Uint8Array, Outcome]>([
    ['empty strings', sequenceOf(generalString), around(0x30, repeated('1b00')), 'read'],
    ['empty octet strings', sequenceOf(octetString), around(0x30, repeated('0400')), 'read'],
    ['integers', sequenceOf(Int32), around(0x30, repeated('020105')), 'read'],
    ['empty sequences', sequenceOf(sequence('Empty', {})), around(0x30, repeated('3000')), 'read'],
    [
      'lists of lists',
      sequenceOf(sequenceOf(sequenceOf(Int32))),
      around(0x30, repeated('300530030201' + '05')),
      'read',
    ],
    ['unknown members', sequence('Empty', {}), around(0x30, repeated('a500')), 'read'],
    ['nesting where anything may be', anyValue, nested, 'read'],
    ['nesting in an unknown member', sequence('Empty', {}), around(0x30, around(0xa0, nested)), 'read'],
    ['nesting where a list is due', sequenceOf(sequenceOf(Int32)), nested, /expected Int32, found tag 0x30/],
    [
      'one wrong at the end',
      sequenceOf(boolean),
      around(0x30, Uint8Array.of(...repeated('0101ff', 3 * 9999), 2, 0)),
      /\[9999\]/,
    ],
    ['known members again and again', Known, around(0x30, repeated('a003020105')), /out of order, or given twice/],
    ['one integer', Int32, around(2, repeated('7f')), /is not within Int32/],
    ['one time', generalizedTime, around(0x18, repeated('30')), /not a time/],
    ['one object identifier', objectIdentifier, around(6, repeated('ff')), /more than 128 octets/],
    ['one object identifier of short arcs', objectIdentifier, around(6, repeated('01')), /more than 128 octets/],
    ['flags', flags('Flags', {}), around(3, repeated('00')), /more than 32 octets/],
    ['one bit string', bitString, around(3, repeated('00')), 'read'],
    ['one string of ASCII', generalString, around(0x1b, repeated('61')), 'read'],
    ['one string of UTF-8', generalString, around(0x1b, repeated('c3bc')), 'read'],
    ['one string that is not UTF-8', generalString, around(0x1b, repeated('80')), /not UTF-8/],
    ['a lying length', octetString, Uint8Array.of(4, 0x84, 0xff, 0xff, 0xff, 0xff), /claims 4294967295 octets/],
    ['a lying length in a list', sequenceOf(octetString), around(0x30, repeated('0484ffffffff')), /claims 4294967295/],
  ])('%s', (_, codec, der, outcome) => {
    const before = performance.now()
    if (outcome === 'read') decode(codec, der)
    else expect(() => decode(codec, der)).toThrow(outcome)
    expect(performance.now() - before).toBeLessThan(PATIENCE_MS)
  })
})

test('a long list is written in linear time, and read again', () => {
  const items = Array.from({ length: 100_000 }, (_, i) => i)
  const Boxed = sequenceOf(plainSequence('Box', { item: explicit(0, Int32) }))
  const before = performance.now()
  const der = encode(
    Boxed,
    items.map((item) => ({ item })),
  )
  expect(decode(Boxed, der).map(({ item }) => item)).toEqual(items)
  expect(performance.now() - before).toBeLessThan(PATIENCE_MS)
})
