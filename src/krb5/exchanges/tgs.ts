import { encode } from '../../asn1/codec.ts'
import type { Encoded } from '../../asn1/structures.ts'
import { Key } from '../../crypto/key.ts'
import { Secrets } from '../../crypto/secrets.ts'
import type { Credential } from '../credential.ts'
import { type Env, randomNumber, shifted, timestamp } from '../env.ts'
import { errorCodeOf } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import { ApReq } from '../messages/ap.ts'
import type { ApOptions, KdcOptions, PaData } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import { type EncKdcRepPart, type KdcRep, KdcReqBody, TgsAnswer, TgsReq } from '../messages/kdc.ts'
import {
  formatPrincipal,
  grantedRealm,
  type Principal,
  principalNameOf,
  sameComponents,
  ticketGrantingService,
} from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import { type ReplyOrigin, readable } from '../reading.ts'
import { sealedTgsAuthenticator, sealedTgsRepSession, sealedTgsRepSubkey } from '../sealed.ts'
import { keyUsages } from '../usages.ts'
import { ticketOf } from './ap.ts'
import { type FastPolicy, openFastError, openFastReply } from './fast.ts'
import { FastChannel, strengthened } from './fastchannel.ts'
import { askKdc, checkReply, credentialFrom, offsetOf } from './kdc.ts'

/** Realms that a request for one ticket may lead through. */
const MAX_REFERRALS = 10

/** What the caller wants of the TGS exchange (RFC 4120 §3.3). */
export interface TgsRequest {
  /** The ticket-granting ticket of the client's own realm, or of one on the way. */
  readonly tgt: Credential
  /** With an empty realm, the KDCs say where the service lives (RFC 6806 §8). */
  readonly service: Principal
  readonly options?: Iterable<KdcOptions extends ReadonlySet<infer Option> ? Option : never> | undefined
  /** The KDC's clock less ours, in microseconds, as the login learnt it. */
  readonly clockOffset?: number | undefined
  /** Whether to go through FAST, with the ticket shown as its armor (RFC 6113 §5.4.2); not at all unless said. */
  readonly fast?: FastPolicy | undefined
}

/** What the exchange gives: the ticket, and those for the realms on the way to it. */
export interface TgsResult {
  readonly credential: Credential
  readonly path: readonly Credential[]
  readonly clockOffset: number
}

const noOptions: ApOptions = new Set()

/** Options of a ticket-granting ticket that the tickets bought with it are to have as well. */
const inherited = ['forwardable', 'proxiable', 'renewable'] as const

/**
 * Buys a ticket for `service`, following referrals from realm to realm (RFC 4120 §3.3, RFC 6806 §8). Throws KrbError,
 * REFERRAL_LOOP when the realms lead in circles.
 */
export function* tgsExchange(request: TgsRequest, env: Env): KrbExchange<TgsResult> {
  const { service } = request
  let { tgt, clockOffset = 0 } = request
  const path: Credential[] = []
  const visited = new Set<string>()
  for (let hop = 0; hop < MAX_REFERRALS; hop++) {
    const realm = grantedRealm(tgt.server)
    if (realm === undefined) throw new KrbError('NO_TICKET', `${formatPrincipal(tgt.server)} grants no tickets`)
    if (visited.has(realm)) break
    visited.add(realm)
    const here = service.realm === '' || service.realm === realm
    const wanted = here ? { ...service, realm } : ticketGrantingService(service.realm, realm)
    const bought = yield* requestTicket(
      { ...request, tgt, clockOffset, canonicalize: !here || service.realm === '' },
      wanted,
      env,
    )
    clockOffset = bought.clockOffset
    const { credential } = bought
    const next = grantedRealm(credential.server)
    const isReferral =
      next !== undefined && next !== realm && !sameComponents(credential.server.components, service.components)
    if (!isReferral) return { credential, path, clockOffset }
    env.trace?.({ kind: 'referral', realm: next, server: formatPrincipal(service) })
    path.push(credential)
    tgt = credential
  }
  throw new KrbError(
    'REFERRAL_LOOP',
    `no end to the way from ${grantedRealm(request.tgt.server)} to ${formatPrincipal(service)}`,
    {
      step: 'TGS-REQ',
    },
  )
}

