import { decode, encode } from '../../../asn1/codec.ts'
import { CLOCK_SKEW, timestamp } from '../../env.ts'
import { KrbError } from '../../errors.ts'
import { EncryptedData } from '../../messages/basics.ts'
import { paTypes } from '../../messages/codes.ts'
import { answered } from '../../questions.ts'
import { sealedClientChallenge, sealedKdcChallenge } from '../../sealed.ts'
import type { KdcPreauth } from '../kdc.ts'
import { challengeKey } from './shared.ts'

/** Encrypted challenge (RFC 6113 §5.4.6), inside FAST only. Throws KDC_ERR_PREAUTH_FAILED and KRB_AP_ERR_SKEW. */
export const encryptedChallengeKdc: KdcPreauth = {
  name: 'encrypted challenge',
  types: [paTypes.encryptedChallenge],
  hint: ({ armorKey, keys }) =>
    armorKey && keys.length > 0
      ? { padata: [{ padataType: paTypes.encryptedChallenge, padataValue: new Uint8Array(0) }] }
      : undefined,
  check: ({ padataValue }, { armorKey, keys, env }) =>
    answered(() => {
      if (!armorKey) throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'an encrypted challenge came outside of FAST')
      const sealed = decode(EncryptedData, padataValue)
      for (const key of keys) {
        using clientKey = challengeKey('client', armorKey, key)
        const opened = opens(() => sealedClientChallenge.open(clientKey, sealed, 'KDC_ERR_PREAUTH_FAILED'))
        if (!opened) continue
        const { patimestamp, pausec = 0 } = opened
        if (Math.abs(patimestamp * 1e6 + pausec - env.now()) > CLOCK_SKEW)
          throw new KrbError('KRB_AP_ERR_SKEW', 'the challenge is not of now')
        using kdcKey = challengeKey('kdc', armorKey, key)
        const { time, micros } = timestamp(env)
        const answer = encode(
          EncryptedData,
          sealedKdcChallenge.seal(kdcKey, { patimestamp: time, pausec: micros }, env),
        )
        return {
          kind: 'verified',
          key,
          padata: [{ padataType: paTypes.encryptedChallenge, padataValue: answer }],
        }
      }
      throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'the challenge is sealed with none of the keys of the client')
    }),
}

/** What `open` gives; undefined for a key that does not fit, since the challenge key does not name the long-term one. */
function opens<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (error instanceof KrbError && error.code === 'KDC_ERR_PREAUTH_FAILED') return undefined
    throw error
  }
}
