import type { Exchange, Questions } from '../effects/index.ts'
import type { EstablishedContext, Handshake, Mechanism } from '../gss/index.ts'

/** A mechanism on its way: its handshake, then its context, until somebody takes that over. */
export class Inner<Q extends Questions<Q>> implements Disposable {
  readonly mechanism: Mechanism<Q>
  readonly #handshake: Handshake<Q>
  #context: EstablishedContext | undefined

  constructor(mechanism: Mechanism<Q>, handshake: Handshake<Q>) {
    this.mechanism = mechanism
    this.#handshake = handshake
  }

  /** Present once this side of the mechanism is done. */
  get context(): EstablishedContext | undefined {
    return this.#context
  }

  /** The token that the mechanism wants sent, if any. Throws GssError. */
  *step(token?: Uint8Array): Exchange<Q, Uint8Array | undefined> {
    const leg = yield* this.#handshake.step(token)
    this.#context = leg.context
    return leg.token
  }

  /** Gives the established context away: from now on it is not disposed of with the rest. */
  release(): EstablishedContext | undefined {
    const context = this.#context
    this.#context = undefined
    return context
  }

  [Symbol.dispose](): void {
    this.#handshake[Symbol.dispose]()
    this.release()?.[Symbol.dispose]()
  }
}
