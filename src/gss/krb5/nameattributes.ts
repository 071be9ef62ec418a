/** What a domain says of an initiator beyond its name, by the names that MIT's library gives it (RFC 6680, MS-PAC). @module */
import { Asn1Error } from '../../asn1/error.ts'
import { PacError } from '../../krb5/pac/error.ts'
import { decodePac, type Pac } from '../../krb5/pac/pac.ts'
import { findPac } from '../../krb5/pac/ticket.ts'
import type { Krb5Context } from './context.ts'

const PREFIX = 'urn:mspac:'
/** Buffers of a PAC that have a name besides their number. */
const names: Readonly<Record<number, string>> = {
  1: 'logon-info',
  2: 'credentials-info',
  6: 'server-checksum',
  7: 'privsvr-checksum',
  10: 'client-info',
  11: 'delegation-info',
  12: 'upn-dns-info',
}

/**
 * The PAC in the context's ticket (`urn:mspac:`) and its buffers (`urn:mspac:logon-info`, and `urn:mspac:` with the number
 * of one that has no name); empty for a context that was initiated here, and without a PAC that can be read. The ticket
 * came from the KDC, but no signature in the PAC has been verified: `verifyTicketPac` of `kerb/krb5/pac` does.
 */
export function nameAttributes({ ticket }: Pick<Krb5Context, 'ticket'>): ReadonlyMap<string, Uint8Array> {
  const pac = pacIn(ticket)
  if (!pac) return new Map()
  const buffers = pac.buffers.map(({ type, octets }) => [`${PREFIX}${names[type] ?? type}`, octets] as const)
  return new Map([[PREFIX, pac.octets], ...buffers])
}

function pacIn({ authorizationData }: Krb5Context['ticket']): Pac | undefined {
  try {
    const found = findPac(authorizationData)
    return found && decodePac(found.octets)
  } catch (error) {
    if (error instanceof PacError || error instanceof Asn1Error) return undefined
    throw error
  }
}
