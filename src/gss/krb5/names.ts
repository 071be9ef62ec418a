import { KrbError } from '../../krb5/errors.ts'
import { nameTypes } from '../../krb5/messages/codes.ts'
import {
  anonymousPrincipal,
  formatPrincipal,
  hostService,
  isAnonymous,
  type Principal,
  parsePrincipal,
} from '../../krb5/names.ts'
import { GssError } from '../error.ts'
import { Name } from '../name.ts'
import { mechanismOids, nameTypeOids } from '../oids.ts'

/** What names need to know of the configuration. */
export interface NameRules {
  /** Realm of users who do not say theirs; empty for none. */
  readonly defaultRealm: string
  /** The realm of a host; empty to let the KDCs refer (RFC 6806 §8). */
  readonly realmOfHost: (host: string) => string
  /** The full name of a host, as qualify_shortname has it; the name as it was written unless said. */
  readonly qualifiedHost?: ((host: string) => string) | undefined
  /** Whether to delegate only to services that the KDC marked (enforce_ok_as_delegate); false unless said. */
  readonly enforceOkAsDelegate?: boolean | undefined
}

/** Without a configuration: names must say their realm, services are found by referral. */
export const noRules: NameRules = { defaultRealm: '', realmOfHost: () => '' }

/** What names stood for: services are reached by the same ones again and again. */
const known = new WeakMap<Name, { readonly rules: NameRules; readonly principal: Principal }>()

/** The principal that a name stands for (RFC 1964 §2.1). Throws {@link GssError} GSS_S_BAD_NAME or GSS_S_BAD_NAMETYPE. */
export function principalFrom(name: Name, rules: NameRules): Principal {
  const last = known.get(name)
  if (last?.rules === rules) return last.principal
  const principal = readPrincipal(name, rules)
  known.set(name, { rules, principal })
  return principal
}

function readPrincipal(name: Name, rules: NameRules): Principal {
  try {
    switch (name.type) {
      case nameTypeOids.anonymous:
        return anonymousPrincipal()
      case nameTypeOids.hostbased:
        return serviceFrom(name.text, rules)
      case nameTypeOids.exported:
        if (name.mechanism !== mechanismOids.krb5)
          throw new GssError('GSS_S_BAD_MECH', `${name.text} is a name of the mechanism ${name.mechanism}`)
        return parsePrincipal(name.text, { realm: rules.defaultRealm })
      case undefined:
      case nameTypeOids.user:
      case nameTypeOids.krb5Principal:
        return parsePrincipal(name.text, { realm: rules.defaultRealm })
      case nameTypeOids.krb5Enterprise:
        return parsePrincipal(name.text, { realm: rules.defaultRealm, type: nameTypes.enterprise })
    }
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof KrbError)) throw cause
    throw new GssError('GSS_S_BAD_NAME', cause.message, { cause })
  }
  throw new GssError('GSS_S_BAD_NAMETYPE', `krb5 takes no names of type ${name.type}`)
}

/** A principal as a name of the mechanism (RFC 2743 §1.1.5, "MN"). */
export const nameOf = (principal: Principal): Name =>
  isAnonymous(principal)
    ? new Name(formatPrincipal(principal), nameTypeOids.anonymous, mechanismOids.krb5)
    : contextName(formatPrincipal(principal))

/** A principal that came from a peer or a file, as text. */
export const contextName = (text: string): Name => new Name(text, nameTypeOids.krb5Principal, mechanismOids.krb5)

/** `service@host`: everything after the first `@` is the host, for which nobody is asked. */
function serviceFrom(text: string, { realmOfHost, qualifiedHost = (host) => host }: NameRules): Principal {
  const at = text.indexOf('@')
  if (at <= 0 || at === text.length - 1) throw new TypeError(`not service@host: ${JSON.stringify(text)}`)
  const service = hostService(text.slice(0, at), qualifiedHost(text.slice(at + 1)))
  return { ...service, realm: realmOfHost(service.components[1]!) }
}
