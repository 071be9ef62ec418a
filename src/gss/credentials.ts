import { GssError } from './error.ts'
import { formatExportedCredentials } from './exportedcredentials.ts'
import type { Name } from './name.ts'
import { mechanismOids, type Oid } from './oids.ts'

/** What credentials are good for (RFC 2743 §1.1.1). */
export type Usage = 'initiate' | 'accept' | 'both'

/** What one mechanism keeps in credentials (RFC 2743 §2.1.1, "credential element"). */
export interface CredentialElement extends Disposable {
  readonly mechanism: Oid
  /** Undefined for an acceptor that takes whatever it has a key for. */
  readonly name: Name | undefined
  readonly usage: Usage
  /** When the element ends, in seconds since the epoch; undefined for never. */
  readonly endtime: number | undefined
  /** The element as the mechanism's C implementation exports it; absent where it cannot be. Throws {@link GssError}. */
  export?(): Uint8Array
}

/** Who to be, or whom to accept as: the elements of one or more mechanisms. Disposing of it wipes its keys. */
export class Credentials implements Disposable {
  readonly #elements: CredentialElement[]
  #negMechs: readonly Oid[] | undefined

  constructor(elements: readonly CredentialElement[]) {
    if (elements.length === 0)
      throw new GssError('GSS_S_NO_CRED', 'credentials need the element of at least one mechanism')
    this.#elements = [...elements]
  }

  /** The element of `mechanism`; undefined when there is none. */
  element(mechanism: Oid): CredentialElement | undefined {
    return this.#elements.find((element) => element.mechanism === mechanism)
  }

  /**
   * Adds the element of another mechanism (GSS_Add_cred, RFC 2743 §2.1.4); these credentials dispose of it from then on.
   * Throws {@link GssError} GSS_S_DUPLICATE_ELEMENT when the mechanism has one here.
   */
  add(element: CredentialElement): void {
    if (this.element(element.mechanism))
      throw new GssError('GSS_S_DUPLICATE_ELEMENT', `the mechanism ${element.mechanism} has its element already`)
    this.#elements.push(element)
  }

  /** The first element's name; undefined for an acceptor that takes whatever it has a key for. */
  get name(): Name | undefined {
    return this.#elements[0]!.name
  }

  get usage(): Usage {
    return this.#elements[0]!.usage
  }

  /** The mechanisms that can use these credentials. */
  get mechs(): readonly Oid[] {
    return this.#elements.map(({ mechanism }) => mechanism)
  }

  /**
   * Lets SPNEGO negotiate these mechanisms alone, in decreasing preference (GSS_Set_neg_mechs, RFC 4178 §A.1). Throws
   * {@link GssError} GSS_S_BAD_MECH for an empty list.
   */
  setNegMechs(mechs: readonly Oid[]): void {
    if (mechs.length === 0) throw new GssError('GSS_S_BAD_MECH', 'there is nothing to negotiate')
    this.#negMechs = [...mechs]
  }

  /** What SPNEGO may negotiate (GSS_Get_neg_mechs, RFC 4178 §A.2); undefined for all that these credentials have. */
  get negMechs(): readonly Oid[] | undefined {
    return this.#negMechs
  }

  /** When the first element ends, in seconds since the epoch; undefined for never. */
  get endtime(): number | undefined {
    return this.#elements[0]!.endtime
  }

  /**
   * The credentials as a token (gss_export_cred), which C programs import: MIT's form, with the keys in the clear. These
   * ones remain as they are. Throws {@link GssError} GSS_S_UNAVAILABLE when an element cannot be exported.
   */
  export(): Uint8Array {
    const elements = this.#elements.map((element) => {
      if (!element.export)
        throw new GssError('GSS_S_UNAVAILABLE', `credentials of the mechanism ${element.mechanism} are not exported`)
      return { mechanism: element.mechanism, token: element.export() }
    })
    // C programs that negotiate look for SPNEGO's own: the others once more
    const negotiated = { mechanism: mechanismOids.spnego, token: formatExportedCredentials(elements) }
    return formatExportedCredentials([...elements, negotiated])
  }

  [Symbol.dispose](): void {
    for (const element of this.#elements) element[Symbol.dispose]()
  }
}
