/** Passwords for clients without Kerberos (RFC 7617), who then have nothing but the server to trust. @module */
import { fromBase64, fromUtf8 } from '../bytes/index.ts'
import type { Credentials, InitiatorAttributes, Name } from '../gss/index.ts'
import { NegotiateError } from './error.ts'
import { codeOf } from './reason.ts'

/** How passwords are taken. */
export interface BasicOptions {
  /** Checks a password with a KDC that proves itself; rejects for a wrong one. */
  readonly check: (user: string, password: string) => Promise<CheckedPassword>
  /** What browsers show their users; `Kerberos` unless said. */
  readonly realm?: string | undefined
  /** Whether passwords may come without TLS; never unless said. */
  readonly allowInsecure?: boolean | undefined
  /** Passwords that are checked at a time; 16 unless said. The rest are answered with 429. */
  readonly concurrency?: number | undefined
}

/** Whose password it was. */
export interface CheckedPassword {
  readonly initiator: Name
  /** Seconds since the epoch. */
  readonly endtime: number
  /** To reach other services with. */
  readonly credentials?: Credentials | undefined
  /** What the KDC vouches for besides the name. */
  readonly attributes?: InitiatorAttributes | undefined
}

/** Wrong passwords of one user in a row, after which the KDC is not asked for {@link PASSWORD_PAUSE} seconds. */
export const WRONG_PASSWORDS_MAX = 5
/** Seconds that a user's passwords are not looked at after {@link WRONG_PASSWORDS_MAX} wrong ones. */
export const PASSWORD_PAUSE = 60
/** Passwords that are checked at a time unless said. */
const CONCURRENCY = 16
/** Users whose wrong passwords are counted; the oldest makes room for the next. */
const COUNTED_MAX = 4096
/** Characters of a Basic credential. */
const CREDENTIALS_MAX = 4096

/** What a request says of itself. */
interface Claimed {
  readonly user: string
  readonly password: string
}

interface Count {
  readonly wrong: number
  readonly until: number
}

/** Checks passwords, few at a time, and few wrong ones of a user. */
export class Passwords {
  readonly #options: BasicOptions
  readonly #now: () => number
  readonly #counts = new Map<string, Count>()
  #running = 0

  /** `now` gives microseconds since the epoch. */
  constructor(options: BasicOptions, now: () => number) {
    if (/["\\\r\n]/.test(options.realm ?? '')) throw new TypeError('a realm of RFC 7617 without quotes is wanted')
    this.#options = options
    this.#now = now
  }

  /** RFC 7617 §2.1: what else is offered. */
  get challenge(): string {
    return `Basic realm="${this.#options.realm ?? 'Kerberos'}", charset="UTF-8"`
  }

  /** Whether a password may come over such a connection. */
  allows(secure: boolean): boolean {
    return secure || this.#options.allowInsecure === true
  }

  /** Whose password it is. Rejects with {@link NegotiateError}, WRONG_PASSWORD for one that is not right, and with what `check` throws. */
  async check(credentials: string): Promise<CheckedPassword> {
    const { user, password } = readBasic(credentials)
    const { concurrency = CONCURRENCY, check } = this.#options
    const now = this.#now() / 1e6
    const count = this.#counts.get(user)
    if (count && count.wrong >= WRONG_PASSWORDS_MAX && count.until > now)
      throw new NegotiateError('BUSY', `${count.wrong} wrong passwords of ${user}: wait for ${PASSWORD_PAUSE} seconds`)
    if (this.#running >= concurrency) throw new NegotiateError('BUSY', `${concurrency} passwords are being checked`)
    this.#running++
    try {
      const checked = await check(user, password)
      this.#counts.delete(user)
      return checked
    } catch (cause) {
      if (isUnproven(cause))
        throw new NegotiateError('NO_KDC', `nobody says if it is the password of ${user}`, { cause })
      if (!wrongCodes.includes(codeOf(cause))) throw cause
      this.#count(user, count && count.until > now ? count.wrong + 1 : 1, now)
      throw new NegotiateError('WRONG_PASSWORD', `not the password of ${user}`, { cause })
    } finally {
      this.#running--
    }
  }

  #count(user: string, wrong: number, now: number): void {
    this.#counts.delete(user)
    const [oldest] = this.#counts.keys()
    if (oldest !== undefined && this.#counts.size >= COUNTED_MAX) this.#counts.delete(oldest)
    this.#counts.set(user, { wrong, until: now + PASSWORD_PAUSE })
  }
}

/** What a KDC says of a user or a password that it does not take. */
const wrongCodes: readonly (string | undefined)[] = [
  'KDC_ERR_PREAUTH_FAILED',
  'KDC_ERR_C_PRINCIPAL_UNKNOWN',
  'KDC_ERR_CLIENT_REVOKED',
  'KDC_ERR_KEY_EXPIRED',
  'KDC_ERR_NAME_EXP',
  'KDC_ERR_CLIENT_NOTYET',
  'KDC_ERR_POLICY',
]

/** No KDC answered, or one that does not have the key that this server shares with the right one (RFC 4120 §3.1.5). */
const isUnproven = (error: unknown): boolean =>
  ['KRB_AP_ERR_MODIFIED', 'KRB_AP_ERR_BAD_INTEGRITY', 'KRB_AP_ERR_NOKEY'].includes(codeOf(error) ?? '') ||
  (error instanceof Error && error.name === 'TransportError')

function readBasic(credentials: string): Claimed {
  const bad = (what: string, cause?: unknown) => new NegotiateError('BAD_CREDENTIALS', what, { cause })
  if (credentials.length > CREDENTIALS_MAX) throw bad(`a password of more than ${CREDENTIALS_MAX} characters`)
  let text: string
  try {
    text = fromUtf8(fromBase64(credentials))
  } catch (cause) {
    throw bad('what follows Basic is not base64 of UTF-8', cause)
  }
  const colon = text.indexOf(':')
  if (colon < 1) throw bad('what follows Basic is no user:password')
  if (/\p{Cc}/u.test(text)) throw bad('control characters in user or password')
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
