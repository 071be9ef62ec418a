import type { Env } from '../../krb5/env.ts'
import type { KrbErrorCode } from '../../krb5/errorcodes.ts'
import { KrbError } from '../../krb5/errors.ts'
import { refusalMessage } from '../../krb5/exchanges/refusal.ts'
import type { Principal } from '../../krb5/names.ts'
import { GssError, type MajorCode } from '../error.ts'
import { frame } from './framing.ts'

/** The major status that a Kerberos failure comes to (RFC 2743 §2.2.1, §2.2.2); all others are GSS_S_FAILURE. */
const majors: Partial<Record<KrbErrorCode, MajorCode>> = {
  KRB_AP_ERR_MSG_TYPE: 'GSS_S_DEFECTIVE_TOKEN',
  REPLY_MALFORMED: 'GSS_S_DEFECTIVE_TOKEN',
  KRB_AP_ERR_BAD_INTEGRITY: 'GSS_S_BAD_SIG',
  KRB_AP_ERR_MODIFIED: 'GSS_S_BAD_SIG',
  KRB_AP_ERR_REPEAT: 'GSS_S_DUPLICATE_TOKEN',
  KRB_AP_ERR_TKT_EXPIRED: 'GSS_S_CREDENTIALS_EXPIRED',
  KRB_AP_ERR_NOKEY: 'GSS_S_NO_CRED',
  KRB_AP_ERR_BADKEYVER: 'GSS_S_NO_CRED',
  NO_TICKET: 'GSS_S_NO_CRED',
  NO_KEY: 'GSS_S_NO_CRED',
  KDC_ERR_S_PRINCIPAL_UNKNOWN: 'GSS_S_BAD_NAME',
}

/** `error` as GSS-API says it; anything but a {@link KrbError} is given back as it is. */
export function asGssError(error: unknown, token?: Uint8Array): unknown {
  if (!(error instanceof KrbError)) return error
  return new GssError(majors[error.code] ?? 'GSS_S_FAILURE', error.message, { minor: error.code, cause: error, token })
}

/** The same for an acceptor: with the KRB-ERROR that lets the initiator know (RFC 4121 §4.1). */
export function asAcceptorError(error: unknown, server: Principal, env: Pick<Env, 'now'>): unknown {
  if (!(error instanceof KrbError)) return error
  return asGssError(error, frame('error', refusalMessage(error, server, env)))
}
