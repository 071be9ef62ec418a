import { encode } from '../../../asn1/codec.ts'
import { timestamp } from '../../env.ts'
import { EncryptedData } from '../../messages/basics.ts'
import { paTypes } from '../../messages/codes.ts'
import { sealedTimestamp } from '../../sealed.ts'
import type { Preauth } from '../mechanism.ts'

/** Encrypted timestamp: the time of day, sealed with the long-term key (RFC 4120 §5.2.7.2). */
export const encryptedTimestamp: Preauth = {
  name: 'encrypted timestamp',
  types: [paTypes.encTimestamp],
  begin: (login) => ({
    *answer() {
      const key = yield* login.longTermKey()
      const { time, micros } = timestamp(login.env)
      const sealed = sealedTimestamp.seal(key, { patimestamp: time, pausec: micros }, login.env)
      return [{ padataType: paTypes.encTimestamp, padataValue: encode(EncryptedData, sealed) }]
    },
    [Symbol.dispose]: () => undefined, // the key is the login's
  }),
}
