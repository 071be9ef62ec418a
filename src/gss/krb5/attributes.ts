/** What a ticket says of its client beyond the name (RFC 6680's attributes): how it authenticated itself, and its groups. @module */
import type { Key } from '../../crypto/key.ts'
import { authenticationIndicators } from '../../krb5/cammac.ts'
import type { EncTicketPart } from '../../krb5/messages/ticket.ts'
import { authorizationOf } from '../../krb5/pac/authorization.ts'
import { verifyTicketPac } from '../../krb5/pac/verify.ts'
import type { InitiatorAttributes } from '../mechanism.ts'

/** A ticket without its session key, and the acceptor's own key that opened it. */
export interface OpenTicket {
  readonly part: EncTicketPart
  readonly serverKey: Key
}

/**
 * What the KDC vouches for in a ticket, as far as the key that opened it verifies that: nobody else has this key. A PAC that
 * does not verify says nothing, nor does one whose key is gone. Undefined where there is nothing.
 */
export function attributesOf({ part, serverKey }: OpenTicket): InitiatorAttributes | undefined {
  const indicators = authenticationIndicators(part, { serverKey })
  const verdict = verifyTicketPac(part, { serverKey })
  const believed = verdict.state === 'partial' || verdict.state === 'verified'
  if (!believed && indicators.length === 0) return undefined
  if (!believed) return { indicators, user: undefined, groups: [], denied: [] }
  const { user, groups, denied } = authorizationOf(verdict, { accept: 'partial' })
  return { indicators, user, groups, denied }
}