/**
 * Sends a ticket back to the KDC that issued it, to be given a longer life (RFC 4120 §2.3), or to become valid now that its
 * time has come (§2.4). Throws KrbError, KDC_ERR_BADOPTION for a ticket that is not renewable or needs no validation.
 */
export function* ticketAgain(
  how: 'renew' | 'validate',
  { tgt: ticket, clockOffset = 0, fast }: Pick<TgsRequest, 'tgt' | 'clockOffset' | 'fast'>,
  env: Env,
): KrbExchange<Omit<TgsResult, 'path'>> {
  const { server } = ticket
  const asked = { tgt: ticket, service: server, options: [how], clockOffset, fast, canonicalize: false }
  return yield* requestTicket(asked, server, env)
}

interface Asked extends TgsRequest {
  readonly clockOffset: number
  readonly canonicalize: boolean
}

/** One request to one KDC, repeated once when the clocks differ. */
function* requestTicket(asked: Asked, service: Principal, given: Env): KrbExchange<Omit<TgsResult, 'path'>> {
  const { tgt } = asked
  const realm = service.realm
  let clockOffset = asked.clockOffset
  for (let round = 0; ; round++) {
    using secrets = new Secrets()
    const env = shifted(given, clockOffset)
    const body = requestBody(asked, service, env)
    const subkey = secrets.keep(Key.generate(tgt.key.enctype, env.random))
    const der = encode(KdcReqBody, body)
    const shown = proof(tgt, subkey, der, env)
    const channel = asked.fast && secrets.keep(new FastChannel(subkey, tgt.key))
    const padata = channel ? [shown, throughFast(channel, { value: body, der }, shown, env)] : [shown]
    const message = encode(TgsReq, { padata, reqBody: { value: body, der } })
    const { answer, kdc } = yield* askKdc('TGS-REQ', TgsAnswer, realm, message, env)
    const origin: ReplyOrigin = { step: 'TGS-REQ', realm, kdc }
    if (answer.kind === 'reply') {
      const { reply, part } = openReply(
        asked,
        answer.value,
        { subkey, channel, secrets, nonce: body.nonce },
        origin,
        env,
      )
      return { credential: accept(asked, reply, part, body, origin, env), clockOffset }
    }
    const refusal = (channel && openFastError(channel, answer.value, body.nonce, origin)?.message) ?? answer.value
    if (errorCodeOf(refusal.errorCode) !== 'KRB_AP_ERR_SKEW' || round > 0)
      throw KrbError.of(refusal, formatPrincipal(service), origin)
    clockOffset = offsetOf(refusal, given)
    given.trace?.({ kind: 'clock', offset: clockOffset })
  }
}

function requestBody({ tgt, options = [], canonicalize }: Asked, service: Principal, env: Env): KdcReqBody {
  const kdcOptions: KdcOptions = new Set([
    ...options,
    ...inherited.filter((option) => tgt.flags.has(option)),
    ...(canonicalize ? (['canonicalize'] as const) : []),
  ])
  return {
    kdcOptions,
    realm: service.realm,
    sname: principalNameOf(service),
    // A renewed ticket ends later than the one that is shown.
    till: kdcOptions.has('renew') ? (tgt.renewTill ?? tgt.endtime) : tgt.endtime,
    ...(tgt.renewTill === undefined ? {} : { rtime: tgt.renewTill }),
    nonce: randomNumber(env),
    etype: env.enctypes.map(({ id }) => id),
  }
}

