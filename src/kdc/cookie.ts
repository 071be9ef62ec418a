/** The KDC's memory between the rounds of a login, kept by the client (RFC 6113 §5.2, PA-FX-COOKIE). @module */
import { decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { field, sequence } from '../asn1/structures.ts'
import { IntegrityError } from '../crypto/error.ts'
import type { Key } from '../crypto/key.ts'
import { type Env, seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { KerberosString, KerberosTime, MethodData, type PaData } from '../krb5/messages/basics.ts'
import { paTypes } from '../krb5/messages/codes.ts'
import { formatPrincipal, type Principal } from '../krb5/names.ts'
import { keyUsages } from '../krb5/usages.ts'

/** Seconds that a cookie is good for: long enough to look for a token and to type what it shows. */
const COOKIE_LIFE = 600
/** The largest cookie that is looked at, in octets. */
const MAX_COOKIE = 16_384

/** Ours alone: nobody else reads it. */
const Cookie = sequence('Cookie', {
  time: field(0, KerberosTime),
  client: field(1, KerberosString),
  entries: field(2, MethodData),
})

/** A cookie for `client` that holds what mechanisms remember, sealed with the KDC's `key`. */
export function sealCookie(entries: readonly PaData[], client: Principal, key: Key, env: Env): PaData {
  const plaintext = encode(Cookie, { time: seconds(env.now()), client: formatPrincipal(client), entries })
  const padataValue = key.encrypt(keyUsages.fxCookie, plaintext, env.random)
  plaintext.fill(0)
  return { padataType: paTypes.fxCookie, padataValue }
}

/**
 * What a cookie of ours holds; nothing for one that is missing, somebody else's or another client's. Throws KrbError
 * KDC_ERR_PREAUTH_EXPIRED for one that is too old.
 */
export function openCookie(padata: readonly PaData[], client: Principal, key: Key, env: Env): readonly PaData[] {
  const sealed = padata.find(({ padataType }) => padataType === paTypes.fxCookie)
  if (!sealed || sealed.padataValue.length > MAX_COOKIE) return []
  try {
    const cookie = decode(Cookie, key.decrypt(keyUsages.fxCookie, sealed.padataValue))
    if (cookie.client !== formatPrincipal(client)) return []
    if (Math.abs(seconds(env.now()) - cookie.time) > COOKIE_LIFE)
      throw new KrbError('KDC_ERR_PREAUTH_EXPIRED', 'this login began too long ago')
    return cookie.entries
  } catch (error) {
    if (error instanceof IntegrityError || error instanceof Asn1Error) return []
    throw error
  }
}
