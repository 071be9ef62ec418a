/** Who a principal is on this machine (MIT's auth_to_local and auth_to_local_names). @module */
import { formatPrincipal, type Principal } from '../krb5/names.ts'
import { ConfigError } from './error.ts'
import { defaultRealmConfig, type KrbConfig } from './options.ts'
import { type PosixPattern, posixPattern } from './regexp.ts'

/** Longest name that rules are tried on, and that they may make, in characters. */
const MAX_NAME = 1024

/**
 * The local name of a principal by what krb5.conf says of the default realm: auth_to_local_names, then the rules of
 * auth_to_local in their order (`RULE:[n:string](regexp)s/pattern/replacement/g`, `DEFAULT`); without rules, the name
 * of the default realm's own principals. Undefined when nobody is meant. Throws {@link ConfigError} for a rule that is none.
 */
export function localName(
  config: Pick<KrbConfig, 'defaultRealm' | 'realms'>,
  principal: Principal,
): string | undefined {
  const { authToLocal, authToLocalNames } = config.realms.get(config.defaultRealm) ?? defaultRealmConfig
  const name = formatPrincipal({ ...principal, realm: '' })
  if (name.length > MAX_NAME) return undefined
  // MIT leaves the realm out of sight here; a name of another realm would then be a local user's
  const explicit = principal.realm === config.defaultRealm ? authToLocalNames.get(name) : undefined
  if (explicit) return explicit
  for (const mapping of authToLocal.length > 0 ? authToLocal : ['DEFAULT']) {
    const local = mapped(mapping, principal, config.defaultRealm)
    if (local && local.length <= MAX_NAME) return local
  }
  return undefined
}

function mapped(mapping: string, principal: Principal, defaultRealm: string): string | undefined {
  const [, type, residual = ''] = /^([^:]*)(?::(.*))?$/s.exec(mapping) ?? []
  if (type === 'DEFAULT') return ownName(principal, defaultRealm)
  if (type === 'RULE') return byRule(readRule(mapping, residual), mapping, principal)
  throw new ConfigError('auth_to_local', undefined, `not a rule: ${mapping}; write RULE:… or DEFAULT`)
}

/** A user of the default realm; its second component may be the realm, as ticket-granting services have it. */
function ownName({ components, realm }: Principal, defaultRealm: string): string | undefined {
  if (realm !== defaultRealm) return undefined
  const [name, second] = components
  return components.length === 1 || (components.length === 2 && second === defaultRealm) ? name : undefined
}

/** A rule, as read. */
interface Rule {
  /** How many components the principal must have, and what is made of them; the whole name without its realm unless said. */
  readonly selection: { readonly count: number; readonly format: string } | undefined
  /** What the whole of it must match. */
  readonly regexp: string | undefined
  readonly substitutions: readonly Substitution[]
}

interface Substitution {
  readonly pattern: string
  readonly replacement: string
  readonly everywhere: boolean
}

function readRule(mapping: string, rule: string): Rule {
  const [, count, format, regexp, rest = ''] = /^(?:\[\s*\+?(\d+):([^\]]*)\])?(?:\(([^)]*)\))?(.*)$/s.exec(rule) ?? []
  const substitutions: Substitution[] = []
  let read = 0
  for (const match of rest.matchAll(/\s*s\/([^/]*)\/([^/]*)\/(g?)/gy)) {
    const [whole, pattern = '', replacement = '', g] = match
    substitutions.push({ pattern, replacement, everywhere: g === 'g' })
    read += whole.length
  }
  if (rest.slice(read).trim() !== '')
    throw new ConfigError(
      'auth_to_local',
      undefined,
      `${mapping} is not RULE:[n:string](regexp)s/pattern/replacement/g`,
    )
  const selection = count === undefined ? undefined : { count: Number(count), format: format! }
  return { selection, regexp, substitutions }
}

function byRule({ selection, regexp, substitutions }: Rule, mapping: string, principal: Principal) {
  const selected = selection ? fill(selection, mapping, principal) : formatPrincipal({ ...principal, realm: '' })
  if (selected === undefined || selected.length > MAX_NAME) return undefined
  try {
    if (regexp !== undefined && !matchesWhole(posixPattern(regexp), selected)) return undefined
    return substitutions.reduce(substituted, selected)
  } catch (error) {
    // as in MIT's, a rule whose expression is none maps nobody
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

/** The format with `$0` the realm and `$1` the first component. */
function fill({ count, format }: NonNullable<Rule['selection']>, mapping: string, principal: Principal) {
  const { components, realm } = principal
  if (components.length !== count) return undefined
  return format.replace(/\$(\d*)/g, (_, digits: string) => {
    const part = Number(digits) === 0 ? realm : components[Number(digits) - 1]
    if (digits && part !== undefined) return part
    throw new ConfigError('auth_to_local', undefined, `${mapping} asks for $${digits} of a name of ${count} components`)
  })
}

function matchesWhole(pattern: PosixPattern, text: string): boolean {
  const span = pattern.search(text)
  return span?.start === 0 && span.end === text.length
}

/** The first match replaced, or every one: what is left after a match counts as a beginning again, as in MIT's. */
function substituted(text: string, { pattern, replacement, everywhere }: Substitution): string {
  const posix = posixPattern(pattern)
  let done = ''
  let rest = text
  do {
    const span = posix.search(rest)
    if (!span) break
    done += rest.slice(0, span.start) + replacement
    rest = rest.slice(span.end)
    if (span.end === span.start) {
      done += rest.slice(0, 1)
      rest = rest.slice(1)
    }
  } while (everywhere && rest !== '' && done.length <= MAX_NAME)
  return done + rest
}
