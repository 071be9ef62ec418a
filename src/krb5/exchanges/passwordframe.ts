/** The frame that an AP message and a KRB-PRIV travel in between client and password server (RFC 3244 §2). @module */
import { BoundsError, OctetReader, OctetWriter } from '../../bytes/cursor.ts'

/** Versions of the protocol: to change one's own password, and to set anybody's (RFC 3244 §2). */
export const passwordVersions = { change: 1, set: 0xff80 } as const

/** A request or a reply. */
export interface PasswordFrame {
  readonly version: number
  /** AP-REQ or AP-REP; empty when a KRB-ERROR follows. */
  readonly ap: Uint8Array
  /** KRB-PRIV or KRB-ERROR. */
  readonly rest: Uint8Array
}

/** Octets in front of the AP message. */
const HEADER = 6
/** The length in front has 16 bits. */
const MAX_MESSAGE = 0xffff

/** Throws RangeError for more octets than the length in front can tell. */
export function formatPasswordFrame({ version, ap, rest }: PasswordFrame): Uint8Array {
  const size = HEADER + ap.length + rest.length
  if (size > MAX_MESSAGE) throw new RangeError(`${size} octets do not fit a message to a password server`)
  return new OctetWriter().uint16(size).uint16(version).uint16(ap.length).octets(ap).octets(rest).finish()
}

/** Undefined for octets that are no such frame. */
export function parsePasswordFrame(octets: Uint8Array): PasswordFrame | undefined {
  try {
    const reader = new OctetReader(octets)
    if (reader.uint16() !== octets.length) return undefined
    const version = reader.uint16()
    const ap = reader.octets(reader.uint16())
    return { version, ap, rest: reader.rest() }
  } catch (error) {
    if (error instanceof BoundsError) return undefined
    throw error
  }
}
