/** One challenge of a WWW-Authenticate field (RFC 9110 §11.3). */
export interface Challenge {
  /** The auth-scheme in lower case. */
  readonly scheme: string
  /** The token68 that follows the scheme; undefined when parameters or nothing did. */
  readonly token68: string | undefined
  /** auth-params by lower-case name, quotes and escapes removed; of a name given twice, the first. */
  readonly parameters: ReadonlyMap<string, string>
}

/** The auth-scheme of RFC 4559 §4, as it is written. */
export const NEGOTIATE = 'Negotiate'

/** Characters of a field that is still looked at: a token of 64 KiB in base64, and other challenges beside it. */
export const FIELD_LENGTH_MAX = 131_072

/** Challenges and parameters in one field; what follows them is not looked at. */
const ELEMENTS_MAX = 256

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+"
const PARAMETER = new RegExp(`^(${TOKEN})[ \\t]*=[ \\t]*(?:(${TOKEN})|"((?:[^"\\\\]|\\\\[\\s\\S])*)")$`)
const SCHEME = new RegExp(`^(${TOKEN})(?: +([^ ][\\s\\S]*))?$`)
const TOKEN68 = /^[\w.~+/-]+=*$/

/**
 * The challenges of a WWW-Authenticate or Proxy-Authenticate field, in order (RFC 9110 §11.6.1). Several fields joined
 * by commas, as `fetch` gives them, are one. What does not follow the grammar is left out together with its
 * parameters, and so is everything in a field of more than {@link FIELD_LENGTH_MAX} characters.
 */
export function parseChallenges(field: string): readonly Challenge[] {
  if (field.length > FIELD_LENGTH_MAX) return []
  const challenges: Challenge[] = []
  let parameters: Map<string, string> | undefined
  for (const element of elementsOf(field)) {
    const parameter = parseParameter(element)
    if (parameter) {
      if (parameters && !parameters.has(parameter.name)) parameters.set(parameter.name, parameter.value)
      continue
    }
    const challenge = parseChallenge(element)
    parameters = challenge?.parameters
    if (challenge) challenges.push(challenge)
  }
  return challenges
}

/** The first Negotiate challenge of `field` (RFC 4559 §4.1); undefined when there is none. */
export function negotiateChallenge(field: string | null): Challenge | undefined {
  return parseChallenges(field ?? '').find(({ scheme }) => scheme === NEGOTIATE.toLowerCase())
}

/** A list's elements: commas part them, but not commas within quotes (RFC 9110 §5.6.1). */
function elementsOf(field: string): string[] {
  const elements: string[] = []
  let start = 0
  let quoted = false
  for (let at = 0; at <= field.length && elements.length < ELEMENTS_MAX; at++) {
    const character = field[at]
    if (quoted && character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (character === undefined || (character === ',' && !quoted)) {
      const element = field.slice(start, at).trim()
      if (element) elements.push(element)
      start = at + 1
    }
  }
  return elements
}

function parseParameter(text: string): { readonly name: string; readonly value: string } | undefined {
  const [, name, token, quoted] = PARAMETER.exec(text) ?? []
  if (!name) return undefined
  return { name: name.toLowerCase(), value: token ?? quoted!.replace(/\\([\s\S])/g, '$1') }
}

function parseChallenge(text: string): (Challenge & { readonly parameters: Map<string, string> }) | undefined {
  const [, name, rest] = SCHEME.exec(text) ?? []
  if (!name) return undefined
  const scheme = name.toLowerCase()
  if (rest === undefined || TOKEN68.test(rest)) return { scheme, token68: rest, parameters: new Map() }
  const first = parseParameter(rest)
  return first && { scheme, token68: undefined, parameters: new Map([[first.name, first.value]]) }
}
