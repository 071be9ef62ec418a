import type { Exchange, Questions } from '../effects/index.ts'
import { isFramed } from '../gss/frame.ts'
import {
  type Acceptance,
  GssError,
  type Handshake,
  type Leg,
  type Mechanism,
  mechanismOids,
  type Oid,
} from '../gss/index.ts'
import { answersTo, negotiable } from './choice.ts'
import { isNtlm, mechanismName, ntlmAdvice } from './foreign.ts'
import { LEGS_MAX } from './initiator.ts'
import { Inner } from './inner.ts'
import type { NegState, NegTokenResp } from './messages.ts'
import { isNegoEx, negoExName } from './negoex.ts'
import { MechListProof, micOf } from './proof.ts'
import { checkSize, defective, encodeHints, encodeResponse, readFrame, readInit, readResponse } from './tokens.ts'

/** What of the peer's message concerns the mechanism. */
type Received = Pick<NegTokenResp, 'responseToken' | 'mechListMIC'>

/** The acceptor's side of a negotiation (RFC 4178). Takes the first mechanism of the initiator's list that it knows. */
export class SpnegoAcceptor<Q extends Questions<Q>> implements Handshake<Q> {
  readonly #request: Acceptance
  readonly #mechanisms: readonly Mechanism<Q>[]
  #inner: Inner<Q> | undefined
  /** Present once a list was received; absent for good when the initiator speaks a mechanism without negotiating. */
  #proof: MechListProof | undefined
  /** The choice, until a reply has told it. */
  #untold: Oid | undefined
  #hinted = false
  #messages = 0

  constructor(mechanisms: readonly Mechanism<Q>[], request: Acceptance) {
    this.#request = request
    this.#mechanisms = negotiable(mechanisms, request.credentials)
  }

  *step(token: Uint8Array = new Uint8Array()): Exchange<Q, Leg> {
    checkSize(token)
    if (++this.#messages > LEGS_MAX) throw defective(`the initiator sends more than ${LEGS_MAX} messages`)
    const inner = this.#inner
    if (!inner) return yield* this.#first(token)
    const proof = this.#proof
    if (!proof) return yield* this.#bare(inner, token)
    return yield* this.#rejecting(() => this.#continue(token, inner, proof))
  }

  *#first(token: Uint8Array): Exchange<Q, Leg> {
    if (token.length === 0) return this.#hint()
    if (isNegoEx(token))
      throw new GssError('GSS_S_BAD_MECH', `the initiator sent ${negoExName(token)} without SPNEGO`, {
        minor: 'NegoEx',
      })
    if (isNtlm(token)) throw new GssError('GSS_S_BAD_MECH', `the initiator sent NTLM: ${ntlmAdvice}`, { minor: 'NTLM' })
    if (!isFramed(token))
      throw defective('this is no first token of a context: it does not begin as RFC 2743 §3.1 says')
    const { mechanism: oid, innerToken } = readFrame(token)
    if (oid === mechanismOids.spnego) return yield* this.#rejecting(() => this.#negotiate(innerToken))
    const mechanism = this.#known(oid)
    if (!mechanism) throw this.#unknown([oid])
    return yield* this.#bare(this.#select(mechanism), token)
  }

