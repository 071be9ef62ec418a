import { decode, encode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import type { Encoded } from '../../asn1/structures.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Key } from '../../crypto/key.ts'
import { Secrets } from '../../crypto/secrets.ts'
import type { Credential } from '../credential.ts'
import { type Env, shifted } from '../env.ts'
import { errorCodeOf } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import { MethodData, type PaData } from '../messages/basics.ts'
import { type KrbErrorMessage, TypedData } from '../messages/error.ts'
import { AsAnswer, AsReq, type KdcRep, type KdcReqBody } from '../messages/kdc.ts'
import { formatPrincipal } from '../names.ts'
import { keyHint } from '../preauth/hints.ts'
import type { LoginState } from '../preauth/mechanism.ts'
import { Negotiation } from '../preauth/negotiation.ts'
import { encryptedTimestamp } from '../preauth/timestamp/client.ts'
import type { KrbExchange } from '../questions.ts'
import { type ReplyOrigin, readable, requireEnctype } from '../reading.ts'
import type { KeyHint } from '../secret.ts'
import { openAsReply } from './asreply.ts'
import { type AsRequest, constantPadata, mayCanonicalize, requestBody, serviceOf } from './asrequest.ts'
import { askKdc, offsetOf } from './kdc.ts'
import { defaultHint, hintId, longTermKeys } from './longterm.ts'

export type { AsRequest }

/** Requests sent for one login before the KDC is taken to be asking in circles. */
const MAX_ROUNDS = 16
/** Realms that a client's name may be referred through (RFC 6806 §7). */
const MAX_REALMS = 10

/** What a login gives. */
export interface AsResult {
  readonly credential: Credential
  /** The KDC's clock less ours, in microseconds; 0 when they agree. */
  readonly clockOffset: number
  /** When the password expires, in seconds since the epoch; undefined when the KDC does not tell. */
  readonly keyExpiration: number | undefined
  readonly kdc: string
  /** The PA-DATA type of the mechanism that proved the client; undefined when the KDC wanted no proof. */
  readonly preauthType: number | undefined
}

/**
 * Gets an initial ticket, proving who the client is in whichever way the KDC calls for (RFC 4120 §3.1), in whichever
 * realm it says the client lives, if `canonicalize` or an enterprise name lets it (RFC 6806 §7). Throws KrbError.
 */
export function* asExchange(request: AsRequest, given: Env): KrbExchange<AsResult> {
  const realms = new Set<string>()
  let asked = request
  while (realms.size < MAX_REALMS && !realms.has(asked.client.realm)) {
    const { realm } = asked.client
    realms.add(realm)
    const outcome = yield* logIn(asked, given)
    if (typeof outcome !== 'string') return outcome
    given.trace?.({ kind: 'referral', realm: outcome, server: formatPrincipal(request.client) })
    asked = { ...asked, client: { ...asked.client, realm: outcome } }
  }
  throw new KrbError('REFERRAL_LOOP', `no end to the realms of ${formatPrincipal(request.client)}`, { step: 'AS-REQ' })
}

/** The login at one realm's KDC; the name of another realm when that is where the client lives. */
function* logIn(request: AsRequest, given: Env): KrbExchange<AsResult | string> {
  using login = new Login(request, given)
  const { client } = request
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { env, body } = login.nextRequest()
    const proof = yield* login.negotiation.proof()
    if (!proof) break
    const message = encode(AsReq, { padata: [...proof, ...constantPadata(request)], reqBody: body })
    const { answer, kdc } = yield* askKdc('AS-REQ', AsAnswer, client.realm, message, env)
    const origin: ReplyOrigin = { step: 'AS-REQ', realm: client.realm, kdc }
    if (answer.kind === 'reply') {
      const key = yield* login.replyKey(answer.value, message, origin)
      const sent = { key, body: body.value, message, origin, offset: login.offset }
      const { credential, clockOffset, keyExpiration } = openAsReply(request, answer.value, sent, given)
      return { credential, clockOffset, keyExpiration, kdc, preauthType: login.negotiation.mechanism?.types[0] }
    }
    const next = login.refused(answer.value, origin)
    if (next !== undefined) return next
  }
  if (login.refusal) throw login.refusal
  throw new KrbError('KDC_ERR_PREAUTH_FAILED', `no agreement on pre-authentication after ${MAX_ROUNDS} rounds`, {
    step: 'AS-REQ',
    realm: client.realm,
  })
}

