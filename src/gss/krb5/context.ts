import type { Key } from '../../crypto/key.ts'
import type { Random } from '../../crypto/random.ts'
import type { Env } from '../../krb5/env.ts'
import type { EncTicketPart } from '../../krb5/messages/ticket.ts'
import type { Principal } from '../../krb5/names.ts'
import type { Credentials } from '../credentials.ts'
import { GssError, type SupplementaryCode } from '../error.ts'
import { flagMask, flagsOf, type GssFlag } from '../flags.ts'
import type { IovBuffer, IovResult } from '../iov.ts'
import type { EstablishedContext, PrfKey, SessionKey, UnwrapResult, WrapResult } from '../mechanism.ts'
import type { Name } from '../name.ts'
import { mechanismOids } from '../oids.ts'
import { type ExportedContext, parseContext, type TicketFacts, wipeContext } from './exported.ts'
import { exportKey, formatWiped, importKey } from './exportedkeys.ts'
import { familyOf, type TokenFamily } from './family.ts'
import { contextName, nameOf } from './names.ts'
import { pseudoRandom } from './prf.ts'
import { detectionOf, type SequenceState, SequenceWindow } from './sequence.ts'
import { type Direction, LAST_SEQUENCE_NUMBER } from './tokens.ts'

/** A ticket without its session key, and the acceptor's own key that opened it. */
export interface OpenTicket {
  readonly part: EncTicketPart
  readonly serverKey: Key
}

/** All that an established context consists of. */
export interface ContextParts {
  readonly initiator: Name | Principal
  readonly target: Name | Principal
  readonly locallyInitiated: boolean
  readonly flags: ReadonlySet<GssFlag>
  readonly ticket: TicketFacts
  /** What the ticket's word for the initiator is verified with; only acceptors have that. */
  readonly opened?: OpenTicket | undefined
  /** The initiator's subkey, or the ticket's session key without one. */
  readonly initiatorKey: Key
  /** The acceptor's choice, which then is the context's key (RFC 4121 §2). */
  readonly acceptorSubkey?: Key | undefined
  readonly sendSequence: number
  /** The number that the peer begins with, or what came of it so far. */
  readonly receiveSequence: number | SequenceState
  readonly delegated?: Credentials | undefined
  readonly random: Random
}

/** An established context of the krb5 mechanism: RFC 4121's or RFC 1964's tokens over one key. It owns its keys and wipes them. */
export class Krb5Context implements EstablishedContext {
  readonly mechanism = mechanismOids.krb5
  /** Names are made when somebody asks for them. */
  #initiator: Name | Principal
  #target: Name | Principal
  readonly locallyInitiated: boolean
  readonly flags: ReadonlySet<GssFlag>
  readonly ticket: TicketFacts
  readonly delegated: Credentials | undefined
  readonly opened: OpenTicket | undefined
  readonly #initiatorKey: Key
  readonly #acceptorSubkey: Key | undefined
  readonly #random: Random
  readonly #tokens: TokenFamily
  readonly #outgoing: Direction
  readonly #incoming: Direction
  readonly #received: SequenceWindow
  #next: number

  constructor(parts: ContextParts) {
    const { initiatorKey, acceptorSubkey, flags, locallyInitiated } = parts
    this.#initiator = parts.initiator
    this.#target = parts.target
    this.locallyInitiated = locallyInitiated
    this.flags = flags
    this.ticket = parts.ticket
    this.delegated = parts.delegated
    this.opened = parts.opened
    this.#initiatorKey = initiatorKey
    this.#acceptorSubkey = acceptorSubkey
    this.#random = parts.random
    const key = acceptorSubkey ?? initiatorKey
    const direction = (fromAcceptor: boolean): Direction => ({
      key,
      acceptorSubkey: acceptorSubkey !== undefined,
      dceStyle: flags.has('dceStyle'),
      fromAcceptor,
    })
    this.#tokens = familyOf(key)
    this.#outgoing = direction(!locallyInitiated)
    this.#incoming = direction(locallyInitiated)
    this.#next = parts.sendSequence
    this.#received = new SequenceWindow(parts.receiveSequence, detectionOf(flags))
  }

  /** Goes on with a context that C or this library exported, and what was handed over in it. Throws {@link GssError}. */
  static import(token: Uint8Array, env: Pick<Env, 'enctypes' | 'random'>, delegated?: Credentials): Krb5Context {
    const exported = parseContext(token)
    try {
      if (exported.awaiting) throw new GssError('GSS_S_NO_CONTEXT', 'the exported context is not established yet')
      return Krb5Context.of(exported, env, delegated)
    } finally {
      wipeContext(exported)
    }
  }

  /** The context that this data describes; its keys are copied. Throws {@link GssError}. */
  static of(exported: ExportedContext, env: Pick<Env, 'enctypes' | 'random'>, delegated?: Credentials): Krb5Context {
    const { here, there, locallyInitiated } = exported
    const [initiator, target] = locallyInitiated ? [here, there] : [there, here]
    using initiatorKey = importKey(exported.initiatorKey, env)
    using acceptorSubkey = exported.acceptorSubkey && importKey(exported.acceptorSubkey, env)
    const imported = new Krb5Context({
      initiator: contextName(initiator),
      target: contextName(target),
      locallyInitiated,
      flags: flagsOf(exported.flags),
      ticket: exported.ticket,
      initiatorKey: initiatorKey.copy(),
      acceptorSubkey: acceptorSubkey?.copy(),
      sendSequence: exported.sendSequence,
      receiveSequence: exported.window,
      delegated,
      random: env.random,
    })
    if (imported.tokens === exported.tokens) return imported
    imported[Symbol.dispose]()
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the exported context has other tokens than go with its key')
  }

