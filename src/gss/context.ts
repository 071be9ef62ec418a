import { begin, type ContextOptions, type ImportOptions, requireUsage } from './contextoptions.ts'
import type { Credentials } from './credentials.ts'
import { GssError, type SupplementaryCode } from './error.ts'
import { defaultFlags, type GssFlag } from './flags.ts'
import { type IovBuffer, type IovResult, signedOctets } from './iov.ts'
import type { BoundHandshake, EstablishedContext, PrfKey, SessionKey, UnwrapResult, WrapResult } from './mechanism.ts'
import type { Name } from './name.ts'
import type { Oid } from './oids.ts'
import { requireDefaultQop } from './qop.ts'

/** What acceptors ask for. */
const NOTHING: ReadonlySet<GssFlag> = new Set()

/**
 * One side of a security context (RFC 2743 §1.1.3), in python-gssapi's manner: `step` until `complete`, then `wrap`,
 * `unwrap`, `sign`, `verify`. Steps are asynchronous, protection of messages is not. Disposing of it wipes its keys.
 */
export class SecurityContext implements Disposable {
  readonly usage: 'initiate' | 'accept'
  /** What the initiator asked for. */
  readonly requestedFlags: ReadonlySet<GssFlag>
  /** Starts the handshake; undefined once it has. */
  #start: (() => Promise<BoundHandshake>) | undefined
  #handshake: BoundHandshake | undefined
  #established: EstablishedContext | undefined
  /** Why the context is of no more use; undefined while it is. */
  #failure: unknown
  #disposed = false
  #handedOver = false // the delegated credentials, to whoever asked for them
  readonly #reports: boolean

  constructor(options: ContextOptions) {
    const { usage, creds } = options
    this.usage = usage
    this.#reports = options.disorder === 'report'
    this.requestedFlags = options.usage === 'initiate' ? new Set(options.flags ?? defaultFlags) : NOTHING
    if (typeof creds !== 'function') requireUsage(creds, usage)
    this.#start = async () => begin(options, typeof creds === 'function' ? await creds() : creds, this.requestedFlags)
  }

  /** Whether this side is done and messages can be protected. */
  get complete(): boolean {
    return this.#established !== undefined
  }

