/**
 * Messages longer than the ciphers' working area go through it in pieces, and what is only signed in between falls on the
 * edges of those: whatever the size and the place, the result is that of RFC 3962 §5 and RFC 8009 §5 done in one go.
 */
import { cbc } from '@noble/ciphers/aes.js'
import { describe, expect, test } from 'vitest'
import { concat, equal } from '../../src/bytes/index.ts'
import type { Enctype, Part, SignedAt } from '../../src/crypto/enctypes/profile.ts'
import { Key } from '../../src/crypto/key.ts'
import { noble } from '../../src/crypto/primitives/noble.ts'
import { type HashName, macOf } from '../../src/crypto/primitives/primitives.ts'
import { CHUNK, LIMIT, WHOLE } from '../../src/crypto/primitives/scratch.ts'
import { long } from '../support/mutations.ts'
import { suites } from './providers.ts'

const BLOCK = 16
const USAGE = 24
const IV = new Uint8Array(BLOCK)
/** The hash of each, and what its checksum covers. */
const hashes: Readonly<Record<number, HashName>> = { 17: 'sha1', 18: 'sha1', 19: 'sha256', 20: 'sha384' }
const confounder = Uint8Array.from({ length: BLOCK }, (_, i) => 0xa0 + i)
const material = Uint8Array.from({ length: WHOLE + 2 * CHUNK }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff)

/** Octets of plaintext where a piece ends, or the last one does; the confounder stands before them. */
const edges = [CHUNK, LIMIT, 2 * CHUNK, CHUNK + LIMIT].map((edge) => edge - BLOCK)
const around = long ? Array.from({ length: 69 }, (_, i) => i - 34) : [-1, 0, 1]
const sizes = [...new Set(edges.flatMap((edge) => around.map((by) => edge + by))), WHOLE - 100, WHOLE + CHUNK]

/** Text and what is only signed between its octets, in the one order that there is. */
interface Message {
  readonly text: Uint8Array
  readonly signed: readonly SignedAt[]
}

function messages(size: number): readonly Message[] {
  const text = material.subarray(0, size)
  const places = [0, ...edges.flatMap((edge) => [edge - 1, edge, edge + 1]), size].filter((at) => at <= size)
  const signOnly = (at: number, octets = at % 40) => ({
    at,
    signOnly: material.subarray(at & 0xff, (at & 0xff) + octets),
  })
  return [
    { text, signed: [] },
    { text, signed: places.map((at) => signOnly(at)) },
    // Several in one place, one of them without octets, and one longer than a piece.
    {
      text,
      signed: edges.filter((at) => at <= size).flatMap((at) => [signOnly(at, 7), signOnly(at, 0), signOnly(at, LIMIT)]),
    },
  ]
}

/** Text and what is signed, as a sender hands them over. */
function partsOf({ text, signed }: Message): readonly Part[] {
  const ends = [...signed.map(({ at }) => at), text.length]
  return [
    text.subarray(0, ends[0]),
    ...signed.flatMap(({ at, signOnly }, i) => [{ signOnly }, text.subarray(at, ends[i + 1])]),
  ]
}

/** What a checksum covers: `octets`, which have the confounder in front, with what is only signed in its places. */
function covered(octets: Uint8Array, { signed }: Message): Uint8Array {
  const ends = [...signed.map(({ at }) => at + BLOCK), octets.length]
  return concat(
    octets.subarray(0, ends[0]),
    ...signed.flatMap(({ at, signOnly }, i) => [signOnly, octets.subarray(at + BLOCK, ends[i + 1])]),
  )
}

/** Encrypt and sign, each in one go. */
function inOneGo(enctype: Enctype, key: Uint8Array, message: Message): Uint8Array {
  const keys = enctype.prepare(key)
  const plaintext = concat(confounder, message.text)
  const tail = plaintext.length % BLOCK || BLOCK
  const padded = concat(plaintext, new Uint8Array(BLOCK - tail))
  const blocks = cbc(keys.derived(USAGE, 'encrypt'), IV, { disablePadding: true }).encrypt(padded)
  const cut = blocks.length - 2 * BLOCK
  const body = concat(blocks.subarray(0, cut), blocks.subarray(cut + BLOCK), blocks.subarray(cut, cut + tail))
  using mac = noble.hmac(hashes[enctype.id]!, keys.derived(USAGE, 'integrity'))
  const data = enctype.id < 19 ? covered(plaintext, message) : concat(IV, covered(body, message))
  return concat(body, macOf(mac, data, enctype.checksumSize))
}

const [first] = suites
// Keys of 128 bits take the same way.
describe.each(first!.rows.filter(({ id }) => (long ? hashes[id] : id === 18 || id === 20)))('$name', (row) => {
  const octets = material.slice(100, 100 + row.keySize)
  test.each(sizes)('%i octets: every provider seals and opens what is done in one go', (size) => {
    for (const message of messages(size)) {
      const expected = inOneGo(row, octets, message)
      for (const { name, rows } of suites) {
        using key = new Key(rows.find(({ id }) => id === row.id)!, octets)
        const sealed = key.encryptBehind(BLOCK, USAGE, partsOf(message), () => confounder)
        expect(equal(sealed.subarray(BLOCK), expected), `${name} seals`).toBe(true)
        expect(equal(key.decrypt(USAGE, expected, message.signed), message.text), `${name} opens`).toBe(true)
      }
    }
  })
})