/** PA-TGS-REQ (RFC 4120 §5.2.7.1): an AP-REQ whose authenticator signs the request's body. */
function proof({ client, key, ticket }: Credential, subkey: Key, body: Uint8Array, env: Env): PaData {
  const { time, micros } = timestamp(env)
  const authenticator = sealedTgsAuthenticator.seal(
    key,
    {
      crealm: client.realm,
      cname: principalNameOf(client),
      cksum: { cksumtype: key.enctype.checksumId, checksum: key.checksum(keyUsages.tgsReqChecksum, body) },
      ctime: time,
      cusec: micros,
      subkey: { keytype: subkey.enctype.id, keyvalue: subkey.octets() },
      seqNumber: randomNumber(env),
    },
    env,
  )
  const padataValue = encode(ApReq, { apOptions: noOptions, ticket: ticketOf(ticket), authenticator })
  return { padataType: paTypes.tgsReq, padataValue }
}

/** The same request once more inside FAST, where nobody on the way can change it or the answer. */
const throughFast = (channel: FastChannel, body: Encoded<KdcReqBody>, { padataValue }: PaData, env: Env): PaData =>
  channel.sealRequest({ padata: [], body, fastOptions: new Set(), signed: padataValue }, env)

/** What a request needs again to open its reply. */
interface Opener {
  readonly subkey: Key
  readonly channel: FastChannel | undefined
  readonly secrets: Secrets
  readonly nonce: number
}

/** Takes a reply out of FAST and out of its seal. Throws KrbError, FAST_REQUIRED for one outside when it must not be. */
function openReply(
  { tgt, fast: policy }: Asked,
  outer: KdcRep,
  { subkey, channel, secrets, nonce }: Opener,
  origin: ReplyOrigin,
  env: Env,
): { readonly reply: KdcRep; readonly part: EncKdcRepPart } {
  const fast = channel && openFastReply(channel, outer, nonce, origin, env)
  if (!fast) {
    if (policy === 'required') throw new KrbError('FAST_REQUIRED', 'the ticket came outside of the tunnel', origin)
    return { reply: outer, part: readable(() => openPart(outer, subkey, tgt.key), origin) }
  }
  // Without it, somebody could have taken FAST out of another reply (RFC 6113 §5.4.3).
  if (!fast.strengthenKey) throw new KrbError('REPLY_MODIFIED', 'no strengthening key in the answer', origin)
  const key = secrets.keep(strengthened(secrets.keep(fast.strengthenKey), subkey))
  return { reply: fast.reply, part: readable(() => sealedTgsRepSubkey.open(key, fast.reply.encPart), origin) }
}

/** Opens the reply under the subkey we sent, or under the session key as some KDCs still answer (RFC 4120 §3.3.3). */
function openPart({ encPart }: KdcRep, subkey: Key, sessionKey: Key): EncKdcRepPart {
  try {
    return sealedTgsRepSubkey.open(subkey, encPart)
  } catch (error) {
    if (!(error instanceof KrbError) || error.code !== 'KRB_AP_ERR_MODIFIED') throw error
    return sealedTgsRepSession.open(sessionKey, encPart)
  }
}

function accept(
  { tgt, canonicalize }: Asked,
  reply: KdcRep,
  part: EncKdcRepPart,
  body: KdcReqBody,
  origin: ReplyOrigin,
  env: Env,
) {
  if (!sameComponents(reply.cname.nameString, tgt.client.components) || reply.crealm !== tgt.client.realm)
    throw new KrbError('REPLY_MODIFIED', `a ticket for another client than ${formatPrincipal(tgt.client)}`, origin)
  checkReply(reply, part, { body, origin, canonicalize }, env)
  const credential = credentialFrom(reply, part, env, origin)
  const names = { client: formatPrincipal(credential.client), server: formatPrincipal(credential.server) }
  env.trace?.({ kind: 'ticket', ...names, enctype: credential.key.enctype.name, endtime: credential.endtime })
  return credential
}
