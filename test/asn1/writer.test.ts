/** Encodings may hold session keys: what they were built in is overwritten. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { encode, field, integer, octetString, sequence } from '../../src/asn1/index.ts'

const Byte = integer('Byte', 0, 255)
const Secret = sequence('Secret', { number: field(0, Byte), key: field(1, octetString) })

/** Every buffer that octets were put into or copied out of, but for those the test itself has. */
let buffers: Set<ArrayBufferLike>

beforeEach(() => {
  buffers = new Set()
  const { set, slice } = Uint8Array.prototype
  vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, ...args) {
    buffers.add(this.buffer)
    set.apply(this, args)
  })
  vi.spyOn(Uint8Array.prototype, 'slice').mockImplementation(function (this: Uint8Array<ArrayBuffer>, ...args) {
    buffers.add(this.buffer)
    return slice.apply(this, args)
  })
})
afterEach(() => vi.restoreAllMocks())

const left = () => [...buffers].flatMap((buffer) => [...new Uint8Array(buffer)].filter((octet) => octet !== 0))

test.each([32, 3000, 100_000])('a key of %i octets leaves nothing where it was written', (size) => {
  expect(encode(Secret, { number: 1, key: new Uint8Array(size).fill(7) }).at(-1)).toBe(7)
  expect(buffers.size).toBeGreaterThan(0)
  expect(left()).toEqual([])
})

test('nor does one whose encoding failed half-way', () => {
  expect(() => encode(Secret, { number: 256, key: new Uint8Array(32).fill(7) })).toThrow(RangeError)
  expect(buffers.size).toBeGreaterThan(0)
  expect(left()).toEqual([])
})
