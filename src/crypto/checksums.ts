/** Every checksum type (RFC 3961 §4 and the IANA registry), with a key or without. @module */
import { concat } from '../bytes/index.ts'
import { hmacMd5Checksum } from './enctypes/arcfour.ts'
import { partsOf } from './enctypes/profile.ts'
import type { Key } from './key.ts'
import { crc32 } from './legacy/crc32.ts'
import { md4 } from './legacy/md4.ts'
import { fastest } from './primitives/fastest.ts'

/** What is known of a checksum type. */
export interface ChecksumType {
  /** IANA Kerberos checksum type number. */
  readonly id: number
  readonly name: string
  /** Octets. */
  readonly size: number
  /** Whether it proves who made it: those without a key prove nothing, not even that nothing was changed. */
  readonly keyed: boolean
  /** The enctype whose keys make it; undefined for those without a key, and for the ones that take any key. */
  readonly enctype?: number
}

const plain = (id: number, name: string, size: number): ChecksumType => ({ id, name, size, keyed: false })
const keyed = (id: number, name: string, size: number, enctype?: number): ChecksumType =>
  enctype === undefined ? { id, name, size, keyed: true } : { id, name, size, keyed: true, enctype }

const HMAC_MD5 = -138
const MD5_HMAC = -137

/** The checksum types spoken, by number. */
export const checksumTypes: readonly ChecksumType[] = [
  plain(1, 'crc32', 4),
  plain(2, 'rsa-md4', 16),
  plain(7, 'rsa-md5', 16),
  plain(14, 'sha1', 20),
  keyed(12, 'hmac-sha1-des3-kd', 20, 16),
  keyed(15, 'hmac-sha1-96-aes128', 12, 17),
  keyed(16, 'hmac-sha1-96-aes256', 12, 18),
  keyed(17, 'cmac-camellia128', 16, 25),
  keyed(18, 'cmac-camellia256', 16, 26),
  keyed(19, 'hmac-sha256-128-aes128', 16, 19),
  keyed(20, 'hmac-sha384-192-aes256', 24, 20),
  keyed(HMAC_MD5, 'hmac-md5', 16),
  keyed(MD5_HMAC, 'md5-hmac', 16),
]

/** What is known of a number; undefined for what is not spoken. */
export const checksumTypeById = (id: number): ChecksumType | undefined => checksumTypes.find((type) => type.id === id)

/** What people call a number, spoken or not: `hmac-sha1-96-aes256`, `checksum type 99`. */
export const checksumTypeName = (id: number): string => checksumTypeById(id)?.name ?? `checksum type ${id}`

/**
 * The keyed checksum of `type` over `data`. Throws TypeError when `type` takes no key, or `key` is of an enctype that
 * does not make it: whoever reads a type from a message asks {@link checksumFits} first.
 */
export function keyedChecksum(
  type: ChecksumType,
  key: Key,
  usage: number,
  data: Uint8Array | readonly Uint8Array[],
): Uint8Array {
  if (!checksumFits(type, key)) throw new TypeError(`${key.enctype.name} keys make no ${type.name} checksum`)
  if (type.enctype !== undefined) return key.checksum(usage, data)
  const octets = key.octets()
  const parts = partsOf(data)
  const checksum = hmacMd5Checksum(fastest, octets, usage, parts, type.id === HMAC_MD5)
  octets.fill(0)
  return checksum
}

/** Whether `key` can make checksums of `type`. */
export const checksumFits = (type: ChecksumType, key: Key): boolean =>
  type.keyed && (type.enctype === undefined || type.enctype === key.enctype.id)

/** The checksum of `type` over `data`, for which there is no key. Throws TypeError when `type` takes one. */
export function plainChecksum(type: ChecksumType, ...data: readonly Uint8Array[]): Uint8Array {
  const make = plainChecksums[type.id]
  if (!make) throw new TypeError(`${type.name} checksums are made with a key`)
  return make(concat(...data))
}

const plainChecksums: Readonly<Record<number, (data: Uint8Array) => Uint8Array>> = {
  1: crc32,
  2: md4,
  7: (data) => fastest.hash('md5', data),
  14: (data) => fastest.hash('sha1', data),
}
