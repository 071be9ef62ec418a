/** What a password server answers: a code, and words or a policy that say why (RFC 3244 §2). @module */
import { OctetReader, OctetWriter } from '../bytes/cursor.ts'
import { concat, fromUtf8, utf8 } from '../bytes/index.ts'

/** The policy that Active Directory sends where the new password does not keep to it. Durations are in seconds. */
export interface DomainPasswordPolicy {
  /** Characters that a password must have. */
  readonly minimumLength: number
  /** Earlier passwords that may not be taken again. */
  readonly historyLength: number
  /** Whether a password needs characters of several kinds. */
  readonly complex: boolean
  /** How long a password is good for; 0 for ever. */
  readonly maximumAge: number
  /** How long a password must be kept. */
  readonly minimumAge: number
}

/** The answer of a password server. */
export interface PasswordResult {
  /** 0 for done; 1 to 7 of RFC 3244 §2, or any other for a failure. */
  readonly code: number
  /** What the server says, for the user to read; empty when it says nothing. */
  readonly text: string
  /** Undefined unless the server is Active Directory's and the password broke its policy. */
  readonly policy?: DomainPasswordPolicy | undefined
}

/** Octets of the policy: it begins with two zeros, which no text does (MS-KILE's servers, MIT's krb5_chpw_message). */
const POLICY_SIZE = 30
/** DOMAIN_PASSWORD_COMPLEX (MS-SAMR §2.2.3.5). */
const COMPLEX = 1
/** Windows counts time in tenths of microseconds. */
const TICKS = 10_000_000n
/** Longest text of a server that is shown. */
const MAX_TEXT = 2000

/** The code and the string behind it; undefined when there is no code. */
export function parsePasswordResult(octets: Uint8Array): PasswordResult | undefined {
  if (octets.length < 2) return undefined
  const reader = new OctetReader(octets)
  const code = reader.uint16()
  const rest = reader.rest()
  const policy = parsePolicy(rest)
  return policy ? { code, text: describePolicy(policy), policy } : { code, text: textOf(rest) }
}

/** The inverse of {@link parsePasswordResult}, for a server that sends words. */
export const formatPasswordResult = ({ code, text }: Pick<PasswordResult, 'code' | 'text'>): Uint8Array =>
  concat(new OctetWriter().uint16(code).finish(), utf8(text))

/** The policy in words, one sentence for each rule. */
export function describePolicy(policy: DomainPasswordPolicy): string {
  const { minimumLength, historyLength, complex, minimumAge } = policy
  return [
    complex ? 'The password must have characters of several kinds, and not hold the name of its user.' : '',
    minimumLength ? `It must have ${minimumLength} ${minimumLength === 1 ? 'character' : 'characters'} or more.` : '',
    historyLength ? `It must differ from the last ${historyLength}.` : '',
    minimumAge ? `A password can be changed ${describeAge(minimumAge)} after the last change, not before.` : '',
  ]
    .filter(Boolean)
    .join(' ')
}

function parsePolicy(octets: Uint8Array): DomainPasswordPolicy | undefined {
  if (octets.length !== POLICY_SIZE || octets[0] !== 0 || octets[1] !== 0) return undefined
  const reader = new OctetReader(octets.subarray(2))
  const [minimumLength, historyLength, properties] = [reader.uint32(), reader.uint32(), reader.uint32()]
  const [maximumAge, minimumAge] = [reader.uint64(), reader.uint64()].map((ticks) => Number(ticks / TICKS))
  return {
    ...{ minimumLength, historyLength, complex: (properties & COMPLEX) !== 0 },
    ...{ maximumAge: maximumAge!, minimumAge: minimumAge! },
  }
}

/** Text for people, on one line; what is no UTF-8 is left out. */
function textOf(octets: Uint8Array): string {
  try {
    return fromUtf8(octets.subarray(0, MAX_TEXT))
      .replace(/[\s\0]+/g, ' ')
      .replace(/[\p{Cc}\p{Cf}]/gu, '?')
      .trim()
  } catch {
    return ''
  }
}

const DAY = 86_400

function describeAge(seconds: number): string {
  const days = Math.round(seconds / DAY)
  if (days >= 1) return days === 1 ? 'a day' : `${days} days`
  return `${Math.ceil(seconds / 60)} minutes`
}
