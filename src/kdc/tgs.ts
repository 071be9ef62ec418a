import { decode, encode } from '../asn1/codec.ts'
import type { Encoded } from '../asn1/structures.ts'
import { Key } from '../crypto/key.ts'
import { Secrets } from '../crypto/secrets.ts'
import { seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { ApReq } from '../krb5/messages/ap.ts'
import type { PaData } from '../krb5/messages/basics.ts'
import { adTypes, paTypes } from '../krb5/messages/codes.ts'
import { type KdcReq, type KdcReqBody, TgsRep } from '../krb5/messages/kdc.ts'
import type { EncTicketPart, Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal, principalOf, sameComponents, samePrincipal } from '../krb5/names.ts'
import { keyOf } from '../krb5/reading.ts'
import { sealedTgsAuthenticator, sealedTgsRepSession, sealedTgsRepSubkey } from '../krb5/sealed.ts'
import { keyUsages } from '../krb5/usages.ts'
import type { PrincipalRecord } from './database.ts'
import { armoredIn, openTgsTunnel, type Tunnel } from './fast.ts'
import { withPacOf } from './pac.ts'
import {
  type Flag,
  grantTimes,
  limitsOf,
  postdateFlags,
  requireUsable,
  sessionEnctype,
  type TicketTimes,
} from './policy.ts'
import { openPresented, openTicket, type Presented } from './presented.ts'
import { replyPart, sealTicket } from './replies.ts'
import type { Kdc, Outcome } from './request.ts'

/** Answers a TGS-REQ (RFC 4120 §3.3.3), in FAST or out of it. Throws KrbError, RefusalWithData and Asn1Error. */
export function answerTgs({ padata = [], reqBody }: KdcReq, kdc: Kdc): Outcome {
  using secrets = new Secrets()
  const { presented, request } = authenticate(padata, reqBody, kdc, secrets)
  const armored = armoredIn(padata)
  refuseMisusedArmor(presented, armored !== undefined)
  if (!armored) return sell({ body: reqBody.value, presented, tunnel: undefined, secrets }, kdc)
  const tunnel = openTgsTunnel(armored, presented, request, secrets)
  try {
    return sell({ body: tunnel.body.value, presented, tunnel, secrets }, kdc)
  } catch (error) {
    throw tunnel.sealRefusal(error, kdc)
  }
}

/** A request out of FAST, if it was in it. */
interface Asked {
  readonly body: KdcReqBody
  readonly presented: Presented
  readonly tunnel: Tunnel | undefined
  readonly secrets: Secrets
}

function sell({ body, presented, tunnel, secrets }: Asked, kdc: Kdc): Outcome {
  const { env } = kdc
  const { tgt } = presented
  const service = findService(body, kdc)
  requireUsable(service, 'service', seconds(env.now()))
  requireSameService(presented, body, service)
  const secondTicket = body.kdcOptions.has('encTktInSkey') ? openSecondTicket(body, service, kdc, secrets) : undefined
  const enctype = secondTicket?.enctype ?? sessionEnctype(body, service, env)
  const times = timesOf(tgt, body, service, kdc)
  const fresh = secrets.keep(Key.generate(enctype, env.random))
  const bare: EncTicketPart = {
    flags: flagsFor(body, presented, service, times, seconds(env.now())),
    key: { keytype: enctype.id, keyvalue: fresh.octets() },
    crealm: tgt.crealm,
    cname: tgt.cname,
    transited: tgt.transited,
    ...times,
    ...addressesFor(body, tgt),
    ...(tgt.authorizationData ? { authorizationData: tgt.authorizationData } : {}),
  }
  const ticket = withPacOf(presented, bare, { service, key: secondTicket ?? service.keys[0]! }, kdc)
  const sealed = sealTicket(ticket, service, body.sname!, env, secondTicket)
  const reply = sealReply({ body, presented, tunnel, secrets }, ticket, sealed, kdc)
  return { reply, client: principalOf(tgt.cname, tgt.crealm), service: service.principal, enctype: enctype.name }
}

/** Under the subkey when the request has one, strengthened inside FAST. */
function sealReply({ body, presented, tunnel, secrets }: Asked, ticket: EncTicketPart, sealed: Ticket, kdc: Kdc) {
  const { sessionKey, subkey } = presented
  const { env } = kdc
  const part = replyPart(ticket, sealed, body, env)
  const key = subkey ?? sessionKey
  const way = tunnel ? tunnel.sealReply([], ticket, sealed, key, kdc, secrets) : { padata: undefined, key }
  const encPart = (subkey ? sealedTgsRepSubkey : sealedTgsRepSession).seal(way.key, part, env)
  const { crealm, cname } = tunnel?.named(ticket) ?? ticket
  const padata = way.padata ? { padata: way.padata } : {}
  return encode(TgsRep, { ...padata, crealm, cname, ticket: sealed, encPart })
}

/** PA-TGS-REQ (RFC 4120 §3.3.2): the ticket is ours and valid, the authenticator its owner's, the body what it signed. */
function authenticate(
  padata: readonly PaData[],
  { value: { kdcOptions }, der }: Encoded<KdcReqBody>,
  kdc: Kdc,
  secrets: Secrets,
): { readonly presented: Presented; readonly request: Uint8Array } {
  const proof = padata.find(({ padataType }) => padataType === paTypes.tgsReq)
  if (!proof) throw new KrbError('KDC_ERR_PADATA_TYPE_NOSUPP', 'the request shows no ticket')
  const request = proof.padataValue
  const toValidate = kdcOptions.has('validate')
  const presented = openPresented(decode(ApReq, request), sealedTgsAuthenticator, kdc, secrets, toValidate)
  const { authenticator, sessionKey } = presented
  const { cksumtype, checksum } = authenticator.cksum ?? { cksumtype: 0, checksum: new Uint8Array(0) }
  if (cksumtype !== sessionKey.enctype.checksumId)
    throw new KrbError(
      'KRB_AP_ERR_INAPP_CKSUM',
      `the body of a request to ${kdc.realm} must be signed with the session key`,
    )
  if (!sessionKey.verify(keyUsages.tgsReqChecksum, der, checksum))
    throw new KrbError('KRB_AP_ERR_MODIFIED', 'the body is not the one that was signed')
  return { presented, request }
}

/** What is marked as armor alone buys nothing, and FAST that was used must not be gone (RFC 6113 §5.4.1.1, §5.4.2). */
function refuseMisusedArmor({ tgt, authenticator }: Presented, armored: boolean): void {
  const has = (type: number) =>
    [tgt, authenticator].some(({ authorizationData = [] }) => authorizationData.some(({ adType }) => adType === type))
  if (has(adTypes.fxArmor)) throw new KrbError('KDC_ERR_POLICY', 'what is armor alone buys no tickets')
  if (has(adTypes.fxFastUsed) && !armored)
    throw new KrbError('KRB_AP_ERR_MODIFIED', 'the request was made with FAST, which is gone')
}

/** Only ticket-granting tickets buy others; any ticket may be renewed and validated, for itself (RFC 4120 §3.3.3). */
function requireSameService({ granting, principal }: Presented, { kdcOptions }: KdcReqBody, service: PrincipalRecord) {
  const again = kdcOptions.has('renew') || kdcOptions.has('validate')
  const same = samePrincipal(principal, service.principal)
  if (again && !same)
    throw new KrbError('KDC_ERR_SERVER_NOMATCH', `the ticket shown is not for ${formatPrincipal(service.principal)}`)
  if (!again && !granting)
    throw new KrbError('KRB_AP_ERR_NOT_US', `a ticket for ${formatPrincipal(principal)} buys no others`)
}

function findService(body: KdcReqBody, { database }: Kdc): PrincipalRecord {
  if (!body.sname) throw new KrbError('KDC_ERR_S_PRINCIPAL_UNKNOWN', 'the request names no service')
  const principal = principalOf(body.sname, body.realm)
  const found = database.lookup(principal)
  if (!found) throw new KrbError('KDC_ERR_S_PRINCIPAL_UNKNOWN', `no ${formatPrincipal(principal)} here`)
  return found
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

/** The times of what is asked for: a ticket bought, renewed, or validated, which keeps its own. */
function timesOf(tgt: EncTicketPart, body: KdcReqBody, service: PrincipalRecord, kdc: Kdc): TicketTimes {
  if (body.kdcOptions.has('renew')) return renewedTimes(tgt, kdc)
  if (body.kdcOptions.has('validate')) return validatedTimes(tgt, kdc)
  return boughtTimes(tgt, body, service, kdc)
}

/** A postdated ticket whose time has come (RFC 4120 §2.4, §3.3.3). */
function validatedTimes(
  { flags, authtime, starttime = authtime, endtime, renewTill }: EncTicketPart,
  { env }: Kdc,
): TicketTimes {
  if (!flags.has('invalid')) throw new KrbError('KDC_ERR_BADOPTION', 'the ticket needs no validation')
  if (starttime > seconds(env.now())) throw new KrbError('KRB_AP_ERR_TKT_NYV', 'the time of the ticket has not come')
  return { authtime, starttime, endtime, ...(renewTill === undefined ? {} : { renewTill }) }
}

/** A renewed ticket lives as long as the old one did, within what it is renewable for (RFC 4120 §3.3.3). */
function renewedTimes(tgt: EncTicketPart, { env }: Kdc): TicketTimes {
  const now = seconds(env.now())
  if (!tgt.flags.has('renewable') || tgt.renewTill === undefined)
    throw new KrbError('KDC_ERR_BADOPTION', 'the ticket is not renewable')
  if (tgt.renewTill <= now) throw new KrbError('KRB_AP_ERR_TKT_EXPIRED', 'the ticket can no longer be renewed')
  const life = tgt.endtime - (tgt.starttime ?? tgt.authtime)
  return {
    authtime: tgt.authtime,
    starttime: now,
    endtime: Math.min(now + life, tgt.renewTill),
    renewTill: tgt.renewTill,
  }
}

/** A ticket bought with another ends no later than that one. */
function boughtTimes(
  tgt: EncTicketPart,
  body: KdcReqBody,
  service: PrincipalRecord,
  { env, limits }: Kdc,
): TicketTimes {
  const { renewTill, ...times } = grantTimes(
    body,
    limitsOf(limits, service),
    {
      renewable: tgt.flags.has('renewable') && service.renewable,
      postdatable: tgt.flags.has('mayPostdate') && service.postdatable,
    },
    env,
  )
  const endtime = Math.min(times.endtime, tgt.endtime)
  if (renewTill === undefined || tgt.renewTill === undefined) return { ...times, authtime: tgt.authtime, endtime }
  return { ...times, authtime: tgt.authtime, endtime, renewTill: Math.min(renewTill, tgt.renewTill) }
}

/** Flags that a ticket inherits, if they are asked for and allowed (RFC 4120 §3.3.3). */
function flagsFor(
  body: KdcReqBody,
  { tgt }: Presented,
  service: PrincipalRecord,
  times: TicketTimes,
  now: number,
): ReadonlySet<Flag> {
  const { kdcOptions } = body
  const again = kdcOptions.has('renew') || kdcOptions.has('validate')
  if (again) return new Set([...tgt.flags].filter((flag) => flag !== 'invalid' && flag !== 'encPaRep'))
  const flags = new Set<Flag>((['preAuthent', 'hwAuthent', 'anonymous'] as const).filter((flag) => tgt.flags.has(flag)))
  const require = (option: 'forwarded' | 'proxy', flag: 'forwardable' | 'proxiable') => {
    if (!kdcOptions.has(option)) return
    if (!tgt.flags.has(flag)) throw new KrbError('KDC_ERR_BADOPTION', `the ticket shown is not ${flag}`)
    flags.add(option)
  }
  require('forwarded', 'forwardable')
  require('proxy', 'proxiable')
  if (tgt.flags.has('forwarded')) flags.add('forwarded')
  for (const flag of ['forwardable', 'proxiable'] as const)
    if (kdcOptions.has(flag) && tgt.flags.has(flag) && service.forwardable) flags.add(flag)
  const postdatable = tgt.flags.has('mayPostdate') && service.postdatable
  for (const flag of postdateFlags(body, times, { postdatable }, now)) flags.add(flag)
  if (times.renewTill !== undefined) flags.add('renewable')
  if (service.okAsDelegate) flags.add('okAsDelegate')
  return flags
}

/** Other addresses than the ticket's only for a forwarded or proxy ticket (RFC 4120 §3.3.3). */
function addressesFor({ kdcOptions, addresses }: KdcReqBody, { caddr }: EncTicketPart): Pick<EncTicketPart, 'caddr'> {
  const moved = kdcOptions.has('forwarded') || kdcOptions.has('proxy')
  const own = moved ? addresses : caddr
  return own?.length ? { caddr: own } : {}
}
