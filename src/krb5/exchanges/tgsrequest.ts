/** One request for one ticket to one KDC (RFC 4120 §3.3). @module */
import { encode } from '../../asn1/codec.ts'
import type { Encoded } from '../../asn1/structures.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import { Key } from '../../crypto/key.ts'
import { Secrets } from '../../crypto/secrets.ts'
import type { Credential } from '../credential.ts'
import { type Env, randomNumber, shifted, timestamp } from '../env.ts'
import { errorCodeOf, type KrbErrorCode } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import { ApReq } from '../messages/ap.ts'
import type { ApOptions, AuthorizationData, HostAddress, KdcOptions, PaData } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import { type EncKdcRepPart, type KdcRep, KdcReqBody, TgsAnswer, TgsReq } from '../messages/kdc.ts'
import { formatPrincipal, type Principal, principalNameOf, principalOf, samePrincipal } from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import { type ReplyOrigin, readable } from '../reading.ts'
import { sealedAuthDataSubkey, sealedTgsAuthenticator, sealedTgsRepSession, sealedTgsRepSubkey } from '../sealed.ts'
import { keyUsages } from '../usages.ts'
import { ticketOf } from './ap.ts'
import { type FastPolicy, openFastError, openFastReply } from './fast.ts'
import { FastChannel, strengthened } from './fastchannel.ts'
import { askKdc, checkReply, credentialFrom, offsetOf } from './kdc.ts'

/** An option of a request. */
export type TicketOption = KdcOptions extends ReadonlySet<infer Option> ? Option : never

/** What makes one request an extended one, as S4U does. */
export interface TgsExtension {
  /** Padata besides the proof: made anew for each request, with the subkey of its authenticator. */
  padata?(nonce: number, subkey: Key): readonly PaData[]
  /** Whose the ticket must be, as the padata tell of a reply that names `named`. Throws KrbError. */
  clientOf(padata: readonly PaData[], nonce: number, subkey: Key, origin: ReplyOrigin, named: Principal): Principal
}

/** What is asked of one KDC. */
export interface TicketRequest {
  /** The ticket that is shown. */
  readonly tgt: Credential
  /** In the realm of the KDC that is asked. */
  readonly service: Principal
  /** Whether the KDC may answer with another name, or with a referral (RFC 6806). */
  readonly canonicalize: boolean
  readonly options?: Iterable<TicketOption> | undefined
  /** The KDC's clock less ours, in microseconds. */
  readonly clockOffset: number
  readonly fast?: FastPolicy | undefined
  /** To be had first; all of `env` when the service has none of them (KDC_ERR_ETYPE_NOSUPP). */
  readonly enctypes?: readonly Enctype[] | undefined
  /** Of a forwarded or a proxy ticket; none for one that is good from anywhere. */
  readonly addresses?: readonly HostAddress[] | undefined
  /** For the KDC to put into the ticket, encrypted on the way (RFC 4120 §5.4.1). */
  readonly authorizationData?: AuthorizationData | undefined
  /** DER: the peer's ticket-granting ticket for user-to-user, or the evidence of S4U2Proxy. */
  readonly secondTicket?: Uint8Array | undefined
  readonly extension?: TgsExtension | undefined
}

/** What one KDC sold. */
export interface Bought {
  readonly credential: Credential
  readonly clockOffset: number
}

const noOptions: ApOptions = new Set()

/** Options of a ticket-granting ticket that the tickets bought with it are to have as well. */
const inherited = ['forwardable', 'proxiable', 'renewable'] as const

/**
 * One ticket from one KDC. Asked again once each: when the clocks differ, when the service has none of the enctypes wanted,
 * and when it takes user-to-user tickets only and the peer's ticket is at hand. Throws KrbError.
 */
export function* requestTicket(request: TicketRequest, given: Env): KrbExchange<Bought> {
  const tried = new Set<KrbErrorCode>()
  for (let asked = request; ; ) {
    const answer = yield* ask(asked, given)
    if (answer.kind === 'bought') return answer
    const { refusal, origin } = answer
    const code = errorCodeOf(refusal.errorCode)
    const next = tried.has(code) ? undefined : again(asked, code, () => offsetOf(refusal, given))
    if (!next) throw KrbError.of(refusal, formatPrincipal(request.service), origin)
    tried.add(code)
    if (next.clockOffset !== asked.clockOffset) given.trace?.({ kind: 'clock', offset: next.clockOffset })
    asked = next
  }
}

/** How to ask better; undefined when there is no way. */
function again(asked: TicketRequest, code: KrbErrorCode, offset: () => number): TicketRequest | undefined {
  const options = new Set(asked.options)
  if (code === 'KRB_AP_ERR_SKEW') return { ...asked, clockOffset: offset() }
  if (code === 'KDC_ERR_ETYPE_NOSUPP' && asked.enctypes) return { ...asked, enctypes: undefined }
  if (code === 'KDC_ERR_MUST_USE_USER2USER' && asked.secondTicket && !options.has('encTktInSkey'))
    return { ...asked, options: [...options, 'encTktInSkey'] }
  return undefined
}

