/** Claims and compression, packed by Samba 4.22 (vectors/generated_claims.json). */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/bytes/index.ts'
import { type ClaimsArray, decodeClaims, encodeClaims } from '../../../src/krb5/pac/claims.ts'
import { type Compression, decompress } from '../../../src/krb5/pac/compression.ts'
import { PacError } from '../../../src/krb5/pac/error.ts'
import { vectors } from '../../support/vectors.ts'

const { claims, compressed, lznt1 } = vectors<{
  readonly claims: readonly { readonly extra: number; readonly format: number; readonly metadata: string }[]
  readonly compressed: readonly {
    readonly length: number
    readonly sha: string
    readonly plain: string
    readonly huffman: string
  }[]
  readonly lznt1: readonly { readonly text: string; readonly packed: string }[]
}>('generated_claims')
const [example] = lznt1

const expected: readonly ClaimsArray[] = [
  {
    source: 1,
    claims: [
      { id: 'ad://ext/department:88cf', type: 'string', values: ['sales', 'Vertrieb ä€ 😀', ''] },
      { id: 'ad://ext/level', type: 'int64', values: [-1n, 2n ** 62n, 0n] },
      { id: 'ad://ext/mask', type: 'uint64', values: [2n ** 63n - 1n, 3n] },
      { id: 'ad://ext/admin', type: 'boolean', values: [true, false] },
    ],
  },
  { source: 2, claims: [{ id: 'ad://ext/cert', type: 'uint64', values: [7n] }] },
]

describe('claims', () => {
  test.each(claims)('of format $format with $extra more', ({ extra, metadata }) => {
    const [first, second] = decodeClaims(fromHex(metadata))
    expect(first!.claims.slice(0, 4)).toEqual(expected[0]!.claims)
    expect(second).toEqual(expected[1])
    expect(first!.claims.slice(4)).toEqual(
      Array.from({ length: extra }, (_, i) => ({
        id: `ad://ext/many${i}`,
        type: 'string',
        values: Array.from({ length: i % 7 }, (_, j) => `value ${j} of ${i}`),
      })),
    )
  })

  test('are packed as Samba packs them, to the octet', () =>
    expect(toHex(encodeClaims(expected))).toBe(
      claims.find(({ extra, format }) => extra === 0 && format === 0)!.metadata,
    ))

  test('that claim to be larger than what is unpacked are refused before anything is unpacked', () => {
    const bomb = fromHex(claims.find(({ format, extra }) => format === 4 && extra === 0)!.metadata)
    const view = new DataView(bomb.buffer)
    const at = 16 + 4 + 4 + 4 + 4 // headers, pointer, size, pointer, format with its filling
    expect(view.getUint32(at, true)).toBe(576)
    view.setUint32(at, 0xffff_ffff, true)
    expect(() => decodeClaims(bomb)).toThrow(/claims of 4294967295 octets; at most 1048576/)
    view.setUint32(at, 1 << 20, true)
    expect(() => decodeClaims(bomb)).toThrow(PacError)
    view.setUint32(at, 100, true)
    expect(() => decodeClaims(bomb)).toThrow(PacError)
  })

  test('in a format that nobody knows are refused', () => {
    const odd = fromHex(claims[0]!.metadata)
    odd[28] = 9
    expect(() => decodeClaims(odd)).toThrow('claims compressed in unknown format 9')
  })
})

const sha256 = (octets: Uint8Array) => createHash('sha256').update(octets).digest('hex')

