import { encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { Key } from '../crypto/key.ts'
import { seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { Checksum, MethodData, type PaData } from '../krb5/messages/basics.ts'
import { nameTypes, paTypes, transitedTypes } from '../krb5/messages/codes.ts'
import { AsRep, type KdcReq, type KdcReqBody } from '../krb5/messages/kdc.ts'
import { EtypeInfo2 } from '../krb5/messages/preauth.ts'
import { formatPrincipal, principalNameOf, principalOf } from '../krb5/names.ts'
import { verifyTimestamp } from '../krb5/preauth/timestamp/kdc.ts'
import { sealedAsRep } from '../krb5/sealed.ts'
import { keyUsages } from '../krb5/usages.ts'
import type { PrincipalRecord } from './database.ts'
import { type Flag, grantTimes, limitsOf, requireUsable, sessionEnctype } from './policy.ts'
import { replyPart, sealTicket } from './replies.ts'
import { type Kdc, type Outcome, RefusalWithData } from './request.ts'

/** Answers an AS-REQ (RFC 4120 §3.1.3). Throws KrbError and Asn1Error. */
export function answerAs({ padata = [], reqBody: { value: body } }: KdcReq, octets: Uint8Array, kdc: Kdc): Outcome {
  const { env } = kdc
  const client = findClient(body, kdc)
  const service = findService(body, kdc)
  requireUsable(client, 'client', seconds(env.now()))
  requireUsable(service, 'service', seconds(env.now()))
  const enctype = sessionEnctype(body, service, env)
  const keys = body.etype.flatMap((id) => client.keys.filter((key) => key.enctype.id === id))
  const [best] = keys
  if (!best)
    throw new KrbError(
      'KDC_ERR_ETYPE_NOSUPP',
      `${formatPrincipal(client.principal)} has no key of an enctype in the request`,
    )
  const proof = preauthenticate(client, keys, padata, kdc)
  const key = proof ?? best
  return issue({ client, service, key, enctype, preauthenticated: proof !== undefined }, body, padata, octets, kdc)
}

function findClient(body: KdcReqBody, { realm, database }: Kdc): PrincipalRecord {
  if (!body.cname) throw new KrbError('KDC_ERR_C_PRINCIPAL_UNKNOWN', 'the request names no client')
  const principal = principalOf(body.cname, body.realm)
  const found = body.realm === realm ? database.lookup(principal) : undefined
  if (!found) throw new KrbError('KDC_ERR_C_PRINCIPAL_UNKNOWN', `no ${formatPrincipal(principal)} here`)
  return found
}

function findService(body: KdcReqBody, { database }: Kdc): PrincipalRecord {
  if (!body.sname) throw new KrbError('KDC_ERR_S_PRINCIPAL_UNKNOWN', 'the request names no service')
  const principal = principalOf(body.sname, body.realm)
  const found = database.lookup(principal)
  if (!found) throw new KrbError('KDC_ERR_S_PRINCIPAL_UNKNOWN', `no ${formatPrincipal(principal)} here`)
  return found
}

/** The key that the client proved to have; undefined when it proved none and need not. */
function preauthenticate(
  client: PrincipalRecord,
  keys: readonly Key[],
  padata: readonly PaData[],
  { env }: Kdc,
): Key | undefined {
  const timestamp = padata.find(({ padataType }) => padataType === paTypes.encTimestamp)
  const offer = () =>
    encode(MethodData, [keyInfo(client, keys), { padataType: paTypes.encTimestamp, padataValue: new Uint8Array(0) }])
  if (timestamp) {
    try {
      return verifyTimestamp(timestamp.padataValue, keys, env)
    } catch (error) {
      if (error instanceof Asn1Error)
        throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'the timestamp cannot be read', { cause: error })
      if (error instanceof KrbError && error.code === 'KDC_ERR_PREAUTH_FAILED')
        throw new RefusalWithData(error, offer())
      throw error
    }
  }
  if (client.requiresPreauth)
    throw new RefusalWithData(new KrbError('KDC_ERR_PREAUTH_REQUIRED', 'prove who you are first'), offer())
  return undefined
}

/** ETYPE-INFO2 alone: every enctype here is newer than the RFC that made ETYPE-INFO obsolete (RFC 4120 §5.2.7.5). */
function keyInfo({ salt }: PrincipalRecord, keys: readonly Key[]): PaData {
  const entries = keys.map(({ enctype }) => ({ etype: enctype.id, ...(salt ? { salt } : {}) }))
  return { padataType: paTypes.etypeInfo2, padataValue: encode(EtypeInfo2, entries) }
}

interface Grant {
  readonly client: PrincipalRecord
  readonly service: PrincipalRecord
  /** The client's, which seals the reply. */
  readonly key: Key
  /** Of the session key. */
  readonly enctype: Enctype
  readonly preauthenticated: boolean
}

function issue(
  grant: Grant,
  body: KdcReqBody,
  padata: readonly PaData[],
  octets: Uint8Array,
  { env, limits }: Kdc,
): Outcome {
  const { client, service, key, enctype } = grant
  const times = grantTimes(body, limitsOf(limits, client, service), client.renewable, env)
  const canonical = body.kdcOptions.has('canonicalize') || body.cname!.nameType === nameTypes.enterprise
  const cname = canonical ? principalNameOf(client.principal) : body.cname!
  const wantsProof = padata.some(({ padataType }) => padataType === paTypes.reqEncPaRep)
  const flags = new Set<Flag>(['initial'])
  if (grant.preauthenticated) flags.add('preAuthent')
  for (const option of ['forwardable', 'proxiable'] as const)
    if (body.kdcOptions.has(option) && client.forwardable && service.forwardable) flags.add(option)
  if (times.renewTill !== undefined) flags.add('renewable')
  if (wantsProof) flags.add('encPaRep')
  using sessionKey = Key.generate(enctype, env.random)
  const ticket = {
    flags,
    key: { keytype: enctype.id, keyvalue: sessionKey.octets() },
    crealm: client.principal.realm,
    cname,
    transited: { trType: transitedTypes.domainX500Compress, contents: new Uint8Array(0) },
    ...times,
    ...(body.addresses?.length ? { caddr: body.addresses } : {}),
  }
  const sname = canonical ? { ...principalNameOf(service.principal), nameType: body.sname!.nameType } : body.sname!
  const sealed = sealTicket(ticket, service, sname, env)
  const more = {
    ...(client.passwordExpires === undefined ? {} : { keyExpiration: client.passwordExpires }),
    ...(wantsProof ? { encryptedPaData: [requestProof(key, octets)] } : {}),
  }
  const encPart = sealedAsRep.seal(key, replyPart(ticket, sealed, body, env, more), env, client.kvno)
  const reply = encode(AsRep, {
    padata: [keyInfo(client, [key])],
    crealm: ticket.crealm,
    cname,
    ticket: sealed,
    encPart,
  })
  return { reply, client: client.principal, service: service.principal, enctype: enctype.name }
}

/** RFC 6806 §11: the request as it arrived, signed with the reply key. */
function requestProof(key: Key, octets: Uint8Array): PaData {
  const checksum = { cksumtype: key.enctype.checksumId, checksum: key.checksum(keyUsages.asReqChecksum, octets) }
  return { padataType: paTypes.reqEncPaRep, padataValue: encode(Checksum, checksum) }
}