function* ask(asked: TicketRequest, given: Env) {
  const { tgt, service, clockOffset, extension } = asked
  const { realm } = service
  using secrets = new Secrets()
  const env = shifted(given, clockOffset)
  const subkey = secrets.keep(Key.generate(tgt.key.enctype, env.random))
  const body = requestBody(asked, subkey, env)
  const der = encode(KdcReqBody, body)
  const shown = proof(tgt, subkey, der, env)
  const more = extension?.padata?.(body.nonce, subkey) ?? []
  const channel = asked.fast && secrets.keep(new FastChannel(subkey, tgt.key))
  const tunnel = channel ? [throughFast(channel, { value: body, der }, shown, more, env)] : []
  const message = encode(TgsReq, { padata: [shown, ...tunnel, ...more], reqBody: { value: body, der } })
  const { answer, kdc } = yield* askKdc('TGS-REQ', TgsAnswer, realm, message, env)
  const origin: ReplyOrigin = { step: 'TGS-REQ', realm, kdc }
  if (answer.kind === 'error') {
    const refusal = (channel && openFastError(channel, answer.value, body.nonce, origin)?.message) ?? answer.value
    return { kind: 'refused', refusal, origin } as const
  }
  const opener = { subkey, channel, secrets, nonce: body.nonce }
  const { reply, part } = openReply(asked, answer.value, opener, origin, env)
  const client = extension
    ? extension.clientOf(reply.padata ?? [], body.nonce, subkey, origin, principalOf(reply.cname, reply.crealm))
    : tgt.client
  const credential = accept(asked, client, reply, part, body, origin, env)
  return { kind: 'bought', credential, clockOffset } as const
}

function requestBody(asked: TicketRequest, subkey: Key, env: Env): KdcReqBody {
  const { tgt, service, options = [], canonicalize, addresses, authorizationData, secondTicket } = asked
  const kdcOptions: KdcOptions = new Set([
    ...options,
    ...inherited.filter((option) => tgt.flags.has(option)),
    ...(canonicalize ? (['canonicalize'] as const) : []),
  ])
  const shows = kdcOptions.has('encTktInSkey') || kdcOptions.has('cnameInAddlTkt')
  return {
    kdcOptions,
    realm: service.realm,
    sname: principalNameOf(service),
    // A renewed ticket ends later than the one that is shown.
    till: kdcOptions.has('renew') ? (tgt.renewTill ?? tgt.endtime) : tgt.endtime,
    ...(tgt.renewTill === undefined ? {} : { rtime: tgt.renewTill }),
    nonce: randomNumber(env),
    etype: (asked.enctypes ?? env.tgsEnctypes ?? env.enctypes).map(({ id }) => id),
    ...(addresses?.length ? { addresses } : {}),
    ...(authorizationData?.length
      ? { encAuthorizationData: sealedAuthDataSubkey.seal(subkey, authorizationData, env) }
      : {}),
    ...(secondTicket && shows ? { additionalTickets: [ticketOf(secondTicket)] } : {}),
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
const throughFast = (
  channel: FastChannel,
  body: Encoded<KdcReqBody>,
  { padataValue }: PaData,
  padata: readonly PaData[],
  env: Env,
): PaData => channel.sealRequest({ padata, body, fastOptions: new Set(), signed: padataValue }, env)

/** What a request needs again to open its reply. */
interface Opener {
  readonly subkey: Key
  readonly channel: FastChannel | undefined
  readonly secrets: Secrets
  readonly nonce: number
}

/** Takes a reply out of FAST and out of its seal. Throws KrbError, FAST_REQUIRED for one outside when it must not be. */
function openReply(
  { tgt, fast: policy }: TicketRequest,
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
  { tgt, options = [], canonicalize, secondTicket }: TicketRequest,
  client: Principal,
  reply: KdcRep,
  part: EncKdcRepPart,
  body: KdcReqBody,
  origin: ReplyOrigin,
  env: Env,
): Credential {
  if (!samePrincipal(principalOf(reply.cname, reply.crealm), client))
    throw new KrbError('REPLY_MODIFIED', `a ticket for another client than ${formatPrincipal(client)}`, origin)
  checkReply(reply, part, { body, origin, canonicalize }, env)
  const asked = new Set(options)
  const userToUser = asked.has('encTktInSkey')
  const isMoved = asked.has('forwarded') || asked.has('proxy')
  const credential = {
    // MIT's KDC does not say again what a ticket has of the one that was shown.
    ...(tgt.addresses && !body.addresses && !isMoved ? { addresses: tgt.addresses } : {}),
    ...credentialFrom(reply, part, env, origin),
    ...(userToUser ? { secondTicket } : {}),
  }
  const names = { client: formatPrincipal(credential.client), server: formatPrincipal(credential.server) }
  env.trace?.({ kind: 'ticket', ...names, enctype: credential.key.enctype.name, endtime: credential.endtime })
  return credential
}
