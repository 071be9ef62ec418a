import { decode, encode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import type { Encoded } from '../../asn1/structures.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Key } from '../../crypto/key.ts'
import { Secrets } from '../../crypto/secrets.ts'
import { type Env, shifted, skewOf } from '../env.ts'
import type { KrbErrorCode } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import { MethodData, type PaData } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import { type KrbErrorMessage, TypedData } from '../messages/error.ts'
import { AsReq, type KdcRep, type KdcReqBody } from '../messages/kdc.ts'
import { formatPrincipal, type Principal } from '../names.ts'
import { keyHint } from '../preauth/hints.ts'
import { defaultPreauth } from '../preauth/list.ts'
import type { LoginState } from '../preauth/mechanism.ts'
import { Negotiation } from '../preauth/negotiation.ts'
import type { KrbExchange } from '../questions.ts'
import { type ReplyOrigin, readable, requireEnctype } from '../reading.ts'
import type { KeyHint } from '../secret.ts'
import { type AsRequest, anonymously, constantPadata, mayCanonicalize, requestBody, serviceOf } from './asrequest.ts'
import { armoredBy, openFastError, openFastReply } from './fast.ts'
import { type FastChannel, strengthened } from './fastchannel.ts'
import { offsetOf } from './kdc.ts'
import { defaultHint, hintId, longTermKeys } from './longterm.ts'

/** An AS-REQ on its way. */
export interface Outgoing {
  readonly message: Uint8Array
  readonly env: Env
  readonly body: KdcReqBody
}

/** An AS-REP out of FAST, and what opens its sealed part. */
export interface Unsealed {
  readonly reply: KdcRep
  readonly key: Key
}

/** Everything that a login at one realm remembers from round to round; disposing of it wipes the keys. */
export class Conversation implements LoginState, Disposable {
  readonly negotiation: Negotiation
  readonly client: Principal
  readonly service: Principal
  /** The KDC's clock less ours, in microseconds. */
  offset = 0
  env: Env
  body: Encoded<KdcReqBody>
  hint: KeyHint
  /** Why the KDC refused the last request. */
  refusal: KrbError | undefined
  /** Whether METHOD-DATA came, and what it said of FAST; undefined for none. */
  fastOffered: boolean | undefined
  readonly #request: AsRequest
  readonly #given: Env
  readonly #secrets = new Secrets()
  /** Those of the secret's keys. */
  readonly #enctypes: readonly Enctype[]
  readonly #offer: readonly Enctype[]
  readonly #keys: (hint: KeyHint) => KrbExchange<Key>
  #channel: FastChannel | undefined

  /** Throws KrbError NO_KEY when no key of the secret's can be used, and NO_TICKET for armor of another realm. */
  constructor(request: AsRequest, given: Env) {
    const { client, secret, preauth = defaultPreauth, onChance = false, armor } = request
    // Those of the secret's keys first; the others are good for the session key (RFC 4120 §3.1.3).
    const hasKey = ({ id }: Enctype) => secret?.enctypes?.includes(id) ?? true
    const enctypes = given.enctypes.filter(hasKey)
    if (enctypes.length === 0)
      throw new KrbError('NO_KEY', `no key of ${formatPrincipal(client)} is of an enctype that is allowed`)
    this.#request = request
    this.#given = given
    this.#enctypes = enctypes
    this.#offer = [...enctypes, ...given.enctypes.filter((enctype) => !hasKey(enctype))]
    this.#keys = longTermKeys(client, secret, this.#secrets, given)
    this.client = client
    this.service = serviceOf(request)
    this.env = given
    this.body = requestBody(request, this.#offer, given)
    this.hint = defaultHint(enctypes, client)
    this.negotiation = this.#secrets.keep(new Negotiation(preauth, this, onChance))
    if (armor && armor.policy !== 'when available') this.#putOnArmor()
  }

  get armorKey(): Key | undefined {
    return this.#channel?.key
  }

  longTermKey(hint: KeyHint = this.hint): KrbExchange<Key> {
    return this.#keys(hint)
  }

  /** The next request, with a proof when the KDC wants one; undefined when no mechanism is left to make one. */
  *nextRequest(): KrbExchange<Outgoing | undefined> {
    this.env = shifted(this.#given, this.offset)
    this.body = requestBody(this.#request, this.#offer, this.env)
    const { env, body } = this
    const proof = yield* this.negotiation.proof()
    if (!proof) return undefined
    const padata = [...proof, ...constantPadata(this.#request)]
    if (!this.#channel) return { message: encode(AsReq, { padata, reqBody: body }), env, body: body.value }
    const hidden = this.#request.armor?.hideClientName ?? false
    const outer = hidden ? anonymously(body.value) : body
    const fastOptions = new Set(hidden ? (['hideClientNames'] as const) : [])
    const fast = this.#channel.sealRequest({ padata, body, fastOptions, signed: outer.der }, env)
    return { message: encode(AsReq, { padata: [fast], reqBody: outer }), env, body: body.value }
  }

  /** Takes a reply out of FAST and finds the key of its sealed part. Throws KrbError FAST_REQUIRED for one outside. */
  *open(outer: KdcRep, message: Uint8Array, origin: ReplyOrigin): KrbExchange<Unsealed> {
    if (!this.#channel) return { reply: outer, key: yield* this.#replyKey(outer, message, origin) }
    const fast = openFastReply(this.#channel, outer, this.body.value.nonce, origin, this.env)
    if (!fast) throw new KrbError('FAST_REQUIRED', 'the KDC issued a ticket outside of the tunnel', origin)
    const { reply, strengthenKey } = fast
    // It is the KDC's to make one (RFC 6113 §5.4.3), and Heimdal 7 makes none: the reply is sealed with the long-term key then.
    if (strengthenKey) this.#secrets.keep(strengthenKey)
    const key = yield* this.#replyKey(reply, message, origin)
    return { reply, key: strengthenKey ? this.#secrets.keep(strengthened(strengthenKey, key)) : key }
  }

  /**
   * What follows from a refusal: the realm to turn to, or undefined for another round. Throws the refusal when there is
   * nothing more to try.
   */
  refused(outer: KrbErrorMessage, origin: ReplyOrigin): string | undefined {
    const inner = this.#channel && openFastError(this.#channel, outer, this.body.value.nonce, origin)
    const message = inner?.message ?? outer
    this.refusal = KrbError.of(message, formatPrincipal(this.client), origin)
    const { code } = this.refusal
    // An unproved clock, as a man in the middle could set it forward (RFC 6113 §5.4.6); RFC 4120 knows none better.
    if (this.#isElsewhen(code, message)) {
      this.offset = offsetOf(message, this.#given)
      this.#given.trace?.({ kind: 'clock', offset: this.offset })
      if (this.#channel) this.#putOnArmor()
      if (code === 'KRB_AP_ERR_SKEW') return undefined
    }
    // what the tunnel does not vouch for ends the login, but does not steer it
    if (this.#channel && !inner) throw this.refusal
    if (code === 'KDC_ERR_WRONG_REALM' && mayCanonicalize(this.#request) && message.crealm) return message.crealm
    if (!this.#goesOn(inner?.padata ?? message, origin)) throw this.refusal
    return undefined
  }

  [Symbol.dispose](): void {
    this.#secrets[Symbol.dispose]()
  }

  /** What the reply is sealed with: the mechanism's key, or the long-term one that the reply tells of. */
  *#replyKey(reply: KdcRep, message: Uint8Array, origin: ReplyOrigin): KrbExchange<Key> {
    const { run } = this.negotiation
    const made = run?.replyKey ? yield* run.replyKey(reply, message) : undefined
    if (made) return made
    const etype = requireEnctype(reply.encPart.etype, { enctypes: this.#enctypes }, origin, 'reply')
    const told = readable(() => keyHint(reply.padata ?? [], [etype], this.client), origin)
    return yield* this.#keys(told ?? (this.hint.enctype === etype ? this.hint : defaultHint([etype], this.client)))
  }

  /** Whether the KDC's clock is to be followed from now on: its request to prove ourselves tells it as well. */
  #isElsewhen(code: KrbErrorCode, message: KrbErrorMessage): boolean {
    if (!(this.#request.followClock ?? true) || this.offset !== 0) return false
    if (code === 'KRB_AP_ERR_SKEW') return true
    return code === 'KDC_ERR_PREAUTH_REQUIRED' && Math.abs(offsetOf(message, this.#given)) > skewOf(this.#given)
  }

  #goesOn(source: readonly PaData[] | KrbErrorMessage, origin: ReplyOrigin): boolean {
    const { negotiation } = this
    const code = this.refusal?.code
    switch (code) {
      case 'KDC_ERR_PREAUTH_REQUIRED': {
        const offered = methodData(source, origin)
        this.#learn(offered, origin)
        this.fastOffered = offered.some(({ padataType }) => padataType === paTypes.fxFast)
        if (this.fastOffered && this.#request.armor && !this.#channel) {
          this.#putOnArmor()
          negotiation.restart()
        } else negotiation.required(offered)
        return true
      }
      case 'KDC_ERR_MORE_PREAUTH_DATA_REQUIRED':
        return negotiation.more(methodData(source, origin))
      case 'KDC_ERR_PREAUTH_FAILED': {
        const offered = hints(source)
        return negotiation.failed(offered, this.#learn(offered, origin))
      }
      case 'KDC_ERR_PREAUTH_EXPIRED':
        return negotiation.mechanism !== undefined && negotiation.restart()
      default: {
        const told = hints(source)
        if (this.refusal && negotiation.run?.retry?.(this.refusal, told)) return true
        return negotiation.mechanism?.fallible === true && negotiation.failed(told, false)
      }
    }
  }

  /** Begins a tunnel, in place of an older one. */
  #putOnArmor(): void {
    const { armor, client } = this.#request
    if (!armor) return
    this.#channel = this.#secrets.keep(armoredBy({ clockOffset: this.offset, ...armor }, client.realm, this.#given))
  }

  /** Takes what the KDC tells of the client's key; says whether that was new. */
  #learn(offered: readonly PaData[], origin: ReplyOrigin): boolean {
    const hint = readable(() => keyHint(offered, this.#enctypes, this.client), origin)
    if (!hint || hintId(hint) === hintId(this.hint)) return false
    this.hint = hint
    return true
  }
}

/** METHOD-DATA of a refusal that has to have it (RFC 4120 §5.9.1). Throws KrbError REPLY_MALFORMED. */
function methodData(source: readonly PaData[] | KrbErrorMessage, origin: ReplyOrigin): readonly PaData[] {
  if (!('errorCode' in source)) return source
  const { eData } = source
  return eData ? readable(() => decode(MethodData, eData), origin) : []
}

/**
 * What a refusal tells that may have anything: METHOD-DATA, or TYPED-DATA in the same words, as RFC 6113 §5.4.4 has it
 * (RFC 4120 §5.9.1).
 */
function hints(source: readonly PaData[] | KrbErrorMessage): readonly PaData[] {
  if (!('errorCode' in source)) return source
  const { eData } = source
  if (!eData) return []
  return (
    unlessUnreadable(() => decode(MethodData, eData)) ??
    unlessUnreadable(() => decode(TypedData, eData))?.map(({ dataType, dataValue }) => ({
      padataType: dataType,
      padataValue: dataValue ?? new Uint8Array(0),
    })) ??
    []
  )
}

function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error
    return undefined
  }
}
