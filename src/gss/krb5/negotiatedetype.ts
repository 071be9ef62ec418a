/** How both sides come to a better enctype than the KDC chose for the session key (RFC 4537). @module */
import { encode } from '../../asn1/codec.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { AuthorizationData } from '../../krb5/messages/basics.ts'
import { adTypes } from '../../krb5/messages/codes.ts'
import { EtypeList } from '../../krb5/messages/etypes.ts'
import { readable, relevantElements } from './relevant.ts'

/**
 * What an initiator's authenticator says, inside AD-IF-RELEVANT: the enctypes it likes better than the session key's, and
 * that one. Nothing when it likes that one best.
 */
export function etypeNegotiation(enctypes: readonly Enctype[], session: Enctype): AuthorizationData {
  const better = enctypes.slice(
    0,
    enctypes.findIndex(({ id }) => id === session.id),
  )
  if (better.length === 0) return []
  return [
    {
      adType: adTypes.etypeNegotiation,
      adData: encode(
        EtypeList,
        [...better, session].map(({ id }) => id),
      ),
    },
  ]
}

/** The enctype of an acceptor's subkey: the one the initiator likes best of those allowed here, or else the session key's. */
export function negotiatedEtype(
  authorizationData: AuthorizationData | undefined,
  enctypes: readonly Enctype[],
  session: Enctype,
): Enctype {
  const said = relevantElements(authorizationData).find(({ adType }) => adType === adTypes.etypeNegotiation)
  const wanted = (said && readable(EtypeList, said.adData)) ?? []
  for (const wish of wanted) {
    const enctype = enctypes.find(({ id }) => id === wish)
    if (enctype) return enctype
  }
  return session
}