/** Everything that one login remembers from round to round; disposing of it wipes the keys. */
class Login implements LoginState, Disposable {
  readonly negotiation: Negotiation
  readonly client
  readonly service
  readonly armorKey: Key | undefined = undefined
  /** The KDC's clock less ours, in microseconds. */
  offset = 0
  env: Env
  body: Encoded<KdcReqBody>
  hint: KeyHint
  /** Why the KDC refused the last request. */
  refusal: KrbError | undefined
  readonly #request: AsRequest
  readonly #given: Env
  readonly #secrets = new Secrets()
  /** Those of the secret's keys. */
  readonly #enctypes: readonly Enctype[]
  readonly #offer: readonly Enctype[]
  readonly #keys: (hint: KeyHint) => KrbExchange<Key>

  constructor(request: AsRequest, given: Env) {
    const { client, secret, preauth = [encryptedTimestamp], onChance = false } = request
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
  }

  /** Makes what the next proof and the next request are about. */
  nextRequest(): { readonly env: Env; readonly body: Encoded<KdcReqBody> } {
    this.env = shifted(this.#given, this.offset)
    this.body = requestBody(this.#request, this.#offer, this.env)
    return this
  }

  longTermKey(hint: KeyHint = this.hint): KrbExchange<Key> {
    return this.#keys(hint)
  }

  /** What the reply is sealed with: the mechanism's key, or the long-term one that the reply tells of. */
  *replyKey(reply: KdcRep, message: Uint8Array, origin: ReplyOrigin): KrbExchange<Key> {
    const { run } = this.negotiation
    const made = run?.replyKey ? yield* run.replyKey(reply, message) : undefined
    if (made) return made
    const etype = requireEnctype(reply.encPart.etype, { enctypes: this.#enctypes }, origin, 'reply')
    const told = readable(() => keyHint(reply.padata ?? [], [etype], this.client), origin)
    return yield* this.#keys(told ?? (this.hint.enctype === etype ? this.hint : defaultHint([etype], this.client)))
  }

  /**
   * What follows from a refusal: the realm to turn to, or undefined for another round. Throws the refusal when there is
   * nothing more to try.
   */
  refused(message: KrbErrorMessage, origin: ReplyOrigin): string | undefined {
    this.refusal = KrbError.of(message, formatPrincipal(this.client), origin)
    const { code } = this.refusal
    if (code === 'KRB_AP_ERR_SKEW' && (this.#request.followClock ?? true) && this.offset === 0) {
      this.offset = offsetOf(message, this.#given)
      this.#given.trace?.({ kind: 'clock', offset: this.offset })
      return undefined
    }
    if (code === 'KDC_ERR_WRONG_REALM' && mayCanonicalize(this.#request) && message.crealm) return message.crealm
    if (!this.#goesOn(message, origin)) throw this.refusal
    return undefined
  }

  #goesOn(message: KrbErrorMessage, origin: ReplyOrigin): boolean {
    const { negotiation } = this
    switch (errorCodeOf(message.errorCode)) {
      case 'KDC_ERR_PREAUTH_REQUIRED': {
        const offered = methodData(message, origin)
        this.#learn(offered, origin)
        negotiation.required(offered)
        return true
      }
      case 'KDC_ERR_MORE_PREAUTH_DATA_REQUIRED':
        return negotiation.more(methodData(message, origin))
      case 'KDC_ERR_PREAUTH_FAILED': {
        const offered = hints(message)
        return negotiation.failed(offered, this.#learn(offered, origin))
      }
      case 'KDC_ERR_PREAUTH_EXPIRED':
        return negotiation.expired()
      default: {
        const told = hints(message)
        if (negotiation.run?.retry?.(this.refusal!, told)) return true
        return negotiation.mechanism?.fallible === true && negotiation.failed(told, false)
      }
    }
  }

  /** Takes what the KDC tells of the client's key; says whether that was new. */
  #learn(offered: readonly PaData[], origin: ReplyOrigin): boolean {
    const hint = readable(() => keyHint(offered, this.#enctypes, this.client), origin)
    if (!hint || hintId(hint) === hintId(this.hint)) return false
    this.hint = hint
    return true
  }

  [Symbol.dispose](): void {
    this.#secrets[Symbol.dispose]()
  }
}

/** METHOD-DATA of a refusal that has to have it (RFC 4120 §5.9.1). Throws KrbError REPLY_MALFORMED. */
const methodData = ({ eData }: KrbErrorMessage, origin: ReplyOrigin): readonly PaData[] =>
  eData ? readable(() => decode(MethodData, eData), origin) : []

/**
 * What a refusal tells that may have anything: METHOD-DATA, or TYPED-DATA in the same words, as RFC 6113 §5.4.3 has it
 * (RFC 4120 §5.9.1).
 */
function hints({ eData }: KrbErrorMessage): readonly PaData[] {
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
