import { decode, encode, encodeShort } from '../asn1/codec.ts'
import type { Encoded } from '../asn1/structures.ts'
import { Key } from '../crypto/key.ts'
import { Secrets } from '../crypto/secrets.ts'
import { seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { ApReq } from '../krb5/messages/ap.ts'
import { AuthorizationData, type PaData } from '../krb5/messages/basics.ts'
import { adTypes, paTypes } from '../krb5/messages/codes.ts'
import { type KdcReq, type KdcReqBody, TgsRep } from '../krb5/messages/kdc.ts'
import type { EncTicketPart, Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal, principalNameOf, principalOf, sameComponents, samePrincipal } from '../krb5/names.ts'
import { keyOf } from '../krb5/reading.ts'
import {
  sealedAuthDataSession,
  sealedAuthDataSubkey,
  sealedTgsAuthenticator,
  sealedTgsRepSession,
  sealedTgsRepSubkey,
} from '../krb5/sealed.ts'
import { keyUsages } from '../krb5/usages.ts'
import type { PrincipalRecord } from './database.ts'
import { type Asked, subjectOf } from './delegation.ts'
import { armoredIn, openTgsTunnel, type Tunnel } from './fast.ts'
import { indicatorsIn, inheritedData, requireIndicators, withIndicators } from './indicators.ts'
import { addressesFor, flagsFor, timesOf } from './inherited.ts'
import type { Outcome } from './outcome.ts'
import { requireUsable, sessionEnctype } from './policy.ts'
import { openPresented, openTicket, type Presented } from './presented.ts'
import { findTarget, transitOf } from './realms.ts'
import { replyPart, sealTicket } from './replies.ts'
import { type Kdc, requireFaultless } from './request.ts'

/**
 * Answers a TGS-REQ, which came as `octets` (RFC 4120 §3.3.3), in FAST or out of it; one that comes again as it did before.
 * Throws KrbError, RefusalWithData and Asn1Error.
 */
export function answerTgs({ padata = [], reqBody }: KdcReq, octets: Uint8Array, kdc: Kdc): Outcome {
  using secrets = new Secrets()
  const { presented, request, cipher } = authenticate(padata, reqBody, kdc, secrets)
  const { answered } = kdc.remembered
  const proof = { request: octets, cipher }
  const before = answered.find(proof)
  if (before === 'replayed')
    throw new KrbError('KRB_AP_ERR_REPEAT', 'the authenticator was used before, with another request')
  if (before) return before
  const outcome = answerNew({ padata, reqBody, presented, request, secrets }, kdc)
  answered.keep(proof, outcome)
  return outcome
}

/** What came with an authenticator that is good and was not used before. */
interface Authenticated {
  readonly padata: readonly PaData[]
  readonly reqBody: Encoded<KdcReqBody>
  readonly presented: Presented
  /** The AP-REQ, whole. */
  readonly request: Uint8Array
  readonly secrets: Secrets
}

function answerNew({ padata, reqBody, presented, request, secrets }: Authenticated, kdc: Kdc): Outcome {
  const armored = armoredIn(padata)
  refuseMisusedArmor(presented, armored !== undefined)
  if (!armored) return sell({ body: reqBody.value, padata, presented, tunnel: undefined, secrets }, kdc)
  const tunnel = openTgsTunnel(armored, presented, request, secrets)
  try {
    return sell({ body: tunnel.body.value, padata: tunnel.padata, presented, tunnel, secrets }, kdc)
  } catch (error) {
    throw tunnel.sealRefusal(error, kdc)
  }
}

/** A request out of FAST, if it was in it. */
interface Request extends Asked {
  readonly tunnel: Tunnel | undefined
  readonly secrets: Secrets
}

function sell(request: Request, kdc: Kdc): Outcome {
  requireFaultless(kdc)
  const { body, presented, secrets } = request
  const { env } = kdc
  const { tgt } = presented
  const target = findTarget(body, kdc)
  const { service, canonical } = target
  requireUsable(service, 'service', seconds(env.now()))
  requireSameService(presented, body, service)
  const subject = subjectOf(request, target, kdc)
  const secondTicket = body.kdcOptions.has('encTktInSkey') ? openSecondTicket(body, service, kdc, secrets) : undefined
  if (service.userToUserOnly && !secondTicket)
    throw new KrbError('KDC_ERR_MUST_USE_USER2USER', `${formatPrincipal(service.principal)} has no key of its own`)
  const enctype = secondTicket?.enctype ?? sessionEnctype(body, service, env)
  const { authtime } = subject.basis
  const times = timesOf(tgt, body, service, kdc)
  const { starttime, endtime, renewTill } = times
  const { transited, flags } = transitOf(presented, subject, body, kdc)
  const fresh = secrets.keep(Key.generate(enctype, env.random))
  const data = [...inheritedData(subject.basis, kdc), ...addedData(body, presented)]
  const granted = flagsFor(body, subject.basis, service, times, seconds(env.now()))
  if (!again(body)) for (const flag of flags) granted.add(flag)
  const bare: EncTicketPart = {
    flags: granted,
    key: { keytype: enctype.id, keyvalue: secrets.wiped(fresh.octets()) },
    crealm: subject.crealm,
    cname: subject.cname,
    transited,
    authtime,
    starttime,
    endtime,
    renewTill,
    caddr: addressesFor(body, tgt),
    authorizationData: data.length > 0 ? data : undefined,
  }
  const sealing = { service, key: secondTicket ?? service.keys[0]! }
  const indicators = indicatorsIn(subject.basis, kdc)
  requireIndicators(service, indicators)
  const ticket = subject.withPac(withIndicators(bare, indicators, sealing, kdc), sealing)
  const sname = canonical ? principalNameOf(service.principal) : body.sname!
  const sealed = sealTicket(ticket, service, sname, env, secondTicket)
  const reply = sealReply(request, subject.padata, ticket, sealed, kdc)
  const client = principalOf(subject.cname, subject.crealm)
  return { reply, client, service: service.principal, enctype: enctype.name }
}

/** What the client wants in the ticket (RFC 4120 §5.4.1); never what only a KDC may say. */
function addedData({ encAuthorizationData }: KdcReqBody, { sessionKey, subkey }: Presented): AuthorizationData {
  if (!encAuthorizationData) return []
  const data = subkey
    ? sealedAuthDataSubkey.open(subkey, encAuthorizationData)
    : sealedAuthDataSession.open(sessionKey, encAuthorizationData)
  return data.filter(({ adType }) => !kdcsAlone.includes(adType)).map(withoutKdcs)
}

/** What is optional may hold the KDC's own kinds as well; it is dropped whole then. */
function withoutKdcs(element: AuthorizationData[number]): AuthorizationData[number] {
  if (element.adType !== adTypes.ifRelevant) return element
  const inner = decode(AuthorizationData, element.adData)
  const refused = inner.some(({ adType }) => kdcsAlone.includes(adType) || adType === adTypes.ifRelevant)
  return refused ? { adType: adTypes.ifRelevant, adData: encode(AuthorizationData, []) } : element
}

/** Kinds of authorization data that count because a KDC said them. */
const kdcsAlone: readonly number[] = [
  adTypes.win2kPac,
  adTypes.kdcIssued,
  adTypes.cammac,
  adTypes.authIndicator,
  adTypes.authenticationStrength,
  adTypes.initialVerifiedCas,
  adTypes.fxArmor,
  adTypes.fxFastUsed,
]

/** Under the subkey when the request has one, strengthened inside FAST. */
function sealReply(
  { body, presented, tunnel, secrets }: Request,
  told: readonly PaData[],
  ticket: EncTicketPart,
  sealed: Ticket,
  kdc: Kdc,
): Uint8Array {
  const { sessionKey, subkey } = presented
  const { env } = kdc
  const part = replyPart(ticket, sealed, body, kdc)
  const key = subkey ?? sessionKey
  const way = tunnel ? tunnel.sealReply(told, ticket, sealed, key, kdc, secrets) : { padata: told, key }
  const encPart = (subkey ? sealedTgsRepSubkey : sealedTgsRepSession).seal(way.key, part, env)
  const { crealm, cname } = tunnel?.named(ticket) ?? ticket
  const padata = way.padata.length > 0 ? way.padata : undefined
  return encodeShort(TgsRep, { padata, crealm, cname, ticket: sealed, encPart })
}

/** PA-TGS-REQ (RFC 4120 §3.3.2): the ticket is ours and valid, the authenticator its owner's, the body what it signed. */
function authenticate(
  padata: readonly PaData[],
  { value: { kdcOptions }, der }: Encoded<KdcReqBody>,
  kdc: Kdc,
  secrets: Secrets,
): Pick<Authenticated, 'presented' | 'request'> & { readonly cipher: Uint8Array } {
  const proof = padata.find(({ padataType }) => padataType === paTypes.tgsReq)
  if (!proof) throw new KrbError('KDC_ERR_PADATA_TYPE_NOSUPP', 'the request shows no ticket')
  const request = proof.padataValue
  const toValidate = kdcOptions.has('validate')
  const shown = decode(ApReq, request)
  const presented = openPresented(shown, sealedTgsAuthenticator, kdc, secrets, toValidate)
  const { authenticator, sessionKey } = presented
  const { cksumtype, checksum } = authenticator.cksum ?? { cksumtype: 0, checksum: new Uint8Array(0) }
  if (cksumtype !== sessionKey.enctype.checksumId)
    throw new KrbError(
      'KRB_AP_ERR_INAPP_CKSUM',
      `the body of a request to ${kdc.realm} must be signed with the session key`,
    )
  if (!sessionKey.verify(keyUsages.tgsReqChecksum, der, checksum))
    throw new KrbError('KRB_AP_ERR_MODIFIED', 'the body is not the one that was signed')
  return { presented, request, cipher: shown.authenticator.cipher }
}

/** What is marked as armor alone buys nothing, and FAST that was used must not be gone (RFC 6113 §5.4.1.1, §5.4.2). */
function refuseMisusedArmor({ tgt, authenticator }: Presented, armored: boolean): void {
  const has = (type: number) =>
    [tgt, authenticator].some(({ authorizationData = [] }) => authorizationData.some(({ adType }) => adType === type))
  if (has(adTypes.fxArmor)) throw new KrbError('KDC_ERR_POLICY', 'what is armor alone buys no tickets')
  if (has(adTypes.fxFastUsed) && !armored)
    throw new KrbError('KRB_AP_ERR_MODIFIED', 'the request was made with FAST, which is gone')
}

/** Whether a ticket is to be had anew as it is (RFC 4120 §2.3, §2.4). */
const again = ({ kdcOptions }: KdcReqBody): boolean => kdcOptions.has('renew') || kdcOptions.has('validate')

/** Only ticket-granting tickets buy others; any ticket may be renewed and validated, for itself (RFC 4120 §3.3.3). */
function requireSameService({ granting, principal }: Presented, body: KdcReqBody, service: PrincipalRecord) {
  const same = samePrincipal(principal, service.principal)
  if (again(body) && !same)
    throw new KrbError('KDC_ERR_SERVER_NOMATCH', `the ticket shown is not for ${formatPrincipal(service.principal)}`)
  if (!again(body) && !granting)
    throw new KrbError('KRB_AP_ERR_NOT_US', `a ticket for ${formatPrincipal(principal)} buys no others`)
}

/** The session key that seals a user-to-user ticket (RFC 4120 §2.9.2, §3.3.3): the ticket beside the request must be the service's. */
function openSecondTicket(body: KdcReqBody, service: PrincipalRecord, kdc: Kdc, secrets: Secrets): Key {
  const [second] = body.additionalTickets ?? []
  if (!second)
    throw new KrbError('KDC_ERR_BADOPTION', 'user-to-user needs the ticket of the service beside the request')
  const { ticket, granting } = openTicket(second, kdc)
  if (
    !granting ||
    !sameComponents(ticket.cname.nameString, service.principal.components) ||
    ticket.crealm !== service.principal.realm
  )
    throw new KrbError('KDC_ERR_SERVER_NOMATCH', 'the ticket beside the request is not the one of the service')
  if (ticket.endtime < seconds(kdc.env.now()))
    throw new KrbError('KRB_AP_ERR_TKT_EXPIRED', 'the ticket beside the request has expired')
  return secrets.keep(keyOf(ticket.key, kdc.env, { step: 'TGS-REQ' }, 'session key of the service'))
}
