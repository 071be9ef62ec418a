/** What a ticket says of its client beyond the name, by the names that MIT's library gives it (RFC 6680, MS-PAC, RFC 8129). @module */
import { Asn1Error } from '../../asn1/error.ts'
import { utf8 } from '../../bytes/index.ts'
import { authenticationIndicators } from '../../krb5/cammac.ts'
import { authorizationOf } from '../../krb5/pac/authorization.ts'
import { PacError } from '../../krb5/pac/error.ts'
import { userSid } from '../../krb5/pac/logoninfo.ts'
import { bufferTypes, decodePac, type Pac } from '../../krb5/pac/pac.ts'
import { signatureTypes } from '../../krb5/pac/signature.ts'
import { findPac } from '../../krb5/pac/ticket.ts'
import { type PacVerdict, verifyTicketPac } from '../../krb5/pac/verify.ts'
import type { AttributeValue, InitiatorAttributes, NameAttribute } from '../attributes.ts'
import type { EstablishedContext } from '../mechanism.ts'
import { Krb5Context, type OpenTicket } from './context.ts'
import type { TicketFacts } from './exported.ts'

const PREFIX = 'urn:mspac:'
/** Buffers of a PAC that have a name besides their number. */
const names: Readonly<Record<number, string>> = {
  [bufferTypes.logonInfo]: 'logon-info',
  [bufferTypes.credentials]: 'credentials-info',
  [signatureTypes.server]: 'server-checksum',
  [signatureTypes.kdc]: 'privsvr-checksum',
  [bufferTypes.clientInfo]: 'client-info',
  [bufferTypes.delegation]: 'delegation-info',
  [bufferTypes.upnDns]: 'upn-dns-info',
}
/** Buffers that come to a text. */
const displays: Readonly<Record<number, (pac: Pac) => string | undefined>> = {
  [bufferTypes.logonInfo]: ({ logonInfo }) => logonInfo && userSid(logonInfo),
  [bufferTypes.clientInfo]: ({ clientInfo }) => clientInfo?.name,
  [bufferTypes.upnDns]: ({ upnDns }) => upnDns?.upn,
  [bufferTypes.requestor]: ({ requestor }) => requestor,
}

/**
 * What the ticket behind an acceptor's context says of the initiator. What the key that opened it verifies is authenticated, as
 * nobody else has this key but the KDC; it says who is in which groups. A PAC that does not verify, or of a context that was
 * imported without that key, is only among `named`. Undefined where there is nothing, and on the initiator's side. Throws
 * TypeError once the acceptor's credentials are disposed of.
 */
export function initiatorAttributes(context: EstablishedContext): InitiatorAttributes | undefined {
  if (!(context instanceof Krb5Context) || context.locallyInitiated) return undefined
  if (context.opened) return ticketAttributes(context.opened)
  return attributesOf([], { state: 'absent' }, pacIn(context.ticket))
}

/** The same of a ticket that the service's key opened. */
export function ticketAttributes({ part, serverKey }: OpenTicket): InitiatorAttributes | undefined {
  const verdict = verifyTicketPac(part, { serverKey })
  return attributesOf(
    authenticationIndicators(part, { serverKey }),
    verdict,
    'pac' in verdict ? verdict.pac : pacIn(part),
  )
}

function attributesOf(
  indicators: readonly string[],
  verdict: PacVerdict,
  pac: Pac | undefined,
): InitiatorAttributes | undefined {
  if (!pac && indicators.length === 0) return undefined
  const believed = verdict.state === 'partial' || verdict.state === 'verified'
  const { user, groups, denied } = believed ? authorizationOf(verdict, { accept: 'partial' }) : nothing
  return { indicators, user, groups, denied, named: new Map([...said(indicators), ...buffersOf(pac, believed)]) }
}

const nothing = { user: undefined, groups: [], denied: [] } as const

function pacIn({ authorizationData }: TicketFacts): Pac | undefined {
  try {
    const found = findPac(authorizationData)
    return found && decodePac(found.octets)
  } catch (error) {
    if (error instanceof PacError || error instanceof Asn1Error) return undefined
    throw error
  }
}

type Entry = readonly [name: string, attribute: NameAttribute]

const attribute = (values: readonly AttributeValue[], authenticated: boolean): NameAttribute => ({
  values,
  authenticated,
  complete: true,
})

/** Those that nobody verified were left out before. */
const said = (indicators: readonly string[]): readonly Entry[] =>
  indicators.length === 0
    ? []
    : [
        [
          'auth-indicators',
          attribute(
            indicators.map((text) => ({ octets: utf8(text), display: text })),
            true,
          ),
        ],
      ]

function buffersOf(pac: Pac | undefined, authenticated: boolean): readonly Entry[] {
  if (!pac) return []
  const one = (octets: Uint8Array, display?: string) => attribute([{ octets, display }], authenticated)
  return [
    [PREFIX, one(pac.octets)],
    ...pac.buffers.map(
      ({ type, octets }): Entry => [`${PREFIX}${names[type] ?? type}`, one(octets, displays[type]?.(pac))],
    ),
  ]
}
