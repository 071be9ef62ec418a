import { KrbError } from './errors.ts'
import type { PrincipalName } from './messages/basics.ts'
import { nameTypes } from './messages/codes.ts'

/** A Kerberos name with its realm (RFC 4120 §6.2). */
export interface Principal {
  /** One of {@link nameTypes}; a hint only, never compared (RFC 4120 §6.2). */
  readonly type: number
  readonly components: readonly string[]
  /** Empty when the realm is still to be found out. */
  readonly realm: string
}

/** How {@link parsePrincipal} fills in what the text leaves out. */
export interface PrincipalDefaults {
  /** Realm of a name without `@REALM`; empty for "still to be found out". */
  readonly realm?: string
  /** `enterprise` takes the first `@` as part of the name (RFC 6806 §5). */
  readonly type?: number
}

/** Most components, and longest text, that a principal may have. */
const MAX_COMPONENTS = 32
const MAX_LENGTH = 4096

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' }
const unescapes: Readonly<Record<string, string>> = { '\n': 'n', '\t': 't', '\b': 'b', '/': '/', '@': '@', '\\': '\\' }

/**
 * Reads `primary/instance@REALM`, in which a backslash takes the meaning from `/`, `@` and `\`, and `\n \t \b` stand for
 * those characters (RFC 1964 §2.1.3 and MIT's krb5_parse_name). Throws TypeError for text that is no name.
 */
export function parsePrincipal(text: string, { realm = '', type }: PrincipalDefaults = {}): Principal {
  if (text.length > MAX_LENGTH) throw new TypeError(`not a principal name: longer than ${MAX_LENGTH} characters`)
  const refuse = (why: string) => new TypeError(`not a principal name: ${JSON.stringify(text)} ${why}`)
  const components = ['']
  let inRealm = false
  let keepAt = type === nameTypes.enterprise
  let found = ''
  for (let i = 0; i < text.length; i++) {
    let character = text[i]!
    if (character === '\0') throw refuse('holds a NUL')
    const escaped = character === '\\'
    if (escaped) {
      const next = text[++i]
      if (next === undefined || next === '0') throw refuse('ends in a backslash or holds a NUL')
      character = escapes[next] ?? next
    }
    if (!escaped && character === '@' && !keepAt) {
      if (inRealm) throw refuse('has two realms')
      inRealm = true
    } else if (!escaped && character === '/' && !inRealm && type !== nameTypes.enterprise) components.push('')
    else if (inRealm) found += character
    else {
      if (!escaped && character === '@') keepAt = false
      components[components.length - 1] += character
    }
  }
  if (components.length > MAX_COMPONENTS) throw refuse(`has more than ${MAX_COMPONENTS} components`)
  if (components.length === 1 && components[0] === '') throw refuse('is empty')
  return { type: type ?? typeOf(components), components, realm: inRealm ? found : realm }
}

/** The inverse of {@link parsePrincipal}; the realm is left out when it is empty. */
export function formatPrincipal({ components, realm }: Pick<Principal, 'components' | 'realm'>): string {
  let name = ''
  for (let i = 0; i < components.length; i++) name += (i > 0 ? '/' : '') + escapeComponent(components[i]!)
  return realm ? `${name}@${escapeComponent(realm)}` : name
}

/** Whether two principals are the same: components and realm to the letter, the type aside (RFC 4120 §6.2). */
export const samePrincipal = (a: Principal, b: Principal): boolean =>
  a.realm === b.realm && sameComponents(a.components, b.components)

/** Whether two lists of name components are the same. */
export function sameComponents(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((component, i) => component === b[i])
}

/** A principal out of the two halves that messages carry. */
export function principalOf({ nameType, nameString }: PrincipalName, realm: string): Principal {
  return { type: nameType, components: nameString, realm }
}

/** The half that messages carry beside the realm (RFC 4120 §5.2.2). */
export function principalNameOf({ type, components }: Principal): PrincipalName {
  return { nameType: type, nameString: components }
}

/** The ticket-granting service of `target`, as known in `realm` (RFC 4120 §7.3). */
export function ticketGrantingService(target: string, realm: string = target): Principal {
  return { type: nameTypes.serviceInstance, components: ['krbtgt', target], realm }
}

/** The realm that a ticket-granting service grants tickets for; undefined for any other principal. */
export function grantedRealm({ components }: Pick<Principal, 'components'>): string | undefined {
  return components.length === 2 && components[0] === 'krbtgt' ? components[1] : undefined
}

/** The realm of tickets that do not say whose they are (RFC 8062 §3). */
export const ANONYMOUS_REALM = 'WELLKNOWN:ANONYMOUS'

/** Nobody in particular (RFC 8062 §3): as asked for in `realm`, as tickets have it in {@link ANONYMOUS_REALM}. */
export const anonymousPrincipal = (realm: string = ANONYMOUS_REALM): Principal => ({
  type: nameTypes.wellknown,
  components: ['WELLKNOWN', 'ANONYMOUS'],
  realm,
})

/** Whether that is nobody in particular, in whichever realm. */
export const isAnonymous = ({ components }: Pick<Principal, 'components'>): boolean =>
  sameComponents(components, nobody)

const nobody = anonymousPrincipal().components

/** `service` on `host` (RFC 4120 §6.2.1): the host name in lower case, nothing looked up. */
export function hostService(service: string, host: string, realm = ''): Principal {
  if (!service || !host) throw new KrbError('NAME_REFUSED', `not a host-based service: ${service}@${host}`)
  return { type: nameTypes.serviceHost, components: [service, host.toLowerCase().replace(/\.$/, '')], realm }
}

function typeOf([first, second, ...rest]: readonly string[]): number {
  if (first === 'krbtgt' && second !== undefined && rest.length === 0) return nameTypes.serviceInstance
  return first === 'WELLKNOWN' && second !== undefined ? nameTypes.wellknown : nameTypes.principal
}

const special = /[\n\t\b/@\\]/

function escapeComponent(text: string): string {
  // Hardly any name has them, and names are written at every handshake.
  return special.test(text) ? text.replace(/[\n\t\b/@\\]/g, (character) => `\\${unescapes[character]}`) : text
}
