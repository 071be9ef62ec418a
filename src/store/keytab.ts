/** Keytabs: MIT's file format, versions 0x501 and 0x502. @module */
import { BoundsError, OctetReader, OctetWriter } from '../bytes/cursor.ts'
import { concat, utf8 } from '../bytes/index.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { Key } from '../crypto/key.ts'
import type { ServiceKey } from '../krb5/credential.ts'
import { nameTypes } from '../krb5/messages/codes.ts'
import { type Principal, sameComponents } from '../krb5/names.ts'
import { defaultSalt } from '../krb5/secret.ts'
import { StoreError } from './error.ts'
import { readComponents, readText } from './records.ts'
import { StoredKey } from './storedkey.ts'

/** One key of one principal. */
export interface KeytabEntry {
  readonly principal: Principal
  /** When it was written, in seconds since the epoch. */
  readonly timestamp: number
  readonly kvno: number
  readonly key: StoredKey
}

/** A keytab's entries, in the order of the file. */
export interface Keytab {
  readonly entries: readonly KeytabEntry[]
}

const MAGIC = 5
/** Sizes are signed: a negative one is a hole of so many octets. */
const SIZE = 4

/** More entries than any keytab has: each costs memory some times its octets. */
const MAX_ENTRIES = 262_144

/** An entry and where in the file it is: from its size, which is 4 octets, to its end. */
export interface LocatedKey {
  readonly entry: KeytabEntry
  readonly offset: number
  /** Octets behind the size. */
  readonly size: number
}

/** A keytab's entries with their places, to change it in place. */
export interface LocatedKeytab {
  /** 1 or 2. */
  readonly version: number
  readonly located: readonly LocatedKey[]
  /** Where reading ends: at the end of the file, or at a size of 0. */
  readonly end: number
}

/** Reads a keytab; holes are passed over. Throws {@link StoreError}. */
export const parseKeytab = (octets: Uint8Array): Keytab => ({
  entries: locateKeys(octets).located.map(({ entry }) => entry),
})

/** Reads a keytab as {@link parseKeytab} does and tells where each entry is. Throws {@link StoreError}. */
export function locateKeys(octets: Uint8Array): LocatedKeytab {
  const version = octets[1]
  if (octets[0] !== MAGIC || (version !== 1 && version !== 2))
    throw new StoreError('keytab', 'it does not begin with 05 01 or 05 02', { offset: 0 })
  const littleEndian = version === 1 && isLittleEndian(octets)
  const reader = new OctetReader(octets, { littleEndian })
  reader.uint16()
  const located: LocatedKey[] = []
  while (reader.remaining >= SIZE) {
    const offset = reader.offset
    try {
      const size = reader.int32()
      if (size === 0) return { version, located, end: offset }
      const record = reader.octets(Math.abs(size))
      if (located.length >= MAX_ENTRIES) throw new BoundsError(`more than ${MAX_ENTRIES} entries`)
      if (size > 0) located.push({ entry: readEntry(new OctetReader(record, { littleEndian }), version), offset, size })
    } catch (cause) {
      if (!(cause instanceof BoundsError)) throw cause
      throw new StoreError('keytab', `an entry cannot be read: ${cause.message}`, { offset, cause })
    }
  }
  return { version, located, end: octets.length }
}

/** A hole of as many octets as an entry, to be written over it (the habit of MIT's and Heimdal's libraries). */
export const keytabHole = (size: number): Uint8Array =>
  new OctetWriter().uint32(-size).octets(new Uint8Array(size)).finish()

/**
 * Version 1 is in the byte order of the host that wrote it, which it does not tell: the first size does, as it is within the
 * file in the right order alone.
 */
function isLittleEndian(octets: Uint8Array): boolean {
  const first = octets.subarray(2)
  return first.length >= SIZE && Math.abs(new OctetReader(first, { littleEndian: true }).int32()) < octets.length
}

/** A keytab of version 0x502 with these entries. */
export function formatKeytab(entries: readonly KeytabEntry[]): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(MAGIC, 2), ...entries.map(formatEntry))
}

/** One entry as it is appended to a keytab of version 0x502, its size in front. */
export function formatEntry({ principal, timestamp, kvno, key }: KeytabEntry): Uint8Array {
  const writer = new OctetWriter().uint16(principal.components.length)
  for (const text of [principal.realm, ...principal.components]) {
    const name = utf8(text)
    writer.uint16(name.length).octets(name)
  }
  const octets = key.octets()
  writer.uint32(principal.type).uint32(timestamp).uint8(kvno).uint16(key.keytype).uint16(octets.length).octets(octets)
  const record = writer.uint32(kvno).finish()
  return concat(new OctetWriter().uint32(record.length).finish(), record)
}

/** The entries that a password gives, one per enctype, with the default salt (RFC 4120 §4) unless another is given. */
export function entriesFromPassword(
  principal: Principal,
  password: string,
  {
    kvno,
    timestamp,
    enctypes,
    salt = defaultSalt(principal),
  }: {
    readonly kvno: number
    readonly timestamp: number
    readonly enctypes: readonly Enctype[]
    readonly salt?: Uint8Array | undefined
  },
): KeytabEntry[] {
  return enctypes.map((enctype) => {
    using key = Key.fromPassword(enctype, password, salt)
    return { principal, timestamp, kvno, key: StoredKey.of(key) }
  })
}

/**
 * The keys to work with, of `principal` alone where one is given (its empty realm standing for any), the newest first.
 * Entries of enctypes that are not allowed are left out.
 */
export function keysOf({ entries }: Keytab, enctypes: readonly Enctype[], principal?: Principal): ServiceKey[] {
  return entries
    .filter((entry) => !principal || isOf(entry.principal, principal))
    .flatMap(({ principal, kvno, key: stored }) => {
      const key = stored.key(enctypes)
      return key ? [{ principal, kvno, key }] : []
    })
    .sort((a, b) => b.kvno - a.kvno)
}

const isOf = (entry: Principal, { realm, components }: Principal) =>
  (realm === '' || entry.realm === realm) && sameComponents(entry.components, components)

function readEntry(reader: OctetReader, version: number): KeytabEntry {
  const count = reader.uint16() - (version === 1 ? 1 : 0)
  const data = () => reader.octets(reader.uint16())
  const realm = readText(data())
  const components = readComponents(count, data)
  const type = version === 1 ? nameTypes.unknown : reader.int32()
  const timestamp = reader.uint32()
  const kvno8 = reader.uint8()
  const keytype = reader.uint16()
  const key = new StoredKey(keytype, data())
  const kvno = (reader.remaining >= 4 && reader.uint32()) || kvno8
  return { principal: { type, realm, components }, timestamp, kvno, key }
}
