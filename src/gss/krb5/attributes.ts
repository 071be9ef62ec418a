/** What a ticket says of its client beyond the name (RFC 6680's attributes): how it authenticated itself, and its groups. @module */
import { authenticationIndicators } from '../../krb5/cammac.ts'
import { authorizationOf } from '../../krb5/pac/authorization.ts'
import { verifyTicketPac } from '../../krb5/pac/verify.ts'
import type { EstablishedContext, InitiatorAttributes } from '../mechanism.ts'
import { Krb5Context, type OpenTicket } from './context.ts'

/**
 * What the KDC vouches for in the ticket behind an acceptor's context, as far as the key that opened it verifies that: nobody
 * else has this key. A PAC that does not verify says nothing. Undefined where there is nothing, on the initiator's side, and
 * for a context that was imported. Throws TypeError once the acceptor's credentials are disposed of.
 */
export function initiatorAttributes(context: EstablishedContext): InitiatorAttributes | undefined {
  return context instanceof Krb5Context && context.opened ? ticketAttributes(context.opened) : undefined
}

/** The same of a ticket that the service's key opened. */
export function ticketAttributes({ part, serverKey }: OpenTicket): InitiatorAttributes | undefined {
  const indicators = authenticationIndicators(part, { serverKey })
  const verdict = verifyTicketPac(part, { serverKey })
  const believed = verdict.state === 'partial' || verdict.state === 'verified'
  if (!believed && indicators.length === 0) return undefined
  if (!believed) return { indicators, user: undefined, groups: [], denied: [] }
  const { user, groups, denied } = authorizationOf(verdict, { accept: 'partial' })
  return { indicators, user, groups, denied }
}
