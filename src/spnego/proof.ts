import { equal } from '../bytes/index.ts'
import { type EstablishedContext, GssError } from '../gss/index.ts'
import type { NegTokenResp } from './messages.ts'
import { defective } from './tokens.ts'

/**
 * Proofs that both sides saw the same list of mechanisms (RFC 4178 §5). Once one was asked for, sent or received, both
 * have to be exchanged. A mechanism that cannot make them cannot be chosen where they are required: RFC 4178 would let
 * it pass, and whoever alters the list with it.
 */
export class MechListProof {
  /** The encoded list as it was in the first message. */
  readonly #mechTypes: Uint8Array
  #required = false
  #sent = false
  #received = false

  constructor(mechTypes: Uint8Array) {
    this.#mechTypes = mechTypes
  }

  /** Whether both proofs have to be exchanged. */
  get required(): boolean {
    return this.#required
  }

  get sent(): boolean {
    return this.#sent
  }

  get received(): boolean {
    return this.#received
  }

  /** From now on nothing completes without them. */
  require(): void {
    this.#required = true
  }

  /** Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN when `mic` does not prove the list (RFC 4178 §5 b II, c II). */
  verify(mic: Uint8Array, context: EstablishedContext): void {
    try {
      context.verify(this.#mechTypes, mic)
    } catch (cause) {
      if (!(cause instanceof GssError)) throw cause
      throw defective('the list of mechanisms was altered on its way: its MIC does not verify', { cause })
    }
    this.#required = true
    this.#received = true
  }

  /** The proof to send. Throws {@link GssError} when the mechanism has no integrity protection. */
  make(context: EstablishedContext): Uint8Array {
    this.#required = true
    this.#sent = true
    return context.sign(this.#mechTypes)
  }
}

/** The MIC in a message. Windows 2000 repeats the token in its place, which proves nothing. */
export function micOf({ mechListMIC, responseToken }: NegTokenResp): Uint8Array | undefined {
  return mechListMIC && responseToken && equal(mechListMIC, responseToken) ? undefined : mechListMIC
}
