/** pkinit_cert_match of krb5.conf(5): which of several certificates is the user's. @module */
import { ConfigError } from './error.ts'
import { type PosixPattern, posixPattern } from './regexp.ts'

/** What rules look at in a certificate. */
export interface CertificateFacts {
  /** Distinguished names in the order of the certificate, without spaces: `O=lab,CN=alice`, as MIT has them. */
  readonly subject: string
  readonly issuer: string
  /** Principals and user principal names among its alternative names. */
  readonly names: readonly string[]
  /** Object identifiers of its extended key usages. */
  readonly purposes: readonly string[]
  /** Its key usages, by their names in RFC 5280 §4.2.1.3. */
  readonly usages: ReadonlySet<string>
}

/** A rule that was read: whether a certificate is as it says. */
export type CertificateRule = (facts: CertificateFacts) => boolean

/** Longest rule that is read, in characters. */
const MAX_RULE = 4096
const OPTION = 'pkinit_cert_match'

/**
 * Reads `[&&|||]<SUBJECT>regexp<ISSUER>regexp<SAN>regexp<EKU>list<KU>list`, of which all components must match, or one after
 * `||`; expressions are POSIX extended ones and match anywhere. Throws ConfigError for what is no rule; the rule throws it for
 * an expression that takes too long.
 */
export function certificateRule(text: string): CertificateRule {
  if (text.length > MAX_RULE) throw refusal(`a rule has at most ${MAX_RULE} characters`)
  const [, relation, rest] = /^(&&|\|\|)?(.*)$/s.exec(text)!
  const parts = rest!.split(/<(SUBJECT|ISSUER|SAN|EKU|KU)>/)
  if (parts[0] !== '' || parts.length < 2) throw refusal(`${text} begins with no component such as <SUBJECT>`)
  const components: CertificateRule[] = []
  for (let i = 1; i < parts.length; i += 2) components.push(readComponent[parts[i] as Keyword](parts[i + 1]!))
  return relation === '||'
    ? (facts) => components.some((holds) => holds(facts))
    : (facts) => components.every((holds) => holds(facts))
}

type Keyword = 'SUBJECT' | 'ISSUER' | 'SAN' | 'EKU' | 'KU'

/** Extended key usages by their names in rules. */
const purposes: Readonly<Record<string, string>> = {
  pkinit: '1.3.6.1.5.2.3.4',
  msScLogin: '1.3.6.1.4.1.311.20.2.2',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  emailProtection: '1.3.6.1.5.5.7.3.4',
}
const usages: Readonly<Record<string, string>> = {
  digitalSignature: 'digitalSignature',
  keyEncipherment: 'keyEncipherment',
}

const readComponent: Readonly<Record<Keyword, (value: string) => CertificateRule>> = {
  SUBJECT: (value) => byPattern(value, ({ subject }) => [subject]),
  ISSUER: (value) => byPattern(value, ({ issuer }) => [issuer]),
  SAN: (value) => byPattern(value, ({ names }) => names),
  EKU: (value) => byList(value, purposes, (facts, purpose) => facts.purposes.includes(purpose)),
  KU: (value) => byList(value, usages, (facts, usage) => facts.usages.has(usage)),
}

function byPattern(value: string, texts: (facts: CertificateFacts) => readonly string[]): CertificateRule {
  let pattern: PosixPattern
  try {
    pattern = posixPattern(value)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw refusal(`${value} is no expression (${cause.message})`, cause)
  }
  return (facts) => {
    try {
      return texts(facts).some((text) => pattern.search(text) !== undefined)
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw refusal(`${value}: ${cause.message}`, cause)
    }
  }
}

/** All that the list names must be there. */
function byList(
  value: string,
  known: Readonly<Record<string, string>>,
  has: (facts: CertificateFacts, one: string) => boolean,
): CertificateRule {
  const wanted = value.split(',').map((name) => {
    const found = Object.hasOwn(known, name.trim()) ? known[name.trim()] : undefined
    if (found === undefined) throw refusal(`${name} is none of ${Object.keys(known).join(', ')}`)
    return found
  })
  return (facts) => wanted.every((one) => has(facts, one))
}

const refusal = (what: string, cause?: unknown) => new ConfigError(OPTION, undefined, what, { cause })
