import { decode, encode } from '../../asn1/codec.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Key } from '../../crypto/key.ts'
import { Secrets } from '../../crypto/secrets.ts'
import type { Credential } from '../credential.ts'
import { CLOCK_SKEW, type Env, randomNumber, seconds, shifted } from '../env.ts'
import { errorCodeOf } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import { Checksum, type HostAddress, type KdcOptions, MethodData, type PaData } from '../messages/basics.ts'
import { nameTypes, paTypes } from '../messages/codes.ts'
import type { KrbErrorMessage } from '../messages/error.ts'
import { AsAnswer, AsReq, type EncKdcRepPart, type KdcRep, KdcReqBody } from '../messages/kdc.ts'
import { formatPrincipal, type Principal, principalNameOf, sameComponents, ticketGrantingService } from '../names.ts'
import { keyHint } from '../preauth/hints.ts'
import type { Preauth } from '../preauth/mechanism.ts'
import { encryptedTimestamp } from '../preauth/timestamp/client.ts'
import type { KrbExchange } from '../questions.ts'
import { sealedAsRep } from '../sealed.ts'
import { defaultSalt, formatSalt, type KeyHint, type LongTermSecret } from '../secret.ts'
import { keyUsages } from '../usages.ts'
import { askKdc, checkReply, credentialFrom, offsetOf, type ReplyOrigin, readable, requireEnctype } from './kdc.ts'

/** Requests sent for one login before the KDC is taken to be asking in circles. */
const MAX_ROUNDS = 8

/** A clock this close to the KDC's, in microseconds, is left alone: KerberosTime has whole seconds. */
const CLOCK_GRAIN = 2_000_000

/** What the caller wants of the AS exchange (RFC 4120 §3.1). */
export interface AsRequest {
  readonly client: Principal
  readonly secret: LongTermSecret
  /** The ticket-granting service of the client's realm, unless said. */
  readonly service?: Principal | undefined
  /** Seconds the ticket is to be good for. */
  readonly lifetime: number
  /** Seconds it is to be renewable for; not renewable unless said. */
  readonly renewLifetime?: number | undefined
  readonly options?: Iterable<KdcOptions extends ReadonlySet<infer Option> ? Option : never> | undefined
  readonly addresses?: readonly HostAddress[] | undefined
  /** Ways to pre-authenticate, best first; the encrypted timestamp unless said. */
  readonly preauth?: readonly Preauth[] | undefined
  /** Whether to follow the KDC's clock when it differs (kdc_timesync); true unless said. */
  readonly followClock?: boolean | undefined
}

/** What a login gives. */
export interface AsResult {
  readonly credential: Credential
  /** The KDC's clock less ours, in microseconds; 0 when they agree. */
  readonly clockOffset: number
  /** When the password expires, in seconds since the epoch; undefined when the KDC does not tell. */
  readonly keyExpiration: number | undefined
  readonly kdc: string
}

/** Gets an initial ticket, proving who the client is in whichever way the KDC calls for (RFC 4120 §3.1). Throws KrbError. */
export function* asExchange(request: AsRequest, given: Env): KrbExchange<AsResult> {
  using secrets = new Secrets()
  const { client, secret, preauth = [encryptedTimestamp], followClock = true } = request
  // Those of the secret's keys first; the others are good for the session key (RFC 4120 §3.1.3).
  const hasKey = ({ id }: Enctype) => secret.enctypes?.includes(id) ?? true
  const enctypes = given.enctypes.filter(hasKey)
  const offer = [...enctypes, ...given.enctypes.filter((enctype) => !hasKey(enctype))]
  if (enctypes.length === 0)
    throw new KrbError('NO_KEY', `no key of ${formatPrincipal(client)} is of an enctype that is allowed`)
  let offset = 0
  let offered: readonly PaData[] = []
  let hint: KeyHint | undefined
  let answerTo: Preauth | undefined
  const keys = longTermKeys(client, secret, secrets, given)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const env = shifted(given, offset)
    const longTermKey = () => keys(hint ?? defaultHint(enctypes, client))
    const proof = answerTo ? yield* answerTo.answer(offered, { env, longTermKey }) : []
    const body = requestBody(request, offer, env)
    const message = encode(AsReq, {
      padata: [...proof, { padataType: paTypes.reqEncPaRep, padataValue: new Uint8Array(0) }],
      reqBody: { value: body, der: encode(KdcReqBody, body) },
    })
    const { answer, kdc } = yield* askKdc('AS-REQ', AsAnswer, client.realm, message, env)
    const origin: ReplyOrigin = { step: 'AS-REQ', realm: client.realm, kdc }
    if (answer.kind === 'reply') {
      const etype = requireEnctype(answer.value.encPart.etype, { enctypes }, origin, 'reply')
      const told = readable(() => keyHint(answer.value.padata ?? [], [etype], client), origin)
      const key = yield* keys(told ?? (hint?.enctype === etype ? hint : defaultHint([etype], client)))
      return finish(request, answer.value, { key, body, message, origin, offset }, given)
    }
    const refusal = answer.value
    const code = errorCodeOf(refusal.errorCode)
    if (code === 'KRB_AP_ERR_SKEW' && followClock && offset === 0) {
      offset = offsetOf(refusal, given)
      given.trace?.({ kind: 'clock', offset })
    } else if (code === 'KDC_ERR_PREAUTH_REQUIRED' && !answerTo) {
      offered = readable(() => decode(MethodData, refusal.eData ?? new Uint8Array([0x30, 0])), origin)
      hint = readable(() => keyHint(offered, enctypes, client), origin)
      answerTo = choosePreauth(preauth, offered)
      if (!answerTo) throw refused(refusal, client, origin)
      const types = offered.map(({ padataType }) => padataType)
      env.trace?.({ kind: 'preauth', mechanism: answerTo.name, offered: types })
    } else throw refused(refusal, client, origin)
  }
  throw new KrbError('KDC_ERR_PREAUTH_FAILED', `no agreement on pre-authentication after ${MAX_ROUNDS} rounds`, {
    step: 'AS-REQ',
    realm: client.realm,
  })
}

