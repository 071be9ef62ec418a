import { type Exchange, type Questions, run, type World } from '../effects/index.ts'
import type { Credentials } from './credentials.ts'
import type { GssFlag } from './flags.ts'
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
}

/** A message and whether it was encrypted (RFC 2743 §2.3.3). */
export interface WrapResult {
  readonly message: Uint8Array
  readonly encrypted: boolean
}

/** What {@link EstablishedContext.unwrap} found (RFC 2743 §2.3.4). */
export interface UnwrapResult extends WrapResult {
  readonly qop: number
}

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
  /** RFC 2743 §2.3.1: the token that proves `message`. */
  sign(message: Uint8Array): Uint8Array
  /** RFC 2743 §2.3.2. Throws {@link GssError} when `token` does not prove `message`. */
  verify(message: Uint8Array, token: Uint8Array): void
  /** The largest message whose wrapped form has at most `size` octets (RFC 2743 §2.2.7). */
  wrapSizeLimit(size: number, encrypt: boolean): number
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
}

/** A handshake whose questions somebody answers. */
export interface BoundHandshake extends Disposable {
  step(token?: Uint8Array): Promise<Leg>
}

/** A mechanism together with the world that answers its questions: all that a context needs. */
export interface BoundMechanism extends Pick<Mechanism<never>, 'oid' | 'aliases' | 'name'>, NameAuthority {
  initiate(request: Initiation): BoundHandshake
  accept(request: Acceptance): BoundHandshake
}

/** Lets `world` answer what `mechanism` asks. */
export function bind<Q extends Questions<Q>>(mechanism: Mechanism<Q>, world: World<Q>): BoundMechanism {
  const bound = (handshake: Handshake<Q>): BoundHandshake => ({
    step: (token) => run(handshake.step(token), world),
    [Symbol.dispose]: () => handshake[Symbol.dispose](),
  })
  return {
    oid: mechanism.oid,
    aliases: mechanism.aliases,
    name: mechanism.name,
    canonicalize: (name) => mechanism.canonicalize(name),
    initiate: (request) => bound(mechanism.initiate(request)),
    accept: (request) => bound(mechanism.accept(request)),
  }
}
