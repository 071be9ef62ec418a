import { GssError } from '../gss/index.ts'
import { type NegotiateCode, NegotiateError } from './error.ts'

/** Why a peer was refused, in words to count and to alert by; the error beside it tells the story. */
export type FailureReason =
  /** The browser fell back to NTLM: as a rule the service's name is not registered, or the site is not trusted. */
  | 'ntlm'
  /** No token that can be read. */
  | 'malformed'
  /** The token was used before. */
  | 'replay'
  /** The clocks are too far apart. */
  | 'clock-skew'
  /** There is no key of that version or encryption type. */
  | 'no-key'
  /** The ticket is for another service, or made with a key that is not ours. */
  | 'wrong-service'
  /** The ticket, or what we accept with, has expired. */
  | 'expired'
  /** The token was made on another channel. */
  | 'channel-bindings'
  /** Another leg came without its connection, or after its context was given up. */
  | 'connection'
  /** A mechanism that is not accepted here. */
  | 'mechanism'
  /** A wrong password. */
  | 'password'
  /** No KDC that proves itself says whether it is the right password. */
  | 'kdc'
  /** Passwords come too fast. */
  | 'busy'
  /** TLS is wanted. */
  | 'insecure'
  /** It is known who that is, but that one may not. */
  | 'forbidden'
  /** All else. */
  | 'other'

const byMinor: Readonly<Record<string, FailureReason>> = {
  NTLM: 'ntlm',
  KRB_AP_ERR_REPEAT: 'replay',
  KRB_AP_ERR_SKEW: 'clock-skew',
  KRB_AP_ERR_NOKEY: 'no-key',
  KRB_AP_ERR_BADKEYVER: 'no-key',
  NO_KEY: 'no-key',
  KDC_ERR_ETYPE_NOSUPP: 'no-key',
  KRB_AP_ERR_NOT_US: 'wrong-service',
  KRB_AP_ERR_MODIFIED: 'wrong-service',
  KRB_AP_ERR_BAD_INTEGRITY: 'wrong-service',
  KRB_AP_ERR_TKT_EXPIRED: 'expired',
}

const byMajor: Readonly<Record<string, FailureReason>> = {
  GSS_S_BAD_BINDINGS: 'channel-bindings',
  GSS_S_BAD_MECH: 'mechanism',
  GSS_S_CREDENTIALS_EXPIRED: 'expired',
  GSS_S_DEFECTIVE_TOKEN: 'malformed',
  GSS_S_DUPLICATE_TOKEN: 'replay',
}

const byCode: Partial<Record<NegotiateCode, FailureReason>> = {
  BAD_CREDENTIALS: 'malformed',
  NO_CONNECTION: 'connection',
  WRONG_PASSWORD: 'password',
  NO_KDC: 'kdc',
  BUSY: 'busy',
  INSECURE: 'insecure',
  FORBIDDEN: 'forbidden',
}

/** The code of an error of Kerberos, which this room knows by its codes alone; undefined for others. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The {@link FailureReason} of what a context or the field threw. */
export function failureReason(error: unknown): FailureReason {
  if (error instanceof NegotiateError) return byCode[error.code] ?? 'other'
  if (error instanceof GssError) return byMinor[error.minor ?? ''] ?? byMajor[error.major] ?? 'other'
  // what `credentials` threw
  return byMinor[codeOf(error) ?? ''] ?? 'other'
}
