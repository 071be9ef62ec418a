/** Claims and compression, packed by Samba 4.22 (vectors/generated_claims.json). */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/bytes/index.ts'
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
  readonly lznt1: { readonly text: string; readonly packed: string }
}>('generated_claims')

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

  test('of the example for LZNT1 (MS-XCA §3.3)', () =>
    expect(decompress('lznt1', fromHex(lznt1.packed), lznt1.text.length)).toEqual(utf8(lznt1.text)))

  const short = compressed.find(({ length }) => length === 300)!
  const formats: readonly (readonly [Compression, string, number])[] = [
    ['xpress', short.plain, 300],
    ['xpressHuffman', short.huffman, 300],
    ['lznt1', lznt1.packed, lznt1.text.length],
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
