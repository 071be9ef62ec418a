import { decode } from '../../../asn1/codec.ts'
import { CLOCK_SKEW } from '../../env.ts'
import { KrbError } from '../../errors.ts'
import { EncryptedData } from '../../messages/basics.ts'
import { paTypes } from '../../messages/codes.ts'
import { answered } from '../../questions.ts'
import { sealedTimestamp } from '../../sealed.ts'
import type { KdcPreauth } from '../kdc.ts'

/** Encrypted timestamp (RFC 4120 §5.2.7.2). Throws KDC_ERR_ETYPE_NOSUPP, KDC_ERR_PREAUTH_FAILED and KRB_AP_ERR_SKEW. */
export const encryptedTimestampKdc: KdcPreauth = {
  name: 'encrypted timestamp',
  types: [paTypes.encTimestamp],
  hint: ({ keys }) =>
    keys.length > 0 ? { padata: [{ padataType: paTypes.encTimestamp, padataValue: new Uint8Array(0) }] } : undefined,
  check: ({ padataValue }, { keys, env }) =>
    answered(() => {
      const sealed = decode(EncryptedData, padataValue)
      const key = keys.find(({ enctype }) => enctype.id === sealed.etype)
      if (!key) throw new KrbError('KDC_ERR_ETYPE_NOSUPP', `the client has no key of enctype ${sealed.etype}`)
      const { patimestamp, pausec = 0 } = sealedTimestamp.open(key, sealed, 'KDC_ERR_PREAUTH_FAILED')
      if (Math.abs(patimestamp * 1e6 + pausec - env.now()) > CLOCK_SKEW)
        throw new KrbError('KRB_AP_ERR_SKEW', 'the timestamp is not of now')
      return { kind: 'verified', key }
    }),
}
