/** What is known of an initiator besides its name (RFC 6680). @module */

/** One value of an attribute. */
export interface AttributeValue {
  readonly octets: Uint8Array
  /** The same for people; undefined where there is no such form. */
  readonly display: string | undefined
}

/** An attribute of a name (RFC 6680 §7.5, GSS_Get_name_attribute). */
export interface NameAttribute {
  readonly values: readonly AttributeValue[]
  /** Whether its origin was verified; it is the initiator's own word else, and nothing may be decided by it. */
  readonly authenticated: boolean
  /** Whether these are all values that there are. */
  readonly complete: boolean
}

/** The attributes of an initiator's name: what those that are authenticated say, and each of them as it is. */
export interface InitiatorAttributes {
  /** How the initiator proved itself to the KDC (RFC 8129). */
  readonly indicators: readonly string[]
  /** Security identifiers as text: its own, undefined in a ticket without a PAC, and those of its groups. */
  readonly user: string | undefined
  readonly groups: readonly string[]
  /** Groups that count only where access is denied. */
  readonly denied: readonly string[]
  /**
   * All by the names that MIT's library gives them, also what is **not authenticated**: `auth-indicators`, the PAC
   * (`urn:mspac:`) and its buffers (`urn:mspac:logon-info`, or the number of one that has no name). Undefined in sessions
   * and on connections that are remembered, where only what they say is kept.
   */
  readonly named?: ReadonlyMap<string, NameAttribute> | undefined
}