  /** A mechanism's own tokens, as if it had been asked for without SPNEGO: answered in kind. */
  *#bare(inner: Inner<Q>, token: Uint8Array): Exchange<Q, Leg> {
    const answer = yield* inner.step(token)
    return { token: answer, context: inner.release() }
  }

  /** Speaks first, as Windows servers do (MS-SPNG §3.2.5.2). */
  #hint(): Leg {
    if (this.#hinted) throw defective('the initiator sent an empty token')
    this.#hinted = true
    return { token: encodeHints(this.#mechanisms.map(({ oid }) => oid)) }
  }

  *#negotiate(innerToken: Uint8Array): Exchange<Q, Leg> {
    const init = readInit(innerToken)
    const oids = init.mechTypes.value
    const index = oids.findIndex((oid) => this.#known(oid))
    const chosen = oids[index]
    if (chosen === undefined) throw this.#unknown(oids, init.mechToken)
    const proof = new MechListProof(init.mechTypes.der)
    this.#proof = proof
    this.#untold = chosen
    const inner = this.#select(this.#known(chosen)!)
    if (index > 0) {
      // The optimistic token is the first mechanism's; that the initiator wanted another more has to be proved (§5).
      proof.require()
      return { token: this.#reply('requestMic') }
    }
    const { name } = inner.mechanism
    if (init.mechToken && isNtlm(init.mechToken))
      throw new GssError('GSS_S_BAD_MECH', `the initiator offers ${name} and sent NTLM: ${ntlmAdvice}`, {
        minor: 'NTLM',
      })
    if (init.mechToken && isNegoEx(init.mechToken))
      throw new GssError('GSS_S_BAD_MECH', `the initiator offers ${name} and sent ${negoExName(init.mechToken)}`, {
        minor: 'NegoEx',
      })
    return yield* this.#proceed({ responseToken: init.mechToken, mechListMIC: init.mechListMIC }, inner, proof)
  }

  *#continue(token: Uint8Array, inner: Inner<Q>, proof: MechListProof): Exchange<Q, Leg> {
    const response = readResponse(token)
    if (response.negState === 'reject')
      throw new GssError('GSS_S_FAILURE', 'the initiator gave up', { minor: 'reject' })
    const { responseToken } = response
    if (!responseToken && !inner.context) throw defective(`the initiator sent no token of ${inner.mechanism.name}`)
    return yield* this.#proceed({ responseToken, mechListMIC: micOf(response) }, inner, proof)
  }

  *#proceed({ responseToken, mechListMIC: mic }: Received, inner: Inner<Q>, proof: MechListProof): Exchange<Q, Leg> {
    if (responseToken && inner.context) throw defective(`a token of ${inner.mechanism.name} follows its last`)
    const sending = responseToken && (yield* inner.step(responseToken))
    const { context } = inner
    if (!context) {
      if (mic) throw defective('the MIC comes before the context that makes it')
      return { token: this.#reply('acceptIncomplete', sending) }
    }
    if (mic) proof.verify(mic, context)
    if (!proof.required) return { token: this.#reply('acceptCompleted', sending), context: inner.release() }
    if (!proof.received) {
      // RFC 4178 §5 c V: the initiator, which sent the last token, had to send its MIC with it.
      if (!sending) throw defective('the MIC of the list of mechanisms is required, and missing')
      return { token: this.#reply('acceptIncomplete', sending, proof.make(context)) }
    }
    if (proof.sent) return { context: inner.release() }
    const token = this.#reply('acceptCompleted', sending, proof.make(context))
    return { token, context: inner.release() }
  }

  #reply(negState: NegState, responseToken?: Uint8Array, mechListMIC?: Uint8Array): Uint8Array {
    const supportedMech = this.#untold
    this.#untold = undefined
    return encodeResponse({ negState, supportedMech, responseToken, mechListMIC })
  }

  #select(mechanism: Mechanism<Q>): Inner<Q> {
    this.#inner = new Inner(mechanism, mechanism.accept(this.#request))
    return this.#inner
  }

  #known(name: Oid): Mechanism<Q> | undefined {
    return this.#mechanisms.find((mechanism) => answersTo(mechanism, name))
  }

  #unknown(offered: readonly Oid[], mechToken?: Uint8Array): GssError {
    const ours = this.#mechanisms.map(({ name }) => name).join(', ')
    const nameOf = (oid: Oid) =>
      oid === mechanismOids.negoex && mechToken && isNegoEx(mechToken) ? negoExName(mechToken) : mechanismName(oid)
    const what = `the initiator offers ${offered.map(nameOf).join(', ')}, and we accept ${ours}`
    if (!offered.includes(mechanismOids.ntlmssp)) return new GssError('GSS_S_BAD_MECH', what)
    return new GssError('GSS_S_BAD_MECH', `${what}: ${ntlmAdvice}`, { minor: 'NTLM' })
  }

  /**
   * Runs a part of the negotiation. When it fails, the initiator is told that it did (RFC 4178 §4.2.2), and why if the
   * mechanism has a token to say so.
   */
  *#rejecting(part: () => Exchange<Q, Leg>): Exchange<Q, Leg> {
    try {
      return yield* part()
    } catch (error) {
      if (!(error instanceof GssError)) throw error
      const { major, minor } = error
      const what = error.message.slice(`${major}: `.length)
      const token = this.#reply('reject', error.token)
      throw new GssError(major, what, { cause: error, token, ...(minor && { minor }) })
    }
  }

  [Symbol.dispose](): void {
    this.#inner?.[Symbol.dispose]()
  }
}