  /**
   * Takes the peer's token, none for the initiator's first step, and gives the token to send back; undefined when there
   * is none. Throws {@link GssError}, after which the context is of no more use.
   */
  async step(token?: Uint8Array): Promise<Uint8Array | undefined> {
    const start = this.#start
    let handshake = this.#handshake
    if (!handshake && !start) throw this.#notUsable('no further token is expected')
    this.#start = undefined
    this.#handshake = undefined
    try {
      handshake ??= await start!()
      const leg = await handshake.step(token)
      if (this.#disposed) leg.context?.[Symbol.dispose]() // while the step ran
      if (this.#disposed) throw this.#notUsable('')
      if (leg.context) this.#established = leg.context
      else this.#handshake = handshake
      return leg.token
    } catch (error) {
      this.#failure = error
      handshake?.[Symbol.dispose]()
      throw error
    }
  }

  /**
   * RFC 2743 §2.3.3; encrypts unless `encrypt` is false. The only quality of protection that mechanisms have is the default:
   * throws {@link GssError} GSS_S_BAD_QOP for another.
   */
  wrap(message: Uint8Array, encrypt = true, qop = 0): WrapResult {
    requireDefaultQop(qop)
    return this.established.wrap(message, encrypt)
  }

  /**
   * RFC 2743 §2.3.4. Throws {@link GssError}, also for a message that is genuine but replayed or out of its order,
   * unless the context is to `report` that in the result.
   */
  unwrap(token: Uint8Array): UnwrapResult {
    const result = this.established.unwrap(token)
    this.#judge(result.supplementary)
    return result
  }

  /**
   * Wraps a message in pieces; encrypts unless `encrypt` is false. Gives the same pieces, with header, padding and trailer
   * made. Throws {@link GssError}.
   */
  wrapIov(buffers: readonly IovBuffer[], encrypt = true, qop = 0): readonly IovBuffer[] {
    requireDefaultQop(qop)
    return this.established.wrapIov(buffers, encrypt)
  }

  /** Unwraps a message in pieces, or a whole token (`stream`) together with what is only signed. Throws {@link GssError}. */
  unwrapIov(buffers: readonly IovBuffer[]): IovResult {
    const result = this.established.unwrapIov(buffers)
    this.#judge(result.supplementary)
    return result
  }

  /** A token that proves the pieces' data and what is only signed. */
  signIov(buffers: readonly IovBuffer[], qop = 0): Uint8Array {
    return this.sign(signedOctets(buffers), qop)
  }

  /** As {@link verify}, for pieces. Throws {@link GssError}. */
  verifyIov(buffers: readonly IovBuffer[], token: Uint8Array): SupplementaryCode | undefined {
    return this.verify(signedOctets(buffers), token)
  }

  /** Wraps with encryption where the context has it (python-gssapi's `encrypt`). */
  encrypt(message: Uint8Array): Uint8Array {
    return this.wrap(message, this.actualFlags.has('confidentiality')).message
  }

  /** Unwraps; throws {@link GssError} ENCRYPTION_NOT_USED when the context has encryption and the message had not. */
  decrypt(token: Uint8Array): Uint8Array {
    const { message, encrypted } = this.unwrap(token)
    if (!encrypted && this.actualFlags.has('confidentiality')) throw new GssError('ENCRYPTION_NOT_USED')
    return message
  }

  /** RFC 2743 §2.3.1: a token that proves `message`. Throws {@link GssError} GSS_S_BAD_QOP as {@link wrap} does. */
  sign(message: Uint8Array, qop = 0): Uint8Array {
    requireDefaultQop(qop)
    return this.established.sign(message)
  }

  /**
   * RFC 2743 §2.3.2. Throws {@link GssError} when `token` does not prove `message`, is replayed or out of its order;
   * gives the latter when the context is to `report` it.
   */
  verify(message: Uint8Array, token: Uint8Array): SupplementaryCode | undefined {
    return this.#judge(this.established.verify(message, token))
  }

  /**
   * `size` octets that both sides make of `seed`, and nobody else can (RFC 4401): of the key that the whole handshake
   * made, or that the initiator alone chose (`partial`). Throws {@link GssError}.
   */
  pseudoRandom(seed: Uint8Array, size: number, key: PrfKey = 'full'): Uint8Array {
    return this.established.pseudoRandom(key, seed, size)
  }

  /** The key that other protocols protect themselves with (SMB, RPC). */
  sessionKey(): SessionKey {
    return this.established.sessionKey()
  }

  /**
   * The context as a token (RFC 2743 §2.2.8), which of krb5 is MIT's: C programs take it, too, and half-open ones as
   * well. It holds the keys in the clear. This context is over; it is not where this throws {@link GssError}, which is
   * GSS_S_UNAVAILABLE for half-open contexts of other mechanisms.
   */
  export(): Uint8Array {
    const handshake = this.#handshake
    if (handshake && !handshake.export)
      throw new GssError('GSS_S_UNAVAILABLE', 'the mechanism exports no contexts that are not established yet')
    const token = handshake?.export ? handshake.export() : this.established.export()
    this[Symbol.dispose]()
    return token
  }

  /** Goes on with a context that was exported by this library or by C. Throws {@link GssError}. */
  static import(token: Uint8Array, { mech, disorder }: ImportOptions): SecurityContext {
    const half = mech.importHandshake?.(token)
    if (half) {
      const { usage, target, flags, handshake } = half
      const resumed = new SecurityContext({ usage, name: target, flags, creds: over, mech, disorder })
      resumed.#start = undefined
      resumed.#handshake = handshake
      return resumed
    }
    if (!mech.importContext) throw new GssError('GSS_S_UNAVAILABLE', `${mech.name} imports no contexts`)
    const context = mech.importContext(token)
    const { target: name, flags } = context
    const usage = context.locallyInitiated ? 'initiate' : 'accept'
    const imported = new SecurityContext({ usage, name, flags, creds: over, mech, disorder })
    imported.#start = undefined
    imported.#established = context
    return imported
  }

  /**
   * Takes a token by which the peer says that it deleted the context (RFC 2743 §2.2.4): this side is then over as well.
   * Throws {@link GssError} for any other.
   */
  processToken(token: Uint8Array): void {
    const { established } = this
    if (!established.processToken) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the mechanism has no such tokens')
    established.processToken(token)
    this[Symbol.dispose]()
  }

  /** The largest message whose wrapped form has at most `size` octets (RFC 2743 §2.2.7). */
  wrapSizeLimit(size: number, encrypt = true, qop = 0): number {
    requireDefaultQop(qop)
    return this.established.wrapSizeLimit(size, encrypt)
  }

  get initiatorName(): Name {
    return this.established.initiator
  }

  get targetName(): Name {
    return this.established.target
  }

  /** The mechanism in use; under SPNEGO, the one that was agreed on. */
  get mech(): Oid {
    return this.established.mechanism
  }

  /** What the context grants. */
  get actualFlags(): ReadonlySet<GssFlag> {
    return this.established.flags
  }

  /** When the context ends, in seconds since the epoch. */
  get endtime(): number {
    return this.established.endtime
  }

  /**
   * To go on in the initiator's name: what it handed over; else, where the acceptor's credentials are to initiate, too, its
   * ticket for the service, as far as the KDC allows (S4U2Proxy, MS-SFU §3.1.5.2). Whoever asks disposes of them.
   */
  get delegatedCredentials(): Credentials | undefined {
    const { delegated } = this.established
    this.#handedOver = true
    return delegated
  }

  /** The established context behind this one. Throws {@link GssError} GSS_S_NO_CONTEXT while there is none. */
  get established(): EstablishedContext {
    if (!this.#established) throw this.#notUsable('the context is not established yet')
    return this.#established
  }

  [Symbol.dispose](): void {
    this.#handshake?.[Symbol.dispose]()
    if (!this.#handedOver) this.#established?.delegated?.[Symbol.dispose]()
    this.#established?.[Symbol.dispose]()
    this.#start = this.#handshake = this.#established = undefined
    this.#disposed = true
  }

  #judge(status: SupplementaryCode | undefined): SupplementaryCode | undefined {
    if (status !== undefined && !this.#reports) throw new GssError(status)
    return status
  }

  #notUsable(what: string): GssError {
    if (this.#disposed) return new GssError('GSS_S_NO_CONTEXT', 'the context was disposed of')
    const failed = this.#failure !== undefined
    return new GssError('GSS_S_NO_CONTEXT', failed ? 'the context failed before' : what, { cause: this.#failure })
  }
}

/** An imported context has its handshake behind it. */
const over = (): never => {
  throw new GssError('GSS_S_NO_CRED', 'the handshake is over')
}
