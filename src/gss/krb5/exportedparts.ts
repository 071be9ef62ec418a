/** The parts that an exported context of MIT krb5 is made of. @module */
import { BoundsError, OctetReader } from '../../bytes/cursor.ts'
import type { EncryptionKey } from '../../krb5/messages/basics.ts'

/** The numbers that MIT puts around each part (its `krb5.h` and `ser_sctx.c`). */
export const magic = {
  context: 0x025ea108,
  principal: 0x970ea701,
  keyblock: 0x970ea703,
  authorizationData: 0x970ea70a,
  address: 0x970ea722,
  library: 0x970ea724,
  clock: 0x970ea725,
  authenticator: 0x970ea70e,
  checksum: 0x970ea704,
  authContext: 0x970ea729,
  oid: 0x970ea737,
  sequence: 0x970ea738,
  profile: 0xaaca6012,
} as const

/** Optional members of MIT's auth context that are an address, and those that are a key. */
const ADDRESSES = [950916, 950917, 950918, 950919]
const KEYS = [950920, 950921, 950922]

/** Most members of any list, and longest octets of any member, that are read. */
const MAX_MEMBERS = 256
const MAX_OCTETS = 1 << 20

/** Reads MIT's parts. Throws BoundsError. */
export class PartReader extends OctetReader {
  /** Passes over that very number. */
  expect(number: number): void {
    const found = this.uint32()
    if (found !== number)
      throw new BoundsError(`${number.toString(16)} wanted before offset ${this.offset}, not ${found.toString(16)}`)
  }

  /** Passes over so many numbers of 32 bits. */
  skip(words: number): void {
    this.octets(4 * words)
  }

  /** How many members a list has. */
  count(): number {
    const count = this.uint32()
    if (count > MAX_MEMBERS) throw new BoundsError(`a list of ${count} before offset ${this.offset}`)
    return count
  }

  /** A run of octets behind its length; a copy, so that the token can be wiped. */
  run(): Uint8Array {
    const size = this.uint32()
    if (size > MAX_OCTETS) throw new BoundsError(`${size} octets before offset ${this.offset}`)
    return this.octets(size).slice()
  }

  /** A part between two of the same number. */
  within<T>(number: number, read: () => T): T {
    this.expect(number)
    const value = read()
    this.expect(number)
    return value
  }

  /** A key with its type. */
  key(): EncryptionKey {
    return this.within(magic.keyblock, () => ({ keytype: this.int32(), keyvalue: this.run() }))
  }

  /** Octets with their type, between two of the same number. */
  typed(number: number): { readonly adType: number; readonly adData: Uint8Array } {
    return this.within(number, () => ({ adType: this.int32(), adData: this.run() }))
  }
}

/** Passes over the settings of the library that wrote the token. */
export function skipLibrary(reader: PartReader): void {
  reader.expect(magic.library)
  reader.run()
  reader.skip(reader.count() + 5)
  let next = reader.uint32()
  if (next === magic.clock) {
    reader.skip(3)
    reader.expect(magic.clock)
    next = reader.uint32()
  }
  if (next === magic.profile) {
    for (let count = reader.count(); count > 0; count--) reader.run()
    reader.expect(magic.profile)
    next = reader.uint32()
  }
  if (next !== magic.library) throw new BoundsError(`settings without an end before offset ${reader.offset}`)
}

/** Passes over what was left of the AP exchange. */
export function skipAuthContext(reader: PartReader): void {
  reader.expect(magic.authContext)
  reader.skip(5)
  reader.run()
  for (let next = reader.uint32(); next !== magic.authContext; next = reader.uint32()) {
    if (ADDRESSES.includes(next)) reader.typed(magic.address)
    else if (KEYS.includes(next)) reader.key()
    else if (next === magic.authenticator) skipAuthenticator(reader)
    else throw new BoundsError(`an unknown part ${next} before offset ${reader.offset}`)
  }
}

function skipAuthenticator(reader: PartReader): void {
  reader.skip(3)
  let next = reader.uint32()
  if (next === magic.principal) {
    reader.run()
    reader.expect(magic.principal)
    next = reader.uint32()
  }
  for (; next === magic.checksum || next === magic.keyblock; next = reader.uint32()) {
    reader.skip(1)
    reader.run()
    reader.expect(next)
  }
  if (next > MAX_MEMBERS) throw new BoundsError(`a list of ${next} before offset ${reader.offset}`)
  for (let count = next; count > 0; count--) reader.typed(magic.authorizationData)
  reader.expect(magic.authenticator)
}