describe('decompression (MS-XCA)', () => {
  test.each(compressed)('of $length octets', ({ length, sha, plain, huffman }) => {
    expect(sha256(decompress('xpress', fromHex(plain), length))).toBe(sha)
    expect(sha256(decompress('xpressHuffman', fromHex(huffman), length))).toBe(sha)
  })

  test.each(lznt1)('of the $text.length octets that are the example for LZNT1 (MS-XCA §3.3)', ({ text, packed }) =>
    expect(decompress('lznt1', fromHex(packed), text.length)).toEqual(utf8(text)),
  )

  test('of chunks of LZNT1 that are not compressed, and of an end that is marked (MS-XCA §2.5.1)', () => {
    const chunks = fromHex('02306162630230646566' + '0000' + 'ffff')
    expect(decompress('lznt1', chunks, 6)).toEqual(utf8('abcdef'))
  })

  const short = compressed.find(({ length }) => length === 300)!
  const formats: readonly (readonly [Compression, string, number])[] = [
    ['xpress', short.plain, 300],
    ['xpressHuffman', short.huffman, 300],
    ['lznt1', example!.packed, example!.text.length],
  ]
  test.each(formats)('%s: every truncation and changed octet ends in octets or PacError', (format, hex, size) => {
    const packed = fromHex(hex)
    const outcome = (octets: Uint8Array) => {
      try {
        return decompress(format, octets, size).length
      } catch (error) {
        if (!(error instanceof PacError)) throw error
        return size
      }
    }
    for (let at = 0; at < packed.length; at++) {
      expect(outcome(packed.subarray(0, at))).toBe(size)
      for (const flip of [1, 0x80, 0xff]) {
        const changed = new Uint8Array(packed)
        changed[at]! ^= flip
        expect(outcome(changed)).toBe(size)
      }
    }
  })

  test('refers to nothing before the beginning', () => {
    expect(() => decompress('xpress', fromHex('0000008000000000'), 8)).toThrow(/refers to 1 octets before octet 0/)
    expect(() => decompress('lznt1', fromHex('02b0010000'), 8)).toThrow(PacError)
  })
})

describe('class 8: bombs', () => {
  /** A chunk of LZNT1 that 6 octets make 4096 octets of: one of its own, and 4095 copies of it. */
  const chunk = fromHex('03b00261fc0f')
  const many = (count: number) => concat(...Array.from({ length: count }, () => chunk))
  const timed = (work: () => unknown) => {
    const start = performance.now()
    work()
    expect(performance.now() - start).toBeLessThan(2000)
  }

  test('of LZNT1 unpack to what was announced, and no further', () => {
    expect(decompress('lznt1', chunk, 4096)).toEqual(new Uint8Array(4096).fill(0x61))
    timed(() => expect(() => decompress('lznt1', many(100_000), 4097)).toThrow(/more than the 4097 octets announced/))
    timed(() => expect(decompress('lznt1', many(300), 1 << 20)).toHaveLength(1 << 20))
    expect(() => decompress('lznt1', chunk, 1 << 20)).toThrow(/1048576 octets announced, 4096 unpacked/)
  })

  test('of LZNT1 whose chunk is of more than 4096 octets are refused', () =>
    expect(() => decompress('lznt1', fromHex('05b00661fc0ffc0f'), 8192)).toThrow(/LZNT1 chunk of 4111 octets/))

  test('of XPRESS with a length of 2^32 are refused before anything is copied', () =>
    timed(() =>
      expect(() => decompress('xpress', fromHex('0000004061' + '0700' + 'ffff0000ffffffff'), 1 << 20)).toThrow(
        PacError,
      ),
    ))

  test('of NDR announce more elements than there are octets, or than anybody has', () => {
    const set = encodeClaims(Array.from({ length: 3 }, () => ({ source: 1, claims: [] })))
    const view = new DataView(set.buffer)
    const counts = Array.from({ length: set.length / 4 - 1 }, (_, i) => 4 * i).filter(
      (at) => view.getUint32(at, true) === 3,
    )
    expect(counts.length).toBeGreaterThanOrEqual(2)
    for (const at of counts)
      for (const count of [4, 65_537, 0x7fff_ffff, 0xffff_ffff]) {
        const bomb = new Uint8Array(set)
        new DataView(bomb.buffer).setUint32(at, count, true)
        timed(() => expect(() => decodeClaims(bomb)).toThrow(PacError))
      }
  })

  test('of NDR with as many elements as there may be are read in time that grows with their number', () =>
    timed(() => {
      const arrays = Array.from({ length: 60_000 }, () => ({ source: 1, claims: [] }))
      expect(() => decodeClaims(encodeClaims(arrays))).not.toThrow(RangeError)
    }))
})
