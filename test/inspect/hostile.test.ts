/**
 * What the inspector makes of octets that nobody means well with: it says something of bounded length in time that grows
 * with the length of the input, and throws nothing. Samples are those of the other tests here, damaged everywhere.
 */
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { OctetWriter } from '../../src/bytes/cursor.ts'
import { concat, fromHex, utf8 } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { formatItems, type InspectOptions, inspect } from '../../src/inspect/index.ts'
import { AuthorizationData } from '../../src/krb5/messages/basics.ts'
import { adTypes } from '../../src/krb5/messages/codes.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { keysOf, parseKeytab } from '../../src/store/keytab.ts'
import { file, samples } from './samples.ts'

/** Lines of one explanation, with the one that says that more were cut off, and octets of it. */
const MAX_LINES = 20_001
const MAX_OUTPUT = 25 << 20
/** Milliseconds that one explanation of up to a mebibyte may take on a busy machine; it takes a tenth of that. */
const PATIENCE = 8000

/** Explains, and checks that it was done within bounds. */
function bounded(input: Uint8Array | string, options?: InspectOptions): string {
  const start = performance.now()
  const lines = formatItems(inspect(input, options))
  expect(performance.now() - start).toBeLessThan(PATIENCE)
  expect(lines.length).toBeLessThanOrEqual(MAX_LINES)
  const text = lines.join('\n')
  expect(text.length).toBeLessThan(MAX_OUTPUT)
  return text
}

/** Octets of a sample that are damaged one by one: of a longer one its front, where the structure is, and every third behind. */
const ALL = 300
const places = (length: number) => Array.from({ length }, (_, at) => at).filter((at) => at < ALL || at % 3 === 0)

describe.each(samples)('$id', ({ hex }) => {
  const octets = fromHex(hex)
  test('is explained wherever it ends', () => {
    for (const end of places(octets.length)) inspect(octets.subarray(0, end))
  })
  test('is explained whichever octet of it is another', () => {
    for (const at of places(octets.length)) {
      const copy = new Uint8Array(octets)
      copy[at]! ^= [0x01, 0x20, 0x80, 0xff][at % 4]!
      inspect(copy)
    }
  })
})

test('damaged octets are tried with keys as well', () => {
  const keys = keysOf(parseKeytab(file('captures/samba.keytab')), enctypes)
  const octets = file('captures/login-to-samba.pcapng')
  for (let at = 40; at < octets.length; at += 1511) {
    const copy = new Uint8Array(octets)
    copy[at]! ^= 0x55
    bounded(copy, { keys, password: 'alice-pw' })
  }
})

/** Marsaglia's xorshift, from a seed. */
function* chance(seed: number): Generator<number, never> {
  for (let x = seed; ; ) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    yield x & 0xff
  }
}
test('octets at random are explained', () => {
  const next = chance(20_261_128)
  const octet = () => next.next().value
  const starts = [
    '',
    '60',
    '6e82',
    '7682',
    '05',
    '0504',
    '0502',
    'a0',
    'a1',
    '30',
    '0404',
    '050400ff',
    '0d0d',
    '0a0d0d0a',
    'd4c3b2a1',
    '4e544c4d53535000',
    '0000000b2a864886f712010202',
  ]
  for (let i = 0; i < 3000; i++) {
    const body = Uint8Array.from({ length: octet() * (i % 3) }, octet)
    inspect(concat(fromHex(starts[i % starts.length]!), body))
  }
})

const repeated = (unit: Uint8Array, size = 1 << 20) => {
  const octets = new Uint8Array(size)
  for (let at = 0; at < size; at += unit.length) octets.set(unit.subarray(0, size - at), at)
  return octets
}
/** An element around another, as often as said; lengths are written in the fewest octets. */
function nested(tags: readonly number[], times: number, inside: Uint8Array = new Uint8Array()): Uint8Array {
  const headers: Uint8Array[] = []
  let size = inside.length
  for (let i = 0; i < times; i++) {
    const length =
      size < 0x80
        ? [size]
        : size < 0x100
          ? [0x81, size]
          : size < 0x10000
            ? [0x82, size >> 8, size & 0xff]
            : [0x83, size >> 16, (size >> 8) & 0xff, size & 0xff]
    headers.push(Uint8Array.of(tags[i % tags.length]!, ...length))
    size += headers.at(-1)!.length
  }
  return concat(...headers.reverse(), inside)
}

