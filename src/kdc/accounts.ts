/** Whom a name or a certificate means: an account here, or one of another realm (RFC 6806 §5, §7). @module */
import { KrbError } from '../krb5/errors.ts'
import { nameTypes } from '../krb5/messages/codes.ts'
import { formatPrincipal, type Principal } from '../krb5/names.ts'
import type { PrincipalRecord } from './database.ts'
import { ofEnterprise, onTheWay } from './realms.ts'
import { type Kdc, WrongRealm } from './request.ts'

/**
 * The account of a user: by its name or an alias, or by an enterprise name that spells a name of this realm. Throws
 * WrongRealm for an enterprise name of another realm that there is a way to, KrbError KDC_ERR_C_PRINCIPAL_UNKNOWN.
 */
export function accountOf(user: Principal, kdc: Kdc): PrincipalRecord {
  const found = knownAccount(user, kdc)
  if (found) return found
  const named = user.realm === kdc.realm ? spelt(user) : undefined
  const elsewhere = named && realmOfSuffix(named.realm, kdc)
  if (elsewhere !== undefined) throw new WrongRealm(elsewhere, `${formatPrincipal(user)} lives in ${elsewhere}`)
  throw new KrbError('KDC_ERR_C_PRINCIPAL_UNKNOWN', `no ${formatPrincipal(user)} here`)
}

/** The same; undefined for whoever has no account here. */
export function knownAccount(user: Principal, { realm, database }: Kdc): PrincipalRecord | undefined {
  if (user.realm !== realm) return undefined
  const found = database.lookup(user)
  if (found) return found
  const named = spelt(user)
  return named?.realm === realm ? database.lookup(named) : undefined
}

const spelt = (user: Principal): Principal | undefined =>
  user.type === nameTypes.enterprise ? ofEnterprise(user) : undefined

/** The realm that an enterprise name ends in, or whose domain it ends in. */
function realmOfSuffix(suffix: string, kdc: Kdc): string | undefined {
  const candidates = [suffix, kdc.realmOfHost?.(suffix.toLowerCase()) ?? '']
  return candidates.find((realm) => realm !== '' && realm !== kdc.realm && onTheWay(realm, kdc))
}

/**
 * The account of whoever holds a certificate (DER), as one of the ways to prove oneself knows it: PKINIT. Throws KrbError
 * KDC_ERR_CLIENT_NOT_TRUSTED where there is no such way, KDC_ERR_C_PRINCIPAL_UNKNOWN where nobody is known by it.
 */
export function accountByCertificate(certificate: Uint8Array, { realm, database, preauth }: Kdc): PrincipalRecord {
  const ways = preauth.flatMap(({ usersOf }) => usersOf ?? [])
  if (ways.length === 0) throw new KrbError('KDC_ERR_CLIENT_NOT_TRUSTED', 'users are not known by certificate here')
  for (const user of ways.flatMap((usersOf) => usersOf(certificate))) {
    const found = user.realm === realm ? database.lookup(user) : undefined
    if (found) return found
  }
  throw new KrbError('KDC_ERR_C_PRINCIPAL_UNKNOWN', 'the certificate is of nobody here')
}
