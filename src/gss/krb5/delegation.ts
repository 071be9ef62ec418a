/** Handing a ticket-granting ticket over inside the AP-REQ, and taking it there (RFC 4121 §4.1.1). @module */
import type { Key } from '../../crypto/key.ts'
import type { Credential } from '../../krb5/credential.ts'
import { type Env, shifted } from '../../krb5/env.ts'
import { KrbError, TransportError } from '../../krb5/errors.ts'
import { makeCred, readCred } from '../../krb5/exchanges/cred.ts'
import { tgsExchange } from '../../krb5/exchanges/tgs.ts'
import { formatPrincipal, type Principal, samePrincipal, ticketGrantingService } from '../../krb5/names.ts'
import type { KrbExchange } from '../../krb5/questions.ts'
import type { Credentials } from '../credentials.ts'
import type { GssFlag } from '../flags.ts'
import { Krb5Credential } from './credential.ts'
import type { NameRules } from './names.ts'

/** The longest KRB-CRED that a checksum can count. */
const MAX_SIZE = 0xffff

/**
 * Whether to delegate to a service: it is wanted at any rate, unless the realm's policy has to trust it then as well; or
 * where that trusts it (RFC 5896 §2).
 */
export const isToDelegate = (
  flags: ReadonlySet<GssFlag>,
  { flags: ticketFlags }: Credential,
  { enforceOkAsDelegate = false }: Pick<NameRules, 'enforceOkAsDelegate'> = {},
): boolean =>
  ticketFlags.has('okAsDelegate')
    ? flags.has('delegateToPeer') || flags.has('okAsDelegate')
    : flags.has('delegateToPeer') && !enforceOkAsDelegate

/**
 * A KRB-CRED that hands a forwarded ticket-granting ticket to the service of `credential`; undefined when there is none
 * to be had, as with a ticket that is not forwardable: the context then comes about without delegation.
 */
export function* delegation(
  element: Krb5Credential,
  { key }: Credential,
  env: Env,
): KrbExchange<Uint8Array | undefined> {
  const tgt = element.grantingTicket()
  // A service's ticket would hand over the service, not the user in whose name it acts.
  if (!tgt?.flags.has('forwardable') || element.evidence) return undefined
  const service = ticketGrantingService(tgt.client.realm)
  const { clockOffset } = element
  try {
    const { credential } = yield* tgsExchange({ tgt, service, options: ['forwarded'], clockOffset }, env)
    using _key = credential.key
    const message = makeCred([credential], { key }, shifted(env, clockOffset))
    return message.length <= MAX_SIZE ? message : undefined
  } catch (error) {
    if (error instanceof KrbError || error instanceof TransportError) return undefined
    throw error
  }
}

/** The credentials in a KRB-CRED of `client`, for the caller to dispose of. Throws KrbError. */
export function* delegated(
  message: Uint8Array,
  { client, keys }: { readonly client: Principal; readonly keys: readonly Key[] },
  env: Env,
): KrbExchange<Credentials> {
  // Heimdal leaves it in the clear (enctype 0): the authenticator around it is sealed by the session key.
  const tickets = yield* readCred(message, { keys, plain: true, timestamps: false }, env)
  const stranger = tickets.find((ticket) => !samePrincipal(ticket.client, client))
  if (!stranger) return Krb5Credential.credentials({ initiate: { client, tickets } })
  for (const { key } of tickets) key[Symbol.dispose]()
  const whose = formatPrincipal(stranger.client)
  throw new KrbError('KRB_AP_ERR_BADMATCH', `${formatPrincipal(client)} delegates a ticket of ${whose}`, {
    step: 'KRB-CRED',
  })
}