  get initiator(): Name {
    return (this.#initiator = named(this.#initiator))
  }

  get target(): Name {
    return (this.#target = named(this.#target))
  }

  /** Whose tokens protect messages. */
  get tokens(): ExportedContext['tokens'] {
    return this.#tokens.name
  }

  get endtime(): number {
    return this.ticket.endtime
  }

  wrap(message: Uint8Array, encrypt: boolean): WrapResult {
    return {
      message: this.#tokens.makeWrap(message, encrypt, this.#number(), this.#outgoing, this.#random),
      encrypted: encrypt,
    }
  }

  unwrap(token: Uint8Array): UnwrapResult {
    const { message, encrypted, sequenceNumber } = this.#tokens.openWrap(token, this.#incoming)
    return { message, encrypted, qop: 0, supplementary: this.#receive(sequenceNumber) }
  }

  wrapIov(buffers: readonly IovBuffer[], encrypt: boolean): readonly IovBuffer[] {
    return this.#tokens.wrapPieces(buffers, encrypt, this.#number(), this.#outgoing, this.#random)
  }

  unwrapIov(buffers: readonly IovBuffer[]): IovResult {
    const { sequenceNumber, ...opened } = this.#tokens.unwrapPieces(buffers, this.#incoming)
    return { ...opened, qop: 0, supplementary: this.#receive(sequenceNumber) }
  }

  sign(message: Uint8Array): Uint8Array {
    return this.#tokens.makeMic(message, this.#number(), this.#outgoing)
  }

  verify(message: Uint8Array, token: Uint8Array): SupplementaryCode | undefined {
    return this.#receive(this.#tokens.verifyMic(message, token, this.#incoming))
  }

  /** The token that tells the peer that this context is over (RFC 1964 §1.2.3); undefined where RFC 4121 has none. */
  deletionToken(): Uint8Array | undefined {
    return this.#tokens.makeDeletion?.(this.#number(), this.#outgoing)
  }

  processToken(token: Uint8Array): void {
    const { verifyDeletion } = this.#tokens
    if (!verifyDeletion)
      throw new GssError(
        'GSS_S_DEFECTIVE_TOKEN',
        `no tokens but of messages go with ${this.#outgoing.key.enctype.name}`,
      )
    const status = this.#receive(verifyDeletion(token, this.#incoming))
    if (status) throw new GssError(status)
  }

  wrapSizeLimit(size: number, encrypt: boolean): number {
    return this.#tokens.largestMessage(size, encrypt, this.#outgoing)
  }

  pseudoRandom(key: PrfKey, seed: Uint8Array, size: number): Uint8Array {
    return pseudoRandom(key === 'partial' ? this.#initiatorKey : this.#outgoing.key, seed, size)
  }

  sessionKey(): SessionKey {
    const { key } = this.#outgoing
    return { type: key.enctype.id, octets: key.octets() }
  }

  export(): Uint8Array {
    return formatWiped(this.state())
  }

  /** All there is to know of the context, keys included (MIT's "lucid" contexts): for file servers that protect messages themselves. */
  state(): ExportedContext {
    const [here, there] = this.locallyInitiated ? [this.initiator, this.target] : [this.target, this.initiator]
    return {
      locallyInitiated: this.locallyInitiated,
      flags: flagMask(this.flags),
      ticket: this.ticket,
      sendSequence: this.#next,
      window: this.#received.state,
      ...detectionOf(this.flags),
      here: here.text,
      there: there.text,
      initiatorKey: exportKey(this.#initiatorKey),
      acceptorSubkey: this.#acceptorSubkey && exportKey(this.#acceptorSubkey),
      tokens: this.tokens,
    }
  }

  /** The number of the token being made. */
  #number(): number {
    if (this.#next > LAST_SEQUENCE_NUMBER) throw new GssError('GSS_S_CONTEXT_EXPIRED', 'all numbers of tokens are used')
    return this.#next++
  }

  #receive(number: number): SupplementaryCode | undefined {
    const { sequences } = this.#tokens
    return this.#received.receive(sequences ? closest(number, sequences, this.#received.state.next) : number)
  }

  [Symbol.dispose](): void {
    this.#initiatorKey[Symbol.dispose]()
    this.#acceptorSubkey?.[Symbol.dispose]()
  }
}

/** The number that `low` stands for when only that remainder by `modulus` was sent: the one closest to `expected`. */
function closest(low: number, modulus: number, expected: number): number {
  const number = expected - (expected % modulus) + low
  if (number - expected > modulus / 2) return number - modulus
  return expected - number > modulus / 2 ? number + modulus : number
}

const named = (who: Name | Principal): Name => ('components' in who ? nameOf(who) : who)
