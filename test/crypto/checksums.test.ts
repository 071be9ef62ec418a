import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../src/bytes/index.ts'
import {
  checksumFits,
  checksumTypeById,
  checksumTypes,
  keyedChecksum,
  plainChecksum,
} from '../../src/crypto/checksums.ts'
import { deprecatedEnctypes, enctypeById, enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { vectors } from '../support/vectors.ts'

const rc4 = vectors<{
  checksum: { checksum_type: number; usage: number; key: string; data: string; checksum: string }[]
}>('rfc4757_rc4_hmac')

describe('checksum types', () => {
  test.each([...enctypes, ...deprecatedEnctypes])(
    'the one of $name has its size',
    ({ id, checksumId, checksumSize }) => {
      const type = checksumTypeById(checksumId)
      expect(type).toMatchObject({ id: checksumId, size: checksumSize, keyed: true })
      if (checksumId > 0) expect(type?.enctype).toBe(id)
    },
  )
  test.each(vectors<{ vectors: { input: string; crc_octets: string }[] }>('rfc3961_modcrc32').vectors)(
    'CRC-32 of $input (RFC 3961 §A.5)',
    ({ input, crc_octets }) => expect(toHex(plainChecksum(checksumTypeById(1)!, fromHex(input)))).toBe(crc_octets),
  )
  test.each([
    [2, 'a448017aaf21d8525fc10ae87aa6729d', 'RFC 1320 §A.5'],
    [7, '900150983cd24fb0d6963f7d28e17f72', 'RFC 1321 §A.5'],
    [14, 'a9993e364706816aba3e25717850c26c9cd0d89d', 'FIPS 180-4'],
  ])('number %i of "abc" is %s (%s)', (id, checksum) =>
    expect(toHex(plainChecksum(checksumTypeById(id)!, utf8('a'), utf8('bc')))).toBe(checksum),
  )
  test.each(rc4.checksum)('$checksum_type, usage $usage (RFC 4757 §4)', (vector) => {
    // One is Windows' own use of an AES key.
    const key = new Key(enctypeById(vector.key.length === 64 ? 18 : 23)!, fromHex(vector.key))
    const data = fromHex(vector.data)
    const made = keyedChecksum(checksumTypeById(vector.checksum_type)!, key, vector.usage, [
      data.subarray(0, 1),
      data.subarray(1),
    ])
    expect(toHex(made)).toBe(vector.checksum)
  })
  test('Windows makes hmac-md5 with keys of any enctype (MS-SFU §2.2.1)', () => {
    const type = checksumTypeById(-138)!
    const octets = fromHex('000102030405060708090a0b0c0d0e0f')
    const [aes, arcfour] = [17, 23].map((id) => new Key(enctypeById(id)!, octets))
    expect(keyedChecksum(type, aes!, 17, utf8('S4U'))).toEqual(keyedChecksum(type, arcfour!, 17, utf8('S4U')))
  })
  test('a key of another enctype makes none', () => {
    const key = new Key(enctypeById(17)!, new Uint8Array(16))
    const fitting = checksumTypes.filter((type) => checksumFits(type, key)).map(({ id }) => id)
    expect(fitting).toEqual([15, -138, -137])
    expect(() => keyedChecksum(checksumTypeById(16)!, key, 1, utf8(''))).toThrow(TypeError)
    expect(() => keyedChecksum(checksumTypeById(7)!, key, 1, utf8(''))).toThrow(TypeError)
    expect(() => plainChecksum(checksumTypeById(15)!, utf8(''))).toThrow(TypeError)
  })
})
