import { type Exchange, type Questions, run, type World } from '../effects/index.ts'
import type { Credentials } from './credentials.ts'
import type { SupplementaryCode } from './error.ts'
import type { GssFlag } from './flags.ts'
import type { IovBuffer, IovResult } from './iov.ts'
import type { Name, NameAuthority } from './name.ts'
import type { Oid } from './oids.ts'

/** What an initiator wants (RFC 2743 §2.2.1). */
export interface Initiation {
  readonly target: Name
  readonly credentials: Credentials
  readonly flags: ReadonlySet<GssFlag>
  readonly channelBindings?: ChannelBindings | undefined
}

/** What an acceptor brings (RFC 2743 §2.2.2). */
export interface Acceptance {
  readonly credentials: Credentials
  readonly channelBindings?: ChannelBindings | undefined
}

/** What ties a context to the channel below it (RFC 2743 §1.1.6, RFC 5929 for TLS). */
export interface ChannelBindings {
  readonly applicationData: Uint8Array
  readonly initiator?: { readonly type: number; readonly address: Uint8Array } | undefined
  readonly acceptor?: { readonly type: number; readonly address: Uint8Array } | undefined
}

/** What one step of a handshake gives. */
export interface Leg {
  /** To be sent to the peer; undefined when there is nothing to send. */
  readonly token?: Uint8Array | undefined
  /** Present once this side is done. */
  readonly context?: EstablishedContext | undefined
}

/** One side of a context that is being established; disposing of it wipes its keys. */
export interface Handshake<Q extends Questions<Q>> extends Disposable {
  /** Takes the peer's token, none for the initiator's first step. Throws {@link GssError}; the handshake is then over. */
  step(token?: Uint8Array): Exchange<Q, Leg>
  /**
   * The half-open context as the mechanism's C implementation exports it; absent where that exports none. Only one side may
   * go on with it. Throws {@link GssError}.
   */
  export?(): Uint8Array
}

/** A handshake that began elsewhere. */
export interface HalfOpen<H extends Disposable> {
  readonly usage: 'initiate' | 'accept'
  readonly target: Name
  /** What was asked for, or is granted. */
  readonly flags: ReadonlySet<GssFlag>
  readonly handshake: H
}

/** A message and whether it was encrypted (RFC 2743 §2.3.3). */
export interface WrapResult {
  readonly message: Uint8Array
  readonly encrypted: boolean
}

/** What {@link EstablishedContext.unwrap} found (RFC 2743 §2.3.4). */
export interface UnwrapResult extends WrapResult {
  readonly qop: number
  /** What is wrong with the message's place among the others; undefined when nothing is, or nobody looks. */
  readonly supplementary?: SupplementaryCode | undefined
}

/** A key for other protocols (MIT's GSS_C_INQ_SSPI_SESSION_KEY), and its number in the mechanism. */
export interface SessionKey {
  readonly type: number
  readonly octets: Uint8Array
}

/** Whose key makes pseudo-random octets (RFC 4401 §2): the whole handshake's, or what the initiator knows after its first token. */
export type PrfKey = 'full' | 'partial'

/** An established context: who is there, and protection of messages (RFC 2743 §2.3). Disposing of it wipes its keys. */
export interface EstablishedContext extends Disposable {
  readonly mechanism: Oid
  readonly initiator: Name
  readonly target: Name
  readonly locallyInitiated: boolean
  readonly flags: ReadonlySet<GssFlag>
  /** Seconds since the epoch. */
  readonly endtime: number
  /** What the initiator handed over; undefined when it did not. */
  readonly delegated?: Credentials | undefined
  /** RFC 2743 §2.3.3 */
  wrap(message: Uint8Array, encrypt: boolean): WrapResult
  /** RFC 2743 §2.3.4. Throws {@link GssError}. */
  unwrap(token: Uint8Array): UnwrapResult
  /** As {@link wrap}, of a message in pieces: the same pieces, those that were to be made filled in. Throws {@link GssError}. */
  wrapIov(buffers: readonly IovBuffer[], encrypt: boolean): readonly IovBuffer[]
  /** As {@link unwrap}, of a message in pieces. Throws {@link GssError}. */
  unwrapIov(buffers: readonly IovBuffer[]): IovResult
  /** RFC 2743 §2.3.1: the token that proves `message`. */
  sign(message: Uint8Array): Uint8Array
  /**
   * RFC 2743 §2.3.2. Throws {@link GssError} when `token` does not prove `message`; gives what is wrong with its place
   * among the others.
   */
  verify(message: Uint8Array, token: Uint8Array): SupplementaryCode | undefined
  /** Checks a token by which the peer says that it deleted the context (RFC 2743 §2.2.4). Throws {@link GssError}. */
  processToken?(token: Uint8Array): void
  /** The largest message whose wrapped form has at most `size` octets (RFC 2743 §2.2.7). */
  wrapSizeLimit(size: number, encrypt: boolean): number
  /** `size` octets that both sides make of `seed`, and nobody else can (RFC 4401). Throws {@link GssError}. */
  pseudoRandom(key: PrfKey, seed: Uint8Array, size: number): Uint8Array
  /** The key that other protocols protect themselves with (SMB, RPC). The octets are the caller's to wipe. */
  sessionKey(): SessionKey
  /**
   * The context as the mechanism's C implementation exports it (RFC 2743 §2.2.8). Only one side may go on with it: this
   * one is not to be used any more.
   */
  export(): Uint8Array
}

