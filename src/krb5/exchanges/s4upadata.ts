/** Whom a service asks for a ticket of, signed so that nobody on the way names another (MS-SFU §2.2). @module */
import { decode, encode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import { concat, equal, utf8 } from '../../bytes/index.ts'
import { checksumFits, checksumTypeById, checksumTypeName, keyedChecksum } from '../../crypto/checksums.ts'
import type { Key } from '../../crypto/key.ts'
import { KrbError } from '../errors.ts'
import type { Checksum, PaData, PrincipalName } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import { PaForUser, PaS4uX509User, S4uUserId } from '../messages/s4u.ts'
import { type Principal, principalNameOf, principalOf } from '../names.ts'
import { keyUsages } from '../usages.ts'

/** A user by name, by certificate (DER), or by both; of a user by certificate alone the realm is known. */
export interface ImpersonatedUser {
  readonly user?: Principal | undefined
  readonly realm: string
  readonly certificate?: Uint8Array | undefined
}

const HMAC_MD5 = -138
const AUTH_PACKAGE = 'Kerberos'

/** PA-FOR-USER (MS-SFU §2.2.1), signed with the session key of the ticket shown; HMAC-MD5 whatever that key's enctype is. */
export function paForUser(user: Principal, sessionKey: Key): PaData {
  const userName = principalNameOf(user)
  const signed = forUserOctets(userName, user.realm, AUTH_PACKAGE)
  const cksum = { cksumtype: HMAC_MD5, checksum: forUserChecksum(sessionKey, signed) }
  const value = { userName, userRealm: user.realm, cksum, authPackage: AUTH_PACKAGE }
  return { padataType: paTypes.forUser, padataValue: encode(PaForUser, value) }
}

/**
 * The user of a PA-FOR-USER. Throws KrbError when it is not signed with `sessionKey` (CVE-2018-16860), Asn1Error. Besides
 * HMAC-MD5 the checksum of the key's own enctype is taken, which Heimdal's clients make.
 */
export function readForUser(octets: Uint8Array, sessionKey: Key): Principal {
  const { userName, userRealm, cksum, authPackage } = decode(PaForUser, octets)
  const octetsSigned = forUserOctets(userName, userRealm, authPackage)
  const isGood = {
    [sessionKey.enctype.checksumId]: () => sessionKey.verify(keyUsages.forUser, octetsSigned, cksum.checksum),
    [HMAC_MD5]: () => equal(cksum.checksum, forUserChecksum(sessionKey, octetsSigned)),
  }[cksum.cksumtype]
  if (!isGood)
    throw new KrbError('KRB_AP_ERR_INAPP_CKSUM', `PA-FOR-USER is signed by ${checksumTypeName(cksum.cksumtype)}`)
  if (!isGood()) throw new KrbError('KRB_AP_ERR_MODIFIED', 'PA-FOR-USER is not the one that was signed')
  return principalOf(userName, userRealm)
}

const forUserChecksum = (key: Key, octets: Uint8Array): Uint8Array =>
  keyedChecksum(checksumTypeById(HMAC_MD5)!, key, keyUsages.forUser, octets)

function forUserOctets({ nameType, nameString }: PrincipalName, realm: string, authPackage: string): Uint8Array {
  const type = Uint8Array.of(nameType, nameType >> 8, nameType >> 16, nameType >> 24)
  return concat(type, ...nameString.map(utf8), utf8(realm), utf8(authPackage))
}

/** PA-S4U-X509-USER (MS-SFU §2.2.2), signed with `key`: the subkey of the request, or its session key when it has none. */
export function paS4uX509User(
  { user, realm, certificate }: ImpersonatedUser,
  nonce: number,
  key: Key,
  usage: 's4uUserRequest' | 's4uUserReply' = 's4uUserRequest',
): PaData {
  const value: S4uUserId = {
    nonce,
    ...(user ? { cname: principalNameOf(user) } : {}),
    crealm: realm,
    ...(certificate ? { subjectCertificate: certificate } : {}),
    options: new Set(['useReplyKeyUsage']),
  }
  const der = encode(S4uUserId, value)
  const checksum = { cksumtype: key.enctype.checksumId, checksum: key.checksum(keyUsages[usage], der) }
  const padataValue = encode(PaS4uX509User, { userId: { value, der }, checksum })
  return { padataType: paTypes.s4uX509User, padataValue }
}

/** PA-S4U-X509-USER in an AS-REQ: the certificate (DER) of a user of whom is asked where that is (MS-SFU §2.2.2). */
export const certificateToFind = (certificate: Uint8Array): PaData => ({
  padataType: paTypes.s4uX509User,
  padataValue: certificate,
})

/** The certificate (DER) in an AS-REQ that asks so; undefined when there is none. */
export const certificateIn = (padata: readonly PaData[]): Uint8Array | undefined =>
  padata.find(({ padataType }) => padataType === paTypes.s4uX509User)?.padataValue

/** The user of a PA-S4U-X509-USER in a request. Throws KrbError when it is not signed with `key` for this nonce, Asn1Error. */
export function readS4uX509User(octets: Uint8Array, nonce: number, key: Key): ImpersonatedUser {
  const { userId, checksum } = decode(PaS4uX509User, octets)
  requireSigned(userId, checksum, nonce, key, keyUsages.s4uUserRequest)
  return userOf(userId.value)
}

/**
 * Whom a KDC says that it made a ticket of, in its PA-S4U-X509-USER; undefined when it sent none. Throws KrbError when it
 * is not signed with `key` for this nonce.
 */
export function s4uUserOfReply(padata: readonly PaData[], nonce: number, key: Key): ImpersonatedUser | undefined {
  const found = padata.find(({ padataType }) => padataType === paTypes.s4uX509User)
  if (!found) return undefined
  try {
    const { userId, checksum } = decode(PaS4uX509User, found.padataValue)
    const said = userId.value.options?.has('useReplyKeyUsage')
    requireSigned(userId, checksum, nonce, key, said ? keyUsages.s4uUserReply : keyUsages.s4uUserRequest)
    return userOf(userId.value)
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new KrbError('REPLY_MALFORMED', `PA-S4U-X509-USER cannot be read (${cause.message})`, { cause })
  }
}

const userOf = ({ cname, crealm, subjectCertificate }: S4uUserId): ImpersonatedUser => ({
  user: cname && cname.nameString.length > 0 ? principalOf(cname, crealm) : undefined,
  realm: crealm,
  certificate: subjectCertificate,
})

function requireSigned(
  { value, der }: PaS4uX509User['userId'],
  { cksumtype, checksum }: Checksum,
  nonce: number,
  key: Key,
  usage: number,
): void {
  const type = checksumTypeById(cksumtype)
  if (!type || type.enctype === undefined || !checksumFits(type, key))
    throw new KrbError('KRB_AP_ERR_INAPP_CKSUM', `PA-S4U-X509-USER is signed by ${checksumTypeName(cksumtype)}`)
  if (value.nonce !== nonce || !key.verify(usage, der, checksum))
    throw new KrbError('KRB_AP_ERR_MODIFIED', 'PA-S4U-X509-USER is not the one that was signed')
}
