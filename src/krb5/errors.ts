import { errorCode, errorCodeOf, type KrbErrorCode } from './errorcodes.ts'
import type { KrbErrorMessage } from './messages/error.ts'
import type { PasswordResult } from './passwordresult.ts'

/** Where and how a failure came about. */
export interface KrbErrorDetails extends ErrorOptions {
  /** The KRB-ERROR, when the peer sent one. */
  readonly reply?: KrbErrorMessage | undefined
  /** What a password server answered, when one did. */
  readonly result?: PasswordResult | undefined
  readonly realm?: string
  /** Who answered, as `host:port (TCP)`. */
  readonly kdc?: string
  /** What was being done: `AS-REQ`, `TGS-REQ`, `AP-REQ` … */
  readonly step?: string
  /** What to do about it, where the general advice for the code is not good enough. */
  readonly hint?: string
}

/**
 * A Kerberos exchange that did not succeed. `code` is RFC 4120's name for the reason (§7.5.9), `origin` says whether the
 * peer refused or this side did. The message names realm, KDC and remedy, and never holds key material.
 */
export class KrbError extends Error {
  override readonly name = 'KrbError'
  readonly code: KrbErrorCode
  readonly origin: 'peer' | 'local'
  readonly reply: KrbErrorMessage | undefined
  readonly result: PasswordResult | undefined
  readonly realm: string | undefined
  readonly kdc: string | undefined
  readonly step: string | undefined
  readonly hint: string | undefined

  constructor(code: KrbErrorCode, what: string, details: KrbErrorDetails = {}) {
    const { meaning, hint } = errorCode(code)
    const advice = details.hint ?? hint
    const place = details.kdc ? ` at ${details.kdc}` : ''
    super(`${code}: ${what || meaning}${place}${advice ? `; ${advice}` : ''}`, { cause: details.cause })
    this.code = code
    this.origin = details.reply || details.result ? 'peer' : 'local'
    this.reply = details.reply
    this.result = details.result
    this.realm = details.realm
    this.kdc = details.kdc
    this.step = details.step
    this.hint = advice
  }

  /** The error that a KRB-ERROR (RFC 4120 §5.9.1) tells of; `what` names what was asked for. */
  static of(reply: KrbErrorMessage, what: string, details: Omit<KrbErrorDetails, 'reply'> = {}): KrbError {
    const code = errorCodeOf(reply.errorCode)
    const number = code === 'KRB_ERR_GENERIC' && reply.errorCode !== 60 ? ` (code ${reply.errorCode})` : ''
    const text = reply.eText ? ` ("${printable(reply.eText)}")` : ''
    return new KrbError(code, `${errorCode(code).meaning}${number}: ${what}${text}`, {
      realm: reply.realm,
      ...details,
      reply,
    })
  }
}

/** One try at reaching a KDC. */
export interface Attempt {
  /** `host:port (UDP)` */
  readonly kdc: string
  readonly reason: string
}

/** No KDC of a realm could be asked: `attempts` tells every try. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly realm: string
  readonly attempts: readonly Attempt[]

  constructor(realm: string, attempts: readonly Attempt[], what = 'no KDC answered', options: ErrorOptions = {}) {
    const tries = attempts.map(({ kdc, reason }) => `${kdc}: ${reason}`).join(', ')
    super(
      `${what} for realm ${realm}${tries ? ` (${tries})` : ''}; check [realms] in krb5.conf and the network`,
      options,
    )
    this.realm = realm
    this.attempts = attempts
  }
}

/** Longest text of a peer that goes into a message of ours. */
const MAX_PEER_TEXT = 200

/** A peer's text made safe for one line of a log. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?').slice(0, MAX_PEER_TEXT)
}
