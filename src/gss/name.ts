import { GssError } from './error.ts'
import { formatExportedName, parseExportedName } from './exportedname.ts'
import { nameTypeOids, type Oid } from './oids.ts'

/** Whatever knows the names of one mechanism. */
export interface NameAuthority {
  /** Throws {@link GssError} GSS_S_BAD_NAMETYPE or GSS_S_BAD_NAME. */
  canonicalize(name: Name): Name
}

/** A name of a user or a service (RFC 2743 §1.1.5): a text and the syntax it is written in. */
export class Name {
  readonly text: string
  /** The name type; undefined for the mechanism's own default syntax. */
  readonly type: Oid | undefined
  /** The mechanism that made it canonical; undefined for a name as a person wrote it. */
  readonly mechanism: Oid | undefined

  constructor(text: string, type?: Oid, mechanism?: Oid) {
    if (text === '' && type !== nameTypeOids.anonymous) throw new GssError('GSS_S_BAD_NAME', 'the name is empty')
    if (text.includes('\0')) throw new GssError('GSS_S_BAD_NAME', 'the name holds a NUL character')
    this.text = text
    this.type = type
    this.mechanism = mechanism
  }

  /** `service@host`, or `service` for this host's (RFC 2743 §4.1). */
  static hostbased(text: string): Name {
    return new Name(text, nameTypeOids.hostbased)
  }

  /** `user` or `primary/instance@REALM` (RFC 1964 §2.1.1). */
  static principal(text: string): Name {
    return new Name(text, nameTypeOids.krb5Principal)
  }

  /** A user's name (RFC 2743 §4.2). */
  static user(text: string): Name {
    return new Name(text, nameTypeOids.user)
  }

  /** A user's name as an address, whose realm the KDCs find (RFC 6806 §5): `carol@corp.example`. */
  static enterprise(text: string): Name {
    return new Name(text, nameTypeOids.krb5Enterprise)
  }

  /** Nobody in particular (RFC 2743 §4.5). */
  static anonymous(): Name {
    return new Name('', nameTypeOids.anonymous)
  }

  /** The name in a token of RFC 2743 §3.2, or in MIT's composite one, whose attributes are left out. Throws {@link GssError}. */
  static exported(token: Uint8Array): Name {
    const { mechanism, text } = parseExportedName(token)
    return new Name(text, nameTypeOids.exported, mechanism)
  }

  /**
   * A token that tells the name from all others of its mechanism, to be kept in access lists and compared octet by octet
   * (RFC 2743 §3.2). Throws {@link GssError} GSS_S_NAME_NOT_MN for a name that was not made canonical.
   */
  export(): Uint8Array {
    if (this.mechanism === undefined)
      throw new GssError('GSS_S_NAME_NOT_MN', `${this.text} is exported once a mechanism has made it canonical`)
    return formatExportedName(this.mechanism, this.text)
  }

  /** The name as `mechanism` knows it; two names of different types are equal when this makes them so (RFC 2743 §1.1.5). */
  canonicalize(mechanism: NameAuthority): Name {
    return mechanism.canonicalize(this)
  }

  /** Whether both are the same text in the same syntax (RFC 2743 §2.4.3). */
  equals(other: Name): boolean {
    return this.text === other.text && this.type === other.type
  }

  toString(): string {
    return this.text
  }
}