describe('a mebibyte', () => {
  test.each([
    '00',
    'ff',
    '30',
    '3000',
    '60',
    '6000',
    '7e',
    '0000000130',
    '00000001',
    '05',
    '0504',
    'a080',
    '3080',
    '2480',
    '0404',
    '504b',
  ])('of %s is explained', (hex) => void bounded(repeated(fromHex(hex))))
  test.each(['3000', 'a003020101', '300ca003020101a105040300ffff', '300da0071b054c41422e54a1020400'])(
    'of elements %s in a list is explained, or cut off',
    (hex) => {
      const list = repeated(fromHex(hex), Math.floor((1 << 20) / (hex.length / 2)) * (hex.length / 2))
      bounded(nested([0x30], 1, list))
    },
  )
  test.each([
    [' ', 4 << 20],
    ['\n', 1 << 20],
    [' \n', 1 << 20],
    ['\t0', 1 << 20],
    ['0', 1 << 20],
    ['00 ', 1 << 20],
    ['00:', 1 << 20],
    ['A', 1 << 20],
    ['A=', 1 << 20],
    ['0000: ', 1 << 20],
    ['0000  00 ', 1 << 20],
    ['Negotiate ', 1 << 20],
    ['Negotiate AAAA\n', 1 << 17],
    ['Authorization: ', 1 << 20],
    ['> ', 1 << 20],
  ] as const)('of text %j, with and without an end, is looked through', (unit, size) => {
    const text = unit.repeat(size / unit.length)
    for (const input of [text, `${text}!`, `Negotiate ${text}!`, `00 ${text}!`]) {
      bounded(utf8(input))
      try {
        bounded(input)
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    }
  })
})

describe('nesting without end', () => {
  const layered = (wrap: (inner: Uint8Array) => Uint8Array, times: number) => {
    let octets: Uint8Array = Uint8Array.of(5, 0)
    for (let i = 0; i < times; i++) octets = wrap(octets)
    return octets
  }
  const oid = fromHex('06092a864886f712010202')
  const spnegoOid = fromHex('06062b0601050502')
  test.each([
    ['sequences', nested([0x30], 100_000)],
    ['indefinite lengths', repeated(Uint8Array.of(0x30, 0x80))],
    ['frames of krb5', layered((inner) => nested([0x60], 1, concat(oid, inner)), 2000)],
    ['frames of SPNEGO', layered((inner) => nested([0x60], 1, concat(spnegoOid, inner)), 2000)],
    ['responses of SPNEGO', layered((inner) => nested([0x04, 0xa2, 0x30, 0xa1], 4, inner), 1000)],
    ['records', layered((inner) => new OctetWriter().uint32(inner.length).octets(inner).finish(), 1000)],
    [
      'frames of kpasswd',
      layered(
        (inner) =>
          new OctetWriter()
            .uint16(inner.length + 6)
            .uint16(1)
            .uint16(0)
            .octets(inner)
            .finish(),
        1000,
      ),
    ],
    ['messages for proxies', layered((inner) => nested([0x04, 0xa0, 0x30], 3, inner), 1000)],
    [
      'authorization data',
      layered((inner) => encode(AuthorizationData, [{ adType: adTypes.ifRelevant, adData: inner }]), 1000),
    ],
    [
      'authorization data, twice as much each time',
      layered(
        (inner) =>
          encode(
            AuthorizationData,
            [1, 2].map(() => ({ adType: adTypes.ifRelevant, adData: inner })),
          ),
        15,
      ),
    ],
  ] as const)('of %s is cut off', (_, octets) => void bounded(octets))
})

describe('lengths that are not there', () => {
  test.each([
    ['an element', '6e84ffffffff'],
    ['an element of a length of 127 octets', `6eff${'ff'.repeat(127)}`],
    ['a cache', `0504000c00010008ffffffff00000000${'ff'.repeat(64)}`],
    ['a cache with a principal of four billion parts', '050400000000000100000000ffffffff'],
    ['a keytab', `0502${'7fffffff'.repeat(8)}`],
    ['a keytab with holes', `0502${'80000001'.repeat(8)}`],
    ['a record', '7fffffff6e'],
    ['an exported context', `0000000b06092a864886f712010202${'ff'.repeat(64)}`],
    ['pcap', `d4c3b2a1020004000000000000000000ffffffff01000000${'ff'.repeat(64)}`],
    ['pcapng', '0a0d0d0affffffff4d3c2b1a0100000000000000'],
    ['pcapng with a block of nothing', `0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000${'00'.repeat(40)}`],
    ['a PAC of four billion buffers', 'ffffffff00000000'],
    ['NTLM', `4e544c4d5353500003000000${'ffffffffffffffff'.repeat(6)}ffffffff`],
    ['a wrap token', `050400ffffffffff${'00'.repeat(8)}`],
  ])('of %s', (_, hex) => void bounded(fromHex(hex)))
  test('more than 16 MiB are refused', () => expect(() => inspect(new Uint8Array((16 << 20) + 1))).toThrow(TypeError))
})

test('a capture of connections without end is followed with bounded memory', () => {
  const writer = new OctetWriter({ littleEndian: true })
    .uint32(0xa1b2c3d4)
    .uint16(2)
    .uint16(4)
    .uint32(0)
    .uint32(0)
    .uint32(65_535)
    .uint32(101)
  const packet = (i: number) =>
    new OctetWriter()
      .uint32(0x45000030)
      .uint32(0)
      .uint32(0x40060000)
      .uint32(i)
      .uint32(0x7f000001)
      .uint16(i & 0xffff)
      .uint16(88)
      .uint32(i % 3 === 0 ? 0 : 5000)
      .uint32(0)
      .uint16(0x5000)
      .octets(fromHex('000000000000'))
      .octets(fromHex('000fffff6e82ffff'))
      .finish()
  for (let i = 0; i < 20_000; i++) {
    const octets = packet(i)
    writer.uint32(i).uint32(0).uint32(octets.length).uint32(octets.length).octets(octets)
  }
  expect(bounded(writer.finish())).toContain('packets: 20000, of which 20000 have to do with Kerberos')
})

test('a capture of datagrams in pieces that never come together is given up on piece by piece', () => {
  const writer = new OctetWriter({ littleEndian: true })
    .uint32(0xa1b2c3d4)
    .uint16(2)
    .uint16(4)
    .uint32(0)
    .uint32(0)
    .uint32(65_535)
    .uint32(101)
  for (let i = 0; i < 50_000; i++) {
    const octets = new OctetWriter()
      .uint32(0x45000024)
      .uint16(i % 3 === 0 ? 7 : i)
      .uint16(0x2001 + (i % 0x1ffe))
      .uint32(0x40110000)
      .uint32(0x7f000001)
      .uint32(0x7f000001)
      .octets(new Uint8Array(16))
      .finish()
    writer.uint32(i).uint32(0).uint32(octets.length).uint32(octets.length).octets(octets)
  }
  expect(bounded(writer.finish())).toMatch(/\n {2}!: 256 datagrams in pieces of which some were not captured\n/)
})

test('tries to open what is sealed are counted, however many keys there are', () => {
  const random = (size: number) => Uint8Array.from({ length: size }, (_, i) => i)
  const keys = Array.from({ length: 500 }, (_, i) => {
    const key = new Key(
      enctypes[0]!,
      random(enctypes[0]!.keySize).map((octet) => octet + i + (i >> 8)),
    )
    return { principal: parsePrincipal(`k${i}@A.TEST`), kvno: 1, key }
  })
  const wrap = concat(fromHex('050402ff000000000000000000000000'), repeated(Uint8Array.of(1, 2, 3)))
  bounded(wrap, { keys })
})
