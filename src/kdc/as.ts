import { encode, encodeShort } from '../asn1/codec.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { Key } from '../crypto/key.ts'
import { Secrets } from '../crypto/secrets.ts'
import { type Env, seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { certificateIn } from '../krb5/exchanges/s4upadata.ts'
import { Checksum, type PaData } from '../krb5/messages/basics.ts'
import { nameTypes, paTypes, transitedTypes } from '../krb5/messages/codes.ts'
import { AsRep, type KdcReq, type KdcReqBody } from '../krb5/messages/kdc.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import { ANONYMOUS_REALM, formatPrincipal, principalNameOf, principalOf } from '../krb5/names.ts'
import type { KrbExchange } from '../krb5/questions.ts'
import { sealedAsRep } from '../krb5/sealed.ts'
import { keyUsages } from '../krb5/usages.ts'
import { accountByCertificate, accountOf } from './accounts.ts'
import type { PrincipalRecord } from './database.ts'
import { armoredIn, openAsTunnel, type Tunnel } from './fast.ts'
import { requireIndicators, withIndicators } from './indicators.ts'
import type { Outcome } from './outcome.ts'
import { withPac } from './pac.ts'
import { type Flag, grantTimes, type Limits, limitsOf, postdateFlags, requireUsable, sessionEnctype } from './policy.ts'
import { type Claim, keyInfo, preauthenticate, type Verified } from './preauth.ts'
import { replyPart, sealTicket } from './replies.ts'
import { type Kdc, requireFaultless } from './request.ts'

/** Answers an AS-REQ (RFC 4120 §3.1.3), in FAST or out of it. Throws KrbError, RefusalWithData and Asn1Error. */
export function* answerAs({ padata = [], reqBody }: KdcReq, octets: Uint8Array, kdc: Kdc): KrbExchange<Outcome> {
  using secrets = new Secrets()
  const armored = armoredIn(padata)
  if (!armored) return yield* decide({ padata, body: reqBody, request: octets, tunnel: undefined, secrets }, kdc)
  const tunnel = openAsTunnel(armored, reqBody.der, kdc, secrets)
  try {
    return yield* decide({ padata: tunnel.padata, body: tunnel.body, request: octets, tunnel, secrets }, kdc)
  } catch (error) {
    throw tunnel.sealRefusal(error, kdc)
  }
}

/** A request out of FAST, if it was in it. */
interface Asked extends Pick<Claim, 'padata' | 'body' | 'request' | 'secrets'> {
  readonly tunnel: Tunnel | undefined
}

function* decide(asked: Asked, kdc: Kdc): KrbExchange<Outcome> {
  requireFaultless(kdc)
  const { env } = kdc
  const { value: body } = asked.body
  const client = findClient(body, asked.padata, kdc)
  const service = findService(body, kdc)
  requireUsable(client, 'client', seconds(env.now()), service.changesPasswords)
  requireUsable(service, 'service', seconds(env.now()))
  const enctype = sessionEnctype(body, service, env)
  const keys: Key[] = []
  for (const id of body.etype) for (const key of client.keys) if (key.enctype.id === id) keys.push(key)
  const { padata, request, tunnel, secrets } = asked
  const claim = { client, keys, padata, body: asked.body, request, armorKey: tunnel?.channel.key, secrets }
  const proof = yield* preauthenticate(claim, kdc)
  requireIndicators(service, proof?.indicators ?? [])
  const key = proof?.key ?? keys[0]
  if (!key)
    throw new KrbError(
      'KDC_ERR_ETYPE_NOSUPP',
      `${formatPrincipal(client.principal)} has no key of an enctype in the request`,
    )
  return issue({ client, service, key, enctype, proof }, asked, kdc)
}

/** By name; or by certificate, when a service asks where a user lives that it knows no name of (MS-SFU §3.1.5.1.1.1). */
function findClient(body: KdcReqBody, padata: readonly PaData[], kdc: Kdc): PrincipalRecord {
  if (!body.cname) throw new KrbError('KDC_ERR_C_PRINCIPAL_UNKNOWN', 'the request names no client')
  const certificate = body.cname.nameType === nameTypes.x500Principal ? certificateIn(padata) : undefined
  return certificate ? accountByCertificate(certificate, kdc) : accountOf(principalOf(body.cname, body.realm), kdc)
}

function findService(body: KdcReqBody, { database }: Kdc): PrincipalRecord {
  if (!body.sname) throw new KrbError('KDC_ERR_S_PRINCIPAL_UNKNOWN', 'the request names no service')
  const principal = principalOf(body.sname, body.realm)
  const found = database.lookup(principal)
  if (!found) throw new KrbError('KDC_ERR_S_PRINCIPAL_UNKNOWN', `no ${formatPrincipal(principal)} here`)
  return found
}

interface Grant {
  readonly client: PrincipalRecord
  readonly service: PrincipalRecord
  /** What seals the reply. */
  readonly key: Key
  /** Of the session key. */
  readonly enctype: Enctype
  /** Undefined when the client proved nothing. */
  readonly proof: Verified | undefined
}

function issue(grant: Grant, { body: { value: body }, padata, request, tunnel, secrets }: Asked, kdc: Kdc): Outcome {
  const { env, limits } = kdc
  const { client, service, key, enctype, proof } = grant
  const times = grantTimes(body, limitsOf(limits, client, service, ...untilOf(proof, env)), client, env)
  const canonical = body.kdcOptions.has('canonicalize') || body.cname!.nameType === nameTypes.enterprise
  const anonymous = proof?.anonymous === true
  const cname = canonical ? principalNameOf(client.principal) : body.cname!
  const wantsProof = padata.some(({ padataType }) => padataType === paTypes.reqEncPaRep)
  const flags = new Set<Flag>(['initial', ...postdateFlags(body, times, client)])
  if (proof) flags.add('preAuthent')
  if (proof?.hardware) flags.add('hwAuthent')
  if (anonymous) flags.add('anonymous')
  for (const option of ['forwardable', 'proxiable'] as const)
    if (body.kdcOptions.has(option) && client.forwardable && service.forwardable) flags.add(option)
  if (times.renewTill !== undefined) flags.add('renewable')
  if (wantsProof) flags.add('encPaRep')
  const shared = proof?.contribute?.(enctype)
  using sessionKey = shared?.sessionKey ?? Key.generate(enctype, env.random)
  const { authtime, starttime, endtime, renewTill } = times
  const bare: EncTicketPart = {
    flags,
    key: { keytype: enctype.id, keyvalue: secrets.wiped(sessionKey.octets()) },
    crealm: anonymous ? ANONYMOUS_REALM : client.principal.realm,
    cname,
    transited: { trType: transitedTypes.domainX500Compress, contents: new Uint8Array(0) },
    authtime,
    starttime,
    endtime,
    renewTill,
    caddr: body.addresses?.length ? body.addresses : undefined,
    authorizationData: proof?.authorizationData?.length ? proof.authorizationData : undefined,
  }
  const sname = canonical ? { ...principalNameOf(service.principal), nameType: body.sname!.nameType } : body.sname!
  const sealing = { service, key: service.keys[0]! }
  const told = withIndicators(bare, proof?.indicators ?? [], sealing, kdc)
  const ticket = anonymous ? told : withPac(told, client, padata, sealing, kdc)
  const sealed = sealTicket(ticket, service, sname, env)
  const longTerm = client.keys.includes(key)
  const answers = [
    ...(longTerm ? [keyInfo(client, [key])] : []),
    ...(proof?.padata ?? []),
    ...(shared ? [shared.padata] : []),
  ]
  const way = tunnel
    ? { ...tunnel.sealReply(answers, ticket, sealed, key, kdc, secrets), kvno: undefined }
    : { padata: answers, key, kvno: longTerm ? client.kvno : undefined }
  const more = {
    keyExpiration: client.passwordExpires,
    encryptedPaData: wantsProof ? [requestProof(way.key, request), speaksFast] : undefined,
  }
  const encPart = sealedAsRep.seal(way.key, replyPart(ticket, sealed, body, kdc, more), env, way.kvno)
  const named = tunnel?.named(ticket) ?? { crealm: ticket.crealm, cname }
  const answer = { padata: way.padata, crealm: named.crealm, cname: named.cname, ticket: sealed, encPart }
  const reply = encodeShort(AsRep, answer)
  return { reply, client: client.principal, service: service.principal, enctype: enctype.name }
}

/** The limits that the end of a certificate sets (RFC 4556 §3.2.3). */
function untilOf(proof: Verified | undefined, { now }: Pick<Env, 'now'>): readonly Limits[] {
  if (proof?.until === undefined) return []
  const left = Math.max(0, proof.until - seconds(now()))
  return [{ maxLife: left, maxRenewLife: left }]
}

/** RFC 6806 §11: what is said of FAST where nobody on the way can take it out. */
const speaksFast: PaData = { padataType: paTypes.fxFast, padataValue: new Uint8Array(0) }

/** RFC 6806 §11: the request as it arrived, signed with the reply key. */
function requestProof(key: Key, octets: Uint8Array): PaData {
  const checksum = { cksumtype: key.enctype.checksumId, checksum: key.checksum(keyUsages.asReqChecksum, octets) }
  return { padataType: paTypes.reqEncPaRep, padataValue: encode(Checksum, checksum) }
}
