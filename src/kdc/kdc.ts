import { decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { run, type World } from '../effects/index.ts'
import { type Env, shifted } from '../krb5/env.ts'
import type { KrbErrorCode } from '../krb5/errorcodes.ts'
import { KrbError } from '../krb5/errors.ts'
import { MethodData } from '../krb5/messages/basics.ts'
import { messageTypes } from '../krb5/messages/codes.ts'
import { TypedData } from '../krb5/messages/error.ts'
import { AsReq, type KdcReq, TgsReq } from '../krb5/messages/kdc.ts'
import { formatPrincipal, principalOf, ticketGrantingService } from '../krb5/names.ts'
import { encryptedChallengeKdc } from '../krb5/preauth/challenge/kdc.ts'
import type { KdcPreauth } from '../krb5/preauth/kdc.ts'
import { spakeKdc } from '../krb5/preauth/spake/kdc.ts'
import { encryptedTimestampKdc } from '../krb5/preauth/timestamp/kdc.ts'
import type { KrbExchange, KrbQuestions } from '../krb5/questions.ts'
import { answerAs } from './as.ts'
import type { PrincipalDatabase } from './database.ts'
import { type AnswerFaults, spoiled } from './faults.ts'
import type { Outcome } from './outcome.ts'
import type { Limits } from './policy.ts'
import { Remembered } from './remembered.ts'
import { refusal } from './replies.ts'
import { type Indicators, type Kdc, type Origin, refusalOf } from './request.ts'
import { answerTgs } from './tgs.ts'

/** What a KDC did with a request. */
export interface KdcEvent {
  readonly kind: 'AS-REQ' | 'TGS-REQ'
  readonly client: string
  readonly service: string
  /** `issued`, or the code of the refusal. */
  readonly outcome: 'issued' | KrbErrorCode
  /** Of the session key; undefined for a refusal. */
  readonly enctype: string | undefined
}

/** What a KDC is made of. */
export interface KdcOptions {
  readonly realm: string
  readonly database: PrincipalDatabase
  readonly env: Env
  readonly limits?: Limits | undefined
  /** Ways for clients to prove who they are, in the order they are offered; encrypted challenge (inside FAST), SPAKE and encrypted timestamp unless said. */
  readonly preauth?: readonly KdcPreauth[] | undefined
  /**
   * What tickets tell services of how the client proved itself (authentication indicators, RFC 8129), by the name of the
   * mechanism: `{ SPAKE: ['spake'], 'encrypted challenge': ['fast'] }`. See `requireAuth` of a principal.
   */
  readonly indicators?: Indicators | undefined
  /**
   * The realm that a host belongs to, empty for one that is not known: clients that ask here for a service there are
   * referred to it (RFC 6806 §8), by a key that is shared with it, `krbtgt/OTHER`, or with one on the way.
   */
  readonly realmOfHost?: ((host: string) => string) | undefined
  /** What is to be wrong with it; nothing unless said. */
  readonly faults?: AnswerFaults | undefined
  /** Told of every request. */
  readonly log?: ((event: KdcEvent) => void) | undefined
}

/**
 * A KDC: request octets in, reply octets out, nothing else. It remembers the tickets that it was shown lately; disposing of
 * it wipes their session keys.
 */
export interface KdcFunction extends Disposable {
  /**
   * The reply to a request, which came `from` somewhere where that is known; undefined for octets that are no request, which
   * nobody should answer (RFC 4120 §3.1.6).
   */
  answer(request: Uint8Array, from?: Origin): KrbExchange<Uint8Array | undefined>
  /** The same at once, for a KDC whose mechanisms ask nobody: a login by one that does is refused. */
  handle(request: Uint8Array, from?: Origin): Uint8Array | undefined
  /** The same for a KDC whose mechanisms compute what takes promises, as PKINIT does. */
  respond(request: Uint8Array, from?: Origin): Promise<Uint8Array | undefined>
  /** What to send instead of a reply that does not fit a datagram: KRB_ERR_RESPONSE_TOO_BIG (RFC 4120 §7.2.1). */
  tooBig(): Uint8Array
}

/** The largest request that is read. */
const MAX_REQUEST = 1024 * 1024
const DAY = 86_400
const defaultLimits: Limits = { maxLife: DAY, maxRenewLife: 7 * DAY }

/** What a KDC offers unless told otherwise. */
const defaultKdcPreauth: readonly KdcPreauth[] = [encryptedChallengeKdc, spakeKdc(), encryptedTimestampKdc]

/** A KDC of `realm`. It never throws, whatever the octets. */
export function createKdc(options: KdcOptions): KdcFunction {
  const {
    realm,
    database,
    limits = defaultLimits,
    preauth = defaultKdcPreauth,
    faults = {},
    indicators = {},
    realmOfHost,
    log,
  } = options
  const env = shifted(options.env, (faults.skew ?? 0) * 1e6)
  const remembered = new Remembered()
  const granting = ticketGrantingService(realm)
  // member by member: V8 takes as long for a spread as for reading the request
  const asked = (origin: Origin | undefined): Kdc => ({
    realm,
    database,
    env,
    limits,
    preauth,
    indicators,
    realmOfHost,
    origin,
    faults,
    remembered,
    grantingKeys: database.lookup(granting)?.keys ?? [],
  })
  function* answer(octets: Uint8Array, from?: Origin): KrbExchange<Uint8Array | undefined> {
    const read = readRequest(octets)
    return read && spoiled(yield* decide(read, octets, asked(from)), faults)
  }
  function* decide({ kind, request }: ReadRequest, octets: Uint8Array, kdc: Kdc): KrbExchange<Uint8Array> {
    try {
      if (faults.error && faults.clear) throw new KrbError(faults.error, 'a fault that was asked for')
      const outcome = kind === 'AS-REQ' ? yield* answerAs(request, octets, kdc) : answerTgs(request, octets, kdc)
      log?.(eventOf(kind, request, outcome))
      return outcome.reply
    } catch (error) {
      const { refused, padata, typedData, clientRealm } = refusalOf(error)
      log?.(eventOf(kind, request, refused))
      const eData = typedData ? encode(TypedData, typedData) : padata && encode(MethodData, padata)
      return refusal(refused, realm, env, { eData, body: request.reqBody.value, clientRealm })
    }
  }
  return {
    tooBig: () => refusal(new KrbError('KRB_ERR_RESPONSE_TOO_BIG', ''), realm, env),
    answer,
    handle: (octets, from) => atOnce(answer(octets, from)),
    respond: (octets, from) => run<KrbQuestions, Uint8Array | undefined>(answer(octets, from), computing),
    [Symbol.dispose]: () => remembered[Symbol.dispose](),
  }
}

/** Runs an exchange in which nothing may be asked: a question is answered by the refusal of the request. */
function atOnce(exchange: KrbExchange<Uint8Array | undefined>): Uint8Array | undefined {
  let step = exchange.next()
  while (!step.done) step = exchange.throw(unanswered(step.value.kind))
  return step.value
}

const unanswered = (question: string) =>
  new KrbError('KDC_ERR_SVC_UNAVAILABLE', `nobody here answers a question (${question})`)

const refusing = (question: string) => (): never => {
  throw unanswered(question)
}

/** The world of a KDC on its own: it computes, and asks nobody. */
export const computing: World<KrbQuestions> = {
  compute: ({ work }) => work(),
  send: refusing('send'),
  prompt: refusing('prompt'),
  replay: refusing('replay'),
  keep: refusing('keep'),
}

interface ReadRequest {
  readonly kind: KdcEvent['kind']
  readonly request: KdcReq
}

/** A request that is well-formed; undefined for anything else, errors above all. */
function readRequest(octets: Uint8Array): ReadRequest | undefined {
  if (octets.length > MAX_REQUEST) return undefined
  try {
    if (octets[0] === (0x60 | messageTypes.asReq)) return { kind: 'AS-REQ', request: decode(AsReq, octets) }
    if (octets[0] === (0x60 | messageTypes.tgsReq)) return { kind: 'TGS-REQ', request: decode(TgsReq, octets) }
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error
  }
  return undefined
}

function eventOf(kind: KdcEvent['kind'], { reqBody: { value: body } }: KdcReq, outcome: Outcome | KrbError): KdcEvent {
  if (!(outcome instanceof KrbError)) {
    const { client, service, enctype } = outcome
    return { kind, client: formatPrincipal(client), service: formatPrincipal(service), outcome: 'issued', enctype }
  }
  const name = (principal: typeof body.sname) =>
    principal ? formatPrincipal(principalOf(principal, body.realm)) : 'nobody'
  return { kind, client: name(body.cname), service: name(body.sname), outcome: outcome.code, enctype: undefined }
}
