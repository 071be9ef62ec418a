/** How clients proved themselves, told from ticket to ticket (RFC 8129), and services that ask for no less. @module */
import { decode, encode } from '../asn1/codec.ts'
import { authenticationIndicators, makeIndicators } from '../krb5/cammac.ts'
import { KrbError } from '../krb5/errors.ts'
import { AuthorizationData } from '../krb5/messages/basics.ts'
import { adTypes } from '../krb5/messages/codes.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import { formatPrincipal } from '../krb5/names.ts'
import { withAuthorizationData } from '../krb5/pac/ticket.ts'
import type { PrincipalRecord } from './database.ts'
import { dataWithoutPac, type Sealing } from './pac.ts'
import type { Kdc } from './request.ts'

/** What this KDC itself said in a ticket of how its client proved itself. */
export function indicatorsIn(ticket: EncTicketPart, kdc: Kdc): readonly string[] {
  if (!ticket.authorizationData) return []
  const keys = kdc.grantingKeys
  return kdc.remembered.indicators.about(ticket, keys, () => {
    const said = keys.flatMap((kdcKey) => authenticationIndicators(ticket, { kdcKey }))
    return [...new Set(said)]
  })
}

/** Authorization data that a ticket made of `ticket` has of it; the PAC and the CAMMAC it has are its own. */
export function inheritedData(ticket: EncTicketPart, { remembered }: Kdc): AuthorizationData {
  const { authorizationData } = ticket
  if (!authorizationData) return []
  return remembered.inherited.about(ticket, [], () => withoutCammac(dataWithoutPac(authorizationData)))
}

/**
 * The ticket with these indicators and no others, signed for its service and for this KDC (RFC 7751 §3); to be made before
 * its PAC is, whose signatures cover it.
 */
export function withIndicators(
  ticket: EncTicketPart,
  indicators: readonly string[],
  { key: serverKey }: Pick<Sealing, 'key'>,
  kdc: Kdc,
): EncTicketPart {
  if (indicators.length === 0 && !ticket.authorizationData) return ticket
  const [kdcKey] = kdc.grantingKeys
  const bare = withAuthorizationData(ticket)
  const others = withoutCammac(ticket.authorizationData ?? [])
  const made = indicators.length > 0 && kdcKey ? [makeIndicators(bare, indicators, { serverKey, kdcKey })] : []
  return withAuthorizationData(ticket, [...made, ...others])
}

/** Refuses clients who proved themselves in no way that the service takes. Throws KrbError KDC_ERR_POLICY. */
export function requireIndicators({ requireAuth, principal }: PrincipalRecord, had: readonly string[]): void {
  if (requireAuth.length === 0 || requireAuth.some((wanted) => had.includes(wanted))) return
  const name = formatPrincipal(principal)
  throw new KrbError('KDC_ERR_POLICY', `${name} takes clients who proved themselves by ${requireAuth.join(' or ')}`, {
    hint: had.length > 0 ? `this one did by ${had.join(', ')}` : 'log in in that way',
  })
}

/** What another KDC, or an older ticket, said so is not this ticket's. */
const withoutCammac = (data: AuthorizationData): AuthorizationData =>
  data.flatMap((element) => {
    if (element.adType === adTypes.cammac) return []
    if (element.adType !== adTypes.ifRelevant) return [element]
    const inner = decode(AuthorizationData, element.adData)
    const rest = inner.filter(({ adType }) => adType !== adTypes.cammac)
    if (rest.length === inner.length) return [element]
    return rest.length === 0 ? [] : [{ adType: adTypes.ifRelevant, adData: encode(AuthorizationData, rest) }]
  })
