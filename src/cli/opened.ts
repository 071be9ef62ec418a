/** What a ticket says inside, to whoever has the key of its service. @module */
import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { formatOctets, formatValue } from '../inspect/names.ts'
import { formatSidName } from '../inspect/sidtable.ts'
import { formatVerdict, verdictOf } from '../inspect/verdict.ts'
import { authenticationIndicators } from '../krb5/cammac.ts'
import type { ServiceKey } from '../krb5/credential.ts'
import { KrbError } from '../krb5/errors.ts'
import { AuthorizationData } from '../krb5/messages/basics.ts'
import { adTypes } from '../krb5/messages/codes.ts'
import type { EncTicketPart, Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal, grantedRealm, principalOf } from '../krb5/names.ts'
import { authorizationOf } from '../krb5/pac/authorization.ts'
import type { PacVerdict } from '../krb5/pac/verify.ts'
import { sealedTicket } from '../krb5/sealed.ts'
import { formatFlags } from './text.ts'

/** Deepest authorization data inside one another that is told. */
const MAX_NESTING = 8

/** Lines about the encrypted part of `ticket`, opened with whichever of `keys` fits; one that says so when none does. */
export function openedLines(ticket: Ticket, keys: readonly ServiceKey[]): readonly string[] {
  const { encPart } = ticket
  for (const { key, kvno, principal } of keys) {
    if (key.enctype.id !== encPart.etype) continue
    const part = opened(() => sealedTicket.open(key, encPart))
    if (!part) continue
    const kdcKeys = keys.filter(
      ({ principal }) => principal.realm === ticket.realm && grantedRealm(principal) === ticket.realm,
    )
    return [
      `Opened with: the ${key.enctype.name} key of ${formatPrincipal(principal)}, version ${kvno}`,
      ...ticketLines(
        part,
        verdictOf(
          part,
          key,
          kdcKeys.map(({ key }) => key),
        ),
      ),
      ...indicatorLines(authenticationIndicators(part, { serverKey: key, kdcKey: kdcKeys[0]?.key })),
    ]
  }
  return ['Opened with: no key at hand']
}

/** Undefined for what another key sealed, and for what is no ticket inside. */
function opened(open: () => EncTicketPart): EncTicketPart | undefined {
  try {
    return open()
  } catch (error) {
    if (error instanceof KrbError || error instanceof Asn1Error) return undefined
    throw error
  }
}

function ticketLines(part: EncTicketPart, verdict: PacVerdict): readonly string[] {
  const { cname, crealm, flags, key, transited, authorizationData = [] } = part
  return [
    `  Client: ${formatPrincipal(principalOf(cname, crealm))}, Flags: ${formatFlags(flags)}, Session key: ${enctypeName(key.keytype)}`,
    ...(transited.contents.length > 0 ? [`  Transited: ${formatOctets(transited.contents)}`] : []),
    `  Authorization data: ${authorizationData.length > 0 ? formatAuthorizationData(authorizationData) : 'none'}`,
    `  PAC: ${formatVerdict(verdict)}`,
    ...(verdict.state === 'partial' || verdict.state === 'verified' ? pacLines(verdict) : []),
  ]
}

/** The types, those that hold others with what they hold. */
function formatAuthorizationData(data: AuthorizationData, nesting = MAX_NESTING): string {
  return data
    .map(({ adType, adData }) => {
      const name = formatValue('adType', '', adType)
      if (adType !== adTypes.ifRelevant || nesting === 0) return name
      const inner = readable(adData)
      return inner ? `${name} of ${formatAuthorizationData(inner, nesting - 1)}` : `${name}, unreadable`
    })
    .join(', ')
}

function readable(octets: Uint8Array): AuthorizationData | undefined {
  try {
    return decode(AuthorizationData, octets)
  } catch (error) {
    if (error instanceof Asn1Error) return undefined
    throw error
  }
}

function pacLines(verdict: PacVerdict & { readonly state: 'partial' | 'verified' }): readonly string[] {
  const { logonInfo, upnDns, delegation, requestor } = verdict.pac
  const { user, groups, denied } = authorizationOf(verdict, { accept: 'partial' })
  return [
    ...(logonInfo ? [`Logon name: ${logonInfo.logonDomainName}\\${logonInfo.effectiveName}`] : []),
    ...(logonInfo?.fullName ? [`Full name: ${logonInfo.fullName}`] : []),
    ...(upnDns ? [`UPN: ${upnDns.upn}`] : []),
    ...(user ? [`SID: ${formatSidName(user)}`] : []),
    ...groups.map((sid) => `Group: ${formatSidName(sid)}`),
    ...denied.map((sid) => `Group, for denial only: ${formatSidName(sid)}`),
    ...(requestor ? [`Requestor: ${requestor}`] : []),
    ...(delegation ? [`Delegated to: ${delegation.target}, by ${delegation.transited.join(', ')}`] : []),
  ].map((line) => `    ${line}`)
}

const indicatorLines = (indicators: readonly string[]) =>
  indicators.length > 0 ? [`  Authentication indicators: ${indicators.join(', ')}`] : []