/** The first of ours that the KDC offers. */
function choosePreauth(preauth: readonly Preauth[], offered: readonly PaData[]): Preauth | undefined {
  return preauth.find(({ types }) => offered.some(({ padataType }) => types.includes(padataType)))
}

function refused(refusal: KrbErrorMessage, client: Principal, origin: ReplyOrigin): KrbError {
  return KrbError.of(refusal, formatPrincipal(client), origin)
}

/** Where the KDC told nothing of the key: the default salt and the first enctype. */
const defaultHint = ([enctype]: readonly Enctype[], client: Principal): KeyHint => ({
  enctype: enctype!,
  salt: defaultSalt(client),
})

/** Makes each long-term key once, since a password's takes thousands of hash rounds. */
function longTermKeys(client: Principal, secret: LongTermSecret, secrets: Secrets, env: Env) {
  const made = new Map<string, Key>()
  return function* (hint: KeyHint): KrbExchange<Key> {
    const { enctype, salt, parameters = [] } = hint
    const id = [enctype.id, salt.join(' '), parameters.join(' ')].join('|')
    const known = made.get(id)
    if (known) return known
    const key = secrets.keep(yield* makeKey(secret, hint))
    made.set(id, key)
    env.trace?.({ kind: 'key', principal: formatPrincipal(client), enctype: enctype.name, salt: formatSalt(salt) })
    return key
  }
}

function* makeKey(secret: LongTermSecret, hint: KeyHint): KrbExchange<Key> {
  try {
    return yield* secret.key(hint)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new KrbError('REPLY_MALFORMED', cause.message, { step: 'AS-REQ', cause })
  }
}

function requestBody(request: AsRequest, enctypes: readonly Enctype[], env: Env): KdcReqBody {
  const {
    client,
    service = ticketGrantingService(client.realm),
    lifetime,
    renewLifetime,
    options = [],
    addresses,
  } = request
  const now = seconds(env.now())
  const kdcOptions: KdcOptions = new Set([...options, ...(renewLifetime ? (['renewable'] as const) : [])])
  return {
    kdcOptions,
    cname: principalNameOf(client),
    realm: client.realm,
    sname: principalNameOf(service),
    till: now + lifetime,
    ...(renewLifetime ? { rtime: now + renewLifetime } : {}),
    nonce: randomNumber(env),
    etype: enctypes.map(({ id }) => id),
    ...(addresses?.length ? { addresses } : {}),
  }
}

/** What the last request was, and what opens its reply. */
interface Sent {
  readonly key: Key
  readonly body: KdcReqBody
  readonly message: Uint8Array
  readonly origin: ReplyOrigin
  readonly offset: number
}

function finish(request: AsRequest, reply: KdcRep, sent: Sent, given: Env): AsResult {
  const { client, followClock = true } = request
  const { key, body, message, origin } = sent
  const part = readable(() => sealedAsRep.open(key, reply.encPart, 'KRB_AP_ERR_BAD_INTEGRITY'), origin)
  const learnt = part.authtime * 1e6 - given.now()
  const offset = followClock && Math.abs(learnt - sent.offset) > CLOCK_GRAIN ? learnt : sent.offset
  const env = shifted(given, offset)
  const canonicalize = body.kdcOptions.has('canonicalize') || client.type === nameTypes.enterprise
  const sameClient = sameComponents(reply.cname.nameString, client.components) && reply.crealm === client.realm
  if (!sameClient && !canonicalize)
    throw new KrbError('REPLY_MODIFIED', `a ticket for another client than ${formatPrincipal(client)}`, origin)
  checkReply(reply, part, { body, origin, canonicalize }, env)
  if (!followClock && Math.abs(learnt) > CLOCK_SKEW)
    throw new KrbError('KRB_AP_ERR_SKEW', `the KDC's clock is ${Math.round(learnt / 1e6)} s ahead of ours`, origin)
  checkRequestUntouched(part, message, key, origin)
  const credential = credentialFrom(reply, part, env, origin)
  const names = { client: formatPrincipal(credential.client), server: formatPrincipal(credential.server) }
  given.trace?.({ kind: 'ticket', ...names, enctype: credential.key.enctype.name, endtime: credential.endtime })
  return { credential, clockOffset: offset, keyExpiration: part.keyExpiration, kdc: origin.kdc }
}

/** RFC 6806 §11: where the reply's flag says so, the KDC signed the request as it arrived there. */
function checkRequestUntouched(part: EncKdcRepPart, message: Uint8Array, key: Key, origin: ReplyOrigin): void {
  if (!part.flags.has('encPaRep')) return
  const signed = part.encryptedPaData?.find(({ padataType }) => padataType === paTypes.reqEncPaRep)
  const { cksumtype, checksum } = signed
    ? readable(() => decode(Checksum, signed.padataValue), origin)
    : { cksumtype: 0, checksum: new Uint8Array(0) }
  if (cksumtype !== key.enctype.checksumId || !key.verify(keyUsages.asReqChecksum, message, checksum))
    throw new KrbError('REPLY_MODIFIED', 'the KDC received another AS-REQ than the one sent', origin)
}
