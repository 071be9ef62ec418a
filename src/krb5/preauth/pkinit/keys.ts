/** The reply key out of what both sides agreed on (RFC 4556 §3.2.3.1, RFC 8636 §6). @module */
import { encode } from '../../../asn1/codec.ts'
import { krbFxCf2, octetStringToKey, pkinitKey } from '../../../crypto/derive.ts'
import type { Enctype } from '../../../crypto/enctypes/profile.ts'
import type { Key } from '../../../crypto/key.ts'
import { noble } from '../../../crypto/primitives/noble.ts'
import type { KdcReqBody } from '../../messages/kdc.ts'
import { Krb5PrincipalName, OtherInfo, PkinitSuppPubInfo, pkinitKdfs } from '../../messages/pkinit.ts'
import { ANONYMOUS_REALM, isAnonymous } from '../../names.ts'

/** A key derivation, by its hash. */
export type PkinitKdf = keyof typeof pkinitKdfs

/** Those that are offered and taken, best first; beside them there is the one of RFC 4556. */
export const kdfs: readonly PkinitKdf[] = ['sha256', 'sha512', 'sha384', 'sha1']

/** The key derivation of this object identifier; undefined for any other. */
export const kdfOf = (oid: string): PkinitKdf | undefined => kdfs.find((kdf) => pkinitKdfs[kdf] === oid)

/** What goes into the key beside the secret, so that it fits this exchange only. */
export interface KeyContext {
  readonly enctype: Enctype
  /** Undefined for octetstring2key, from before RFC 8636. */
  readonly kdf: PkinitKdf | undefined
  readonly body: Pick<KdcReqBody, 'cname' | 'sname' | 'realm'>
  /** The AS-REQ as it was sent. */
  readonly request: Uint8Array
  /** PA-PK-AS-REP, encoded. */
  readonly reply: Uint8Array
}

/** The AS reply key. `secret` stays the caller's to wipe. */
export function replyKeyOf(secret: Uint8Array, { enctype, kdf, body, request, reply }: KeyContext): Key {
  if (!kdf) return octetStringToKey(enctype, secret, noble)
  const nobody = { nameType: 0, nameString: [] }
  const name = (principalName: KdcReqBody['cname'] = nobody, realm = body.realm) =>
    encode(Krb5PrincipalName, { realm, principalName })
  const anonymous = body.cname !== undefined && isAnonymous({ components: body.cname.nameString })
  const otherInfo = encode(OtherInfo, {
    algorithmId: { algorithm: pkinitKdfs[kdf] },
    // nobody in particular goes by the name that the ticket will have, as with MIT
    partyUInfo: name(body.cname, anonymous ? ANONYMOUS_REALM : undefined),
    partyVInfo: name(body.sname),
    suppPubInfo: encode(PkinitSuppPubInfo, { enctype: enctype.id, asReq: request, pkAsRep: reply }),
  })
  return pkinitKey(enctype, kdf, secret, otherInfo, noble)
}

/**
 * The session key that both sides have a share in: the KDC by its `contribution`, the client by the reply key. The RFC
 * writes the second pepper as KeyExchange, every implementation in capitals (RFC 8062 §7).
 */
export const sharedSessionKey = (contribution: Key, replyKey: Key): Key =>
  krbFxCf2(contribution, replyKey, 'PKINIT', 'KEYEXCHANGE')
