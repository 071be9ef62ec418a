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

/** Optional members of MIT's auth context that are an address. */
const ADDRESSES = [950916, 950917, 950918, 950919]
/** Those that are a key: the session's, and the subkeys of either direction. */
export const authContextKeys = { session: 950920, send: 950921, receive: 950922 } as const
const KEYS: readonly number[] = Object.values(authContextKeys)

/** Most members of any list, and longest octets of any member, that are read. */
const MAX_MEMBERS = 256
const MAX_OCTETS = 1 << 20

/** Reads MIT's parts. Throws BoundsError. */
export class PartReader extends OctetReader {
  /** Copies of keys that were read: to be wiped where the token turns out to be malformed. */
  readonly keys: Uint8Array[] = []

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
    return this.#run().slice()
  }

  /** Passes over a run of octets. */
  skipRun(): void {
    this.#run()
  }

  #run(): Uint8Array {
    const size = this.uint32()
    if (size > MAX_OCTETS) throw new BoundsError(`${size} octets before offset ${this.offset}`)
    return this.octets(size)
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
    return this.within(magic.keyblock, () => {
      const key = { keytype: this.int32(), keyvalue: this.run() }
      this.keys.push(key.keyvalue)
      return key
    })
  }

  /** Passes over octets with their type, between two of the same number, the first of which was read if `begun`. */
  skipTyped(number: number, begun = false): void {
    if (!begun) this.expect(number)
    this.skip(1)
    this.#run()
    this.expect(number)
  }

  /** Octets with their type, between two of the same number. */
  typed(number: number): { readonly adType: number; readonly adData: Uint8Array } {
    return this.within(number, () => ({ adType: this.int32(), adData: this.run() }))
  }
}

/** Passes over the settings of the library that wrote the token, of which the first number was read. */
export function skipLibrary(reader: PartReader): void {
  reader.skipRun()
  reader.skip(reader.count() + 5)
  let next = reader.uint32()
  if (next === magic.clock) {
    reader.skip(3)
    reader.expect(magic.clock)
    next = reader.uint32()
  }
  if (next === magic.profile) {
    for (let count = reader.count(); count > 0; count--) reader.skipRun()
    reader.expect(magic.profile)
    next = reader.uint32()
  }
  if (next !== magic.library) throw new BoundsError(`settings without an end before offset ${reader.offset}`)
}

/** What an AP-REP is made and verified with. */
export interface ApState {
  readonly sessionKey: EncryptionKey
  /** As the authenticator has them: seconds since the epoch, and microseconds beyond. */
  readonly time: number
  readonly micros: number
}

/** Passes over what was left of the AP exchange, of which `wanted` only while it goes on; undefined where it is not all there. */
export function readAuthContext(reader: PartReader, wanted: boolean): ApState | undefined {
  let sessionKey: EncryptionKey | undefined
  let sent: Omit<ApState, 'sessionKey'> | undefined
  reader.expect(magic.authContext)
  reader.skip(5)
  reader.skipRun()
  for (let next = reader.uint32(); next !== magic.authContext; next = reader.uint32()) {
    if (ADDRESSES.includes(next)) reader.skipTyped(magic.address)
    else if (next === authContextKeys.session && wanted) sessionKey = reader.key()
    else if (KEYS.includes(next)) reader.skipTyped(magic.keyblock)
    else if (next === magic.authenticator) sent = readAuthenticator(reader)
    else throw new BoundsError(`an unknown part ${next} before offset ${reader.offset}`)
  }
  return sessionKey && sent && { sessionKey, ...sent }
}

function readAuthenticator(reader: PartReader): Omit<ApState, 'sessionKey'> {
  const sent = { time: reader.uint32(), micros: reader.uint32() }
  reader.skip(1)
  let next = reader.uint32()
  if (next === magic.principal) {
    reader.skipRun()
    reader.expect(magic.principal)
    next = reader.uint32()
  }
  for (; next === magic.checksum || next === magic.keyblock; next = reader.uint32()) reader.skipTyped(next, true)
  if (next > MAX_MEMBERS) throw new BoundsError(`a list of ${next} before offset ${reader.offset}`)
  for (let count = next; count > 0; count--) reader.skipTyped(magic.authorizationData)
  reader.expect(magic.authenticator)
  return sent
}