/** A way of making contexts (RFC 2743 §1.1.4). `Q` lists what its legs ask of the world. */
export interface Mechanism<Q extends Questions<Q>> extends NameAuthority {
  readonly oid: Oid
  /** Other identifiers that peers use for the same mechanism. */
  readonly aliases: readonly Oid[]
  /** As people say it: `krb5`, `SPNEGO`. */
  readonly name: string
  initiate(request: Initiation): Handshake<Q>
  accept(request: Acceptance): Handshake<Q>
  /**
   * Goes on with a context that was exported (RFC 2743 §2.2.9), and with what was handed over in it, which no token
   * tells; absent where that is not possible. Throws {@link GssError}.
   */
  importContext?(token: Uint8Array, delegated?: Credentials): EstablishedContext
  /** Goes on with a handshake that was exported; undefined for an established context's token, and for any other. Throws {@link GssError}. */
  importHandshake?(token: Uint8Array): HalfOpen<Handshake<Q>> | undefined
}

/** A handshake whose questions somebody answers. */
export interface BoundHandshake extends Disposable {
  step(token?: Uint8Array): Promise<Leg>
  export?(): Uint8Array
}

/** A mechanism together with the world that answers its questions: all that a context needs. */
export interface BoundMechanism
  extends Pick<Mechanism<never>, 'oid' | 'aliases' | 'name' | 'importContext'>,
    NameAuthority {
  initiate(request: Initiation): BoundHandshake
  accept(request: Acceptance): BoundHandshake
  importHandshake?(token: Uint8Array): HalfOpen<BoundHandshake> | undefined
}

/** Lets `world` answer what `mechanism` asks. */
export function bind<Q extends Questions<Q>>(mechanism: Mechanism<Q>, world: World<Q>): BoundMechanism {
  const bound = (handshake: Handshake<Q>): BoundHandshake => new Bound(handshake, world)
  return {
    oid: mechanism.oid,
    aliases: mechanism.aliases,
    name: mechanism.name,
    canonicalize: (name) => mechanism.canonicalize(name),
    initiate: (request) => bound(mechanism.initiate(request)),
    accept: (request) => bound(mechanism.accept(request)),
    ...(mechanism.importContext && {
      importContext: (token: Uint8Array, delegated?: Credentials) => mechanism.importContext!(token, delegated),
    }),
    ...(mechanism.importHandshake && {
      importHandshake(token: Uint8Array) {
        const found = mechanism.importHandshake!(token)
        return found && { ...found, handshake: bound(found.handshake) }
      },
    }),
  }
}

class Bound<Q extends Questions<Q>> implements BoundHandshake {
  readonly #handshake: Handshake<Q>
  readonly #world: World<Q>

  /** Absent where the handshake has none. */
  readonly export?: () => Uint8Array

  constructor(handshake: Handshake<Q>, world: World<Q>) {
    this.#handshake = handshake
    this.#world = world
    if (handshake.export) this.export = () => handshake.export!()
  }

  step(token?: Uint8Array): Promise<Leg> {
    return run(this.#handshake.step(token), this.#world)
  }

  [Symbol.dispose](): void {
    this.#handshake[Symbol.dispose]()
  }
}
