import { decode } from '../../../asn1/codec.ts'
import type { Key } from '../../../crypto/key.ts'
import { CLOCK_SKEW, type Env } from '../../env.ts'
import { KrbError } from '../../errors.ts'
import { EncryptedData } from '../../messages/basics.ts'
import { sealedTimestamp } from '../../sealed.ts'

/**
 * Checks PA-ENC-TIMESTAMP (RFC 4120 §5.2.7.2); gives the key that it was sealed with. Throws KrbError
 * KDC_ERR_PREAUTH_FAILED or KRB_AP_ERR_SKEW, and Asn1Error.
 */
export function verifyTimestamp(value: Uint8Array, keys: readonly Key[], env: Env): Key {
  const sealed = decode(EncryptedData, value)
  const key = keys.find(({ enctype }) => enctype.id === sealed.etype)
  if (!key) throw new KrbError('KDC_ERR_ETYPE_NOSUPP', `the client has no key of enctype ${sealed.etype}`)
  const { patimestamp, pausec = 0 } = sealedTimestamp.open(key, sealed, 'KDC_ERR_PREAUTH_FAILED')
  if (Math.abs(patimestamp * 1e6 + pausec - env.now()) > CLOCK_SKEW)
    throw new KrbError('KRB_AP_ERR_SKEW', 'the timestamp is not of now')
  return key
}
