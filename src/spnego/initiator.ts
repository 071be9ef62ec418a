import type { Exchange, Questions } from '../effects/index.ts'
import { GssError, type Handshake, type Initiation, type Leg, type Mechanism, type Oid } from '../gss/index.ts'
import { answersTo, negotiable } from './choice.ts'
import { mechanismName } from './foreign.ts'
import { Inner } from './inner.ts'
import type { NegTokenResp } from './messages.ts'
import { MechListProof, micOf } from './proof.ts'
import { checkSize, defective, encodeInit, encodeMechTypes, encodeResponse, readHints, readResponse } from './tokens.ts'

/** Messages that are read before the peer is given up: no mechanism takes as many. */
export const LEGS_MAX = 32

/** The initiator's side of a negotiation (RFC 4178): offers mechanisms in order, with a token of the first. */
export class SpnegoInitiator<Q extends Questions<Q>> implements Handshake<Q> {
  readonly #request: Initiation
  /** In decreasing preference; after the first step, the ones that were offered. */
  #mechanisms: readonly Mechanism<Q>[]
  #inner: Inner<Q> | undefined
  /** Present once the list was sent. */
  #proof: MechListProof | undefined
  #answers = 0

  constructor(mechanisms: readonly Mechanism<Q>[], request: Initiation) {
    this.#request = request
    this.#mechanisms = negotiable(mechanisms, request.credentials)
  }

  *step(token?: Uint8Array): Exchange<Q, Leg> {
    if (token) checkSize(token)
    if (!this.#proof) return yield* this.#offer(token)
    const response = readResponse(token)
    if (++this.#answers > LEGS_MAX) throw defective(`the acceptor wants more than ${LEGS_MAX} messages`)
    return yield* this.#proceed(response, this.#proof)
  }

  *#offer(token: Uint8Array | undefined): Exchange<Q, Leg> {
    if (token?.length) this.#heed(readHints(token).mechTypes.value)
    const mechToken = yield* this.#begin()
    const mechTypes = encodeMechTypes(this.#mechanisms.map(({ oid }) => oid))
    this.#proof = new MechListProof(mechTypes)
    return { token: encodeInit(mechTypes, mechToken) }
  }

  /** Hints are nobody's word: they spare a useless offer, but do not change its order. */
  #heed(hinted: readonly Oid[]): void {
    const shared = this.#mechanisms.filter((mechanism) => hinted.some((oid) => answersTo(mechanism, oid)))
    if (shared.length > 0) return
    throw new GssError('GSS_S_BAD_MECH', `the acceptor speaks ${hinted.map(mechanismName).join(', ')} alone`)
  }

  /** The optimistic token; a mechanism that cannot even begin is not offered (as MIT krb5 does since 1.18). */
  *#begin(): Exchange<Q, Uint8Array | undefined> {
    let failure: GssError | undefined
    for (;;) {
      const mechanism = this.#mechanisms[0]
      if (!mechanism) throw failure!
      try {
        return yield* this.#select(mechanism).step()
      } catch (error) {
        if (!(error instanceof GssError)) throw error
        failure ??= error
        this.#mechanisms = this.#mechanisms.slice(1)
      }
    }
  }

  #select(mechanism: Mechanism<Q>): Inner<Q> {
    this.#inner?.[Symbol.dispose]()
    this.#inner = new Inner(mechanism, mechanism.initiate(this.#request))
    return this.#inner
  }

  *#proceed(response: NegTokenResp, proof: MechListProof): Exchange<Q, Leg> {
    const { negState, responseToken, supportedMech } = response
    const first = this.#answers === 1
    if (negState === 'reject') return yield* this.#rejected(response)
    if (negState === 'requestMic') {
      if (!first) throw defective('the acceptor asks for a MIC in the middle of the negotiation')
      proof.require()
    }
    const counterProposal = first ? this.#counterProposal(supportedMech) : undefined
    const inner = counterProposal ? this.#select(counterProposal) : this.#inner!
    const waited = inner.context !== undefined
    let sending: Uint8Array | undefined
    if (counterProposal) {
      proof.require()
      if (responseToken?.length) throw defective(`the acceptor begins ${counterProposal.name}, which is ours to begin`)
      sending = yield* inner.step()
    } else if (!inner.context) {
      if (!responseToken) throw defective(`the acceptor sent no token of ${inner.mechanism.name}`)
      sending = yield* inner.step(responseToken)
    } else if (responseToken?.length) throw defective(`a token of ${inner.mechanism.name} follows its last`)
    if (negState === 'acceptCompleted' && (sending || !inner.context))
      throw defective(`the acceptor is done, but ${inner.mechanism.name} is not`)
    if (negState === 'acceptIncomplete' && waited && !response.mechListMIC)
      throw defective(`the acceptor waits for a token, but ${inner.mechanism.name} has no more`)
    return this.#conclude(response, sending, inner, proof)
  }

  #conclude(response: NegTokenResp, sending: Uint8Array | undefined, inner: Inner<Q>, proof: MechListProof): Leg {
    const { context } = inner
    const mic = micOf(response)
    if (!context) {
      if (mic) throw defective('the MIC comes before the context that makes it')
      return { token: encodeResponse({ negState: 'acceptIncomplete', responseToken: sending }) }
    }
    if (mic) proof.verify(mic, context)
    if (!proof.required) {
      // RFC 4178 §5 c: whoever sends the last token of the mechanism waits for the acceptor's word.
      if (sending) return { token: encodeResponse({ negState: 'acceptIncomplete', responseToken: sending }) }
      return { context: inner.release() }
    }
    if (!proof.received) {
      // RFC 4178 §5 b IV: the acceptor, which sent the last token, had to send its MIC with it.
      if (!sending) throw defective('the MIC of the list of mechanisms is required, and missing')
      const mechListMIC = proof.make(context)
      return { token: encodeResponse({ negState: 'acceptIncomplete', responseToken: sending, mechListMIC }) }
    }
    if (proof.sent) return { context: inner.release() }
    const mechListMIC = proof.make(context)
    const token = encodeResponse({ negState: 'acceptCompleted', responseToken: sending, mechListMIC })
    return { token, context: inner.release() }
  }

  /**
   * The mechanism that the acceptor wants instead of the first; undefined when it takes the first, also under another
   * of its identifiers (Samba), or does not say (Java).
   */
  #counterProposal(supportedMech: Oid | undefined): Mechanism<Q> | undefined {
    const optimistic = this.#mechanisms[0]!
    if (supportedMech === undefined || answersTo(optimistic, supportedMech)) return undefined
    const chosen = this.#mechanisms.find((mechanism) => answersTo(mechanism, supportedMech))
    if (chosen) return chosen
    throw defective(`the acceptor chose ${mechanismName(supportedMech)}, which was not offered`)
  }

  /** Always throws: what the mechanism makes of the acceptor's last token, if there is one. */
  *#rejected({ responseToken }: NegTokenResp): Exchange<Q, never> {
    const inner = this.#inner!
    if (responseToken && !inner.context) yield* inner.step(responseToken)
    const offered = this.#mechanisms.map(({ name }) => name).join(', ')
    throw new GssError('GSS_S_FAILURE', `the acceptor rejects the negotiation (offered: ${offered})`, {
      minor: 'reject',
    })
  }

  [Symbol.dispose](): void {
    this.#inner?.[Symbol.dispose]()
  }
}
