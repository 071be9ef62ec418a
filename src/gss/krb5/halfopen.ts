/** Contexts of which one more AP-REP is awaited: how they go on, here or, as data, elsewhere. @module */
import { decode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import type { Key } from '../../crypto/key.ts'
import { answered } from '../../effects/index.ts'
import type { Env } from '../../krb5/env.ts'
import { KrbError } from '../../krb5/errors.ts'
import {
  type ApInitiator,
  type FirstReply,
  makeApReply,
  verifyApReply,
  verifyLastReply,
} from '../../krb5/exchanges/ap.ts'
import { KrbErrorMessage } from '../../krb5/messages/error.ts'
import { formatPrincipal, type Principal } from '../../krb5/names.ts'
import type { KrbExchange, KrbQuestions } from '../../krb5/questions.ts'
import { GssError } from '../error.ts'
import { flagMask, type GssFlag } from '../flags.ts'
import type { Handshake, Leg } from '../mechanism.ts'
import { Krb5Context } from './context.ts'
import type { TicketFacts } from './exported.ts'
import { exportKey, formatWiped } from './exportedkeys.ts'
import { asGssError } from './failure.ts'
import { familyOf, heedsAcceptorSubkey } from './family.ts'
import { carriedNames, unframe, unframed } from './framing.ts'
import { detectionOf, nothingReceived } from './sequence.ts'

/** What an initiator remembers of its AP-REQ. */
export interface SentRequest {
  readonly ap: Omit<ApInitiator, 'message'>
  /** The ticket's session key. */
  readonly key: Key
  /** The same, where it belongs to no credentials but has to be wiped here. */
  readonly ownKey?: Key | undefined
  readonly client: Principal
  readonly server: Principal
  readonly ticket: TicketFacts
  readonly flags: ReadonlySet<GssFlag>
  /** Whether IAKERB went before. */
  readonly carried: boolean
}

/** The initiator's context, once it knows what the acceptor chose. The subkey is the context's from now on. */
export const initiatedContext = (
  { ap, client, server, ticket, flags }: SentRequest,
  receiveSequence: number,
  acceptorSubkey: Key | undefined,
  { random }: Pick<Env, 'random'>,
): Krb5Context =>
  new Krb5Context({
    initiator: client,
    target: server,
    locallyInitiated: true,
    flags,
    ticket,
    initiatorKey: ap.subkey,
    acceptorSubkey,
    sendSequence: ap.sequenceNumber,
    receiveSequence,
    random,
  })

/** The initiator's half of a context: takes the AP-REP, and in DCE style gives another one (MS-KILE §3.4.5.1). */
export class AwaitingReply implements Handshake<KrbQuestions> {
  /** Undefined once there is a context. */
  #sent: SentRequest | undefined
  readonly #env: Env

  constructor(sent: SentRequest, env: Env) {
    this.#sent = sent
    this.#env = env
  }

  step(token?: Uint8Array): KrbExchange<Leg> {
    return answered(() => {
      try {
        return this.#finish(token, this.#required)
      } catch (error) {
        throw asGssError(error)
      }
    })
  }

  #finish(token: Uint8Array | undefined, sent: SentRequest): Leg {
    if (!token?.length) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the acceptor sent no token, its AP-REP was due')
    const dceStyle = sent.flags.has('dceStyle')
    const { kind, message } =
      (dceStyle ? unframed(token) : undefined) ?? unframe(token, sent.carried ? carriedNames : undefined)
    if (kind === 'error') throw errorFrom(message, sent)
    if (kind !== 'apRep') throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the acceptor sent an AP-REQ, its AP-REP was due')
    const { subkey, sequenceNumber } = verifyApReply(message, sent.ap, sent, this.#env)
    const { time, micros } = sent.ap
    // The acceptor's number proves that we have the session key at this moment.
    const last = dceStyle
      ? makeApReply(sent.key, { time, micros, sequenceNumber, subkey: undefined }, this.#env)
      : undefined
    const heeded = subkey && heedsAcceptorSubkey(sent.ap.subkey, subkey.enctype, dceStyle)
    if (!heeded) subkey?.[Symbol.dispose]()
    const context = initiatedContext(sent, sequenceNumber ?? 0, heeded ? subkey : undefined, this.#env)
    this.#sent = undefined
    sent.ownKey?.[Symbol.dispose]()
    return { token: last, context }
  }

  export(): Uint8Array {
    const { ap, key, client, server, ticket, flags } = this.#required
    return formatWiped({
      awaiting: { sessionKey: exportKey(key), time: ap.time, micros: ap.micros },
      locallyInitiated: true,
      flags: flagMask(flags),
      ticket,
      sendSequence: ap.sequenceNumber,
      window: nothingReceived,
      ...detectionOf(flags),
      here: formatPrincipal(client),
      there: formatPrincipal(server),
      initiatorKey: exportKey(ap.subkey),
      acceptorSubkey: undefined,
      tokens: familyOf(ap.subkey).name,
    })
  }

  get #required(): SentRequest {
    if (!this.#sent) throw new GssError('GSS_S_NO_CONTEXT', 'the handshake is over')
    return this.#sent
  }

  [Symbol.dispose](): void {
    this.#sent?.ap[Symbol.dispose]()
    this.#sent?.ownKey?.[Symbol.dispose]()
    this.#sent = undefined
  }
}

/** What an acceptor in DCE style remembers of its AP-REP. */
export interface SentReply extends Omit<FirstReply, 'subkey'> {
  /** Becomes the peer's when it repeats our sequence number under the session key. */
  readonly context: Krb5Context
  /** A copy of the session key. */
  readonly key: Key
  readonly server: Principal
  /** As the authenticator had them. */
  readonly time: number
  readonly micros: number
}

/** The acceptor's half of a context in DCE style: takes the initiator's AP-REP (MS-KILE §3.4.5.1). */
export class AwaitingLastReply implements Handshake<KrbQuestions> {
  /** Undefined once there is a context. */
  #sent: SentReply | undefined

  constructor(sent: SentReply) {
    this.#sent = sent
  }

  step(token?: Uint8Array): KrbExchange<Leg> {
    return answered(() => {
      try {
        return this.#finish(messageIn(token, 'apRep'), this.#required)
      } catch (error) {
        throw asGssError(error)
      }
    })
  }

  #finish(message: Uint8Array, sent: SentReply): Leg {
    const { context, key, server } = sent
    const { octets: subkey } = context.sessionKey()
    try {
      verifyLastReply(message, { ...sent, subkey }, key, server)
    } finally {
      subkey.fill(0)
    }
    this.#sent = undefined
    key[Symbol.dispose]()
    return { context }
  }

  /** What was handed over in the context stays behind. */
  export(): Uint8Array {
    const { context, key, time, micros } = this.#required
    return formatWiped({ ...context.state(), awaiting: { sessionKey: exportKey(key), time, micros } })
  }

  get #required(): SentReply {
    if (!this.#sent) throw new GssError('GSS_S_NO_CONTEXT', 'the handshake is over')
    return this.#sent
  }

  [Symbol.dispose](): void {
    this.#sent?.context[Symbol.dispose]()
    this.#sent?.context.delegated?.[Symbol.dispose]()
    this.#sent?.key[Symbol.dispose]()
    this.#sent = undefined
  }
}

/** What an initiator is to send. */
const dues = { apReq: 'AP-REQ', apRep: 'AP-REP' } as const

/** The message in an initiator's token, which is to be of that kind. Throws {@link GssError}. */
export function messageIn(token: Uint8Array | undefined, due: keyof typeof dues, carried = false): Uint8Array {
  if (!token?.length)
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `the initiator sent no token, its ${dues[due]} was due`)
  const { kind, message } = unframed(token) ?? unframe(token, carried ? carriedNames : undefined)
  if (kind !== due) throw new GssError('GSS_S_DEFECTIVE_TOKEN', `the initiator sent no ${dues[due]}`)
  return message
}

/** What an acceptor's error token says (RFC 4121 §4.1). */
function errorFrom(message: Uint8Array, { server }: SentRequest): unknown {
  try {
    return KrbError.of(decode(KrbErrorMessage, message), formatPrincipal(server), { step: 'AP-REQ' })
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) return cause
    return new GssError('GSS_S_DEFECTIVE_TOKEN', `the acceptor's error cannot be read (${cause.message})`, { cause })
  }
}
