import { encode } from '../../asn1/codec.ts'
import { type Env, timestamp } from '../env.ts'
import { errorCodes } from '../errorcodes.ts'
import type { KrbError } from '../errors.ts'
import { KrbErrorMessage } from '../messages/error.ts'
import { type Principal, principalNameOf } from '../names.ts'

/**
 * The KRB-ERROR that tells a peer of `error` (RFC 4120 §5.9.1): the code and our time, and `eData` if its protocol has any
 * to send, none of our reasons.
 */
export function refusalMessage(
  error: KrbError,
  server: Principal,
  env: Pick<Env, 'now'>,
  eData?: Uint8Array,
): Uint8Array {
  const { time, micros } = timestamp(env)
  const { number } = errorCodes[error.code]
  return encode(KrbErrorMessage, {
    stime: time,
    susec: micros,
    errorCode: number < 0 ? errorCodes.KRB_ERR_GENERIC.number : number,
    realm: server.realm,
    sname: principalNameOf(server),
    ...(eData ? { eData } : {}),
  })
}
