import { GssError } from './error.ts'

/**
 * Throws {@link GssError} GSS_S_BAD_QOP for any quality of protection but the default (RFC 2743 §1.2.4): the others of RFC
 * 1964 §1.3 went with DES.
 */
export function requireDefaultQop(qop: number | bigint): void {
  if (Number(qop) !== 0)
    throw new GssError('GSS_S_BAD_QOP', `there is no quality of protection ${qop}: 0, the default, is the only one`)
}
