/** Credential caches: MIT's FILE format, versions 1 to 4. @module */
import { BoundsError, OctetReader, OctetWriter } from '../bytes/cursor.ts'
import { concat } from '../bytes/index.ts'
import type { Principal } from '../krb5/names.ts'
import { type CcacheEntry, formatCcacheEntry, isRemoved, readEntry } from './ccacheentry.ts'
import { StoreError } from './error.ts'
import { MAX_COMPONENTS, readPrincipal, writePrincipal } from './records.ts'

/** What a credential cache holds, wherever it is kept. */
export interface CacheContents {
  /** The KDC's clock less ours when the tickets came, in microseconds. */
  readonly clockOffset: number
  readonly principal: Principal
  readonly entries: readonly CcacheEntry[]
}

/** A credential cache as a file. */
export interface Ccache extends CacheContents {
  /** 1 to 4. */
  readonly version: number
}

/** An entry and where in the file it is, in octets. */
export interface LocatedEntry {
  readonly entry: CcacheEntry
  readonly offset: number
}

const MAGIC = 5
/** Header tag of the KDC's clock offset: seconds and microseconds, 32 bits each. */
const DELTA_TIME = 1
/** More entries than any cache has: each costs memory some times its octets. */
const MAX_ENTRIES = 65_536

/** Reads a cache; removed entries are left out. Throws {@link StoreError}, also for a last entry that was cut short. */
export function parseCcache(octets: Uint8Array): Ccache {
  const { located, ...ccache } = locateEntries(octets)
  return { ...ccache, entries: located.map(({ entry }) => entry) }
}

/** Reads a cache as {@link parseCcache} does and tells where each entry is, to change it in place. Throws {@link StoreError}. */
export function locateEntries(octets: Uint8Array): Omit<Ccache, 'entries'> & { readonly located: LocatedEntry[] } {
  const version = octets[1] ?? 0
  if (octets[0] !== MAGIC || version < 1 || version > 4)
    throw new StoreError('ccache', 'it does not begin with 05 01 to 05 04', { offset: 0 })
  const reader = new OctetReader(octets, { littleEndian: isLittleEndian(octets, version) })
  reader.octets(2)
  let offset = reader.offset
  try {
    const clockOffset = version === 4 ? readHeader(new OctetReader(reader.octets(reader.uint16()))) : 0
    const principal = readPrincipal(reader, version)
    const located: LocatedEntry[] = []
    while (reader.remaining > 0) {
      offset = reader.offset
      if (located.length >= MAX_ENTRIES) throw new BoundsError(`more than ${MAX_ENTRIES} entries`)
      const entry = readEntry(reader, version)
      if (!isRemoved(entry)) located.push({ entry, offset })
    }
    return { version, clockOffset, principal, located }
  } catch (cause) {
    if (!(cause instanceof BoundsError)) throw cause
    throw new StoreError('ccache', `an entry is damaged or cut short: ${cause.message}`, { offset, cause })
  }
}

/** A cache of version 4. */
export function formatCcache({ clockOffset, principal, entries }: CacheContents): Uint8Array<ArrayBuffer> {
  const seconds = Math.floor(clockOffset / 1e6)
  const header = new OctetWriter()
    .uint16(DELTA_TIME)
    .uint16(8)
    .uint32(seconds)
    .uint32(clockOffset - seconds * 1e6)
    .finish()
  const start = new OctetWriter().uint8(MAGIC).uint8(4).uint16(header.length).octets(header)
  return concat(writePrincipal(start, principal).finish(), ...entries.map(formatCcacheEntry))
}

/**
 * Versions 1 and 2 are in the byte order of the host that wrote them, which they do not tell: the number of components of
 * the first name does, as it is small in the right order alone.
 */
function isLittleEndian(octets: Uint8Array, version: number): boolean {
  if (version > 2) return false
  const count = octets.subarray(version === 1 ? 2 : 6)
  return count.length >= 4 && new OctetReader(count, { littleEndian: true }).uint32() <= MAX_COMPONENTS + 1
}

function readHeader(header: OctetReader): number {
  let clockOffset = 0
  while (header.remaining > 0) {
    const tag = header.uint16()
    const field = new OctetReader(header.octets(header.uint16()))
    if (tag === DELTA_TIME) clockOffset = field.int32() * 1e6 + field.int32()
  }
  return clockOffset
}
