/** Freshness tokens: proof that the client had its key at hand a moment ago (RFC 8070 §2). @module */
import { concat } from '../../../bytes/index.ts'
import { enctypes } from '../../../crypto/enctypes/table.ts'
import { Key } from '../../../crypto/key.ts'
import { CLOCK_SKEW, type Env, seconds } from '../../env.ts'
import { KrbError } from '../../errors.ts'
import { keyUsages } from '../../usages.ts'

/** Octets of the time that a token was made at. */
const TIME_SIZE = 8

/** Makes and knows tokens: the time, and a checksum under a key that nobody else has. */
export class FreshnessTokens {
  #key: Key | undefined

  /** A token of now. */
  issue(env: Env): Uint8Array {
    const time = new Uint8Array(TIME_SIZE)
    new DataView(time.buffer).setBigUint64(0, BigInt(seconds(env.now())))
    return concat(time, this.#keyOf(env).checksum(keyUsages.asFreshness, time))
  }

  /** Throws KrbError KDC_ERR_PREAUTH_EXPIRED, upon which clients ask for another (RFC 8070 §2.4). */
  require(token: Uint8Array, env: Env): void {
    const time = token.subarray(0, TIME_SIZE)
    const genuine =
      time.length === TIME_SIZE && this.#keyOf(env).verify(keyUsages.asFreshness, time, token.subarray(TIME_SIZE))
    const age = genuine ? env.now() - Number(new DataView(new Uint8Array(time).buffer).getBigUint64(0)) * 1e6 : 0
    if (!genuine || age < 0 || age > CLOCK_SKEW)
      throw new KrbError('KDC_ERR_PREAUTH_EXPIRED', 'the freshness token is not one of the last minutes')
  }

  #keyOf({ random }: Env): Key {
    return (this.#key ??= Key.generate(enctypes[0]!, random))
  }
}
