import { encode } from '../../asn1/codec.ts'
import type { Credential } from '../../krb5/credential.ts'
import { type Env, seconds } from '../../krb5/env.ts'
import { KrbError } from '../../krb5/errors.ts'
import type { Accepted } from '../../krb5/exchanges/accept.ts'
import { type SelfRequest, s4u2proxy, s4u2self } from '../../krb5/exchanges/s4u.ts'
import type { TgsResult } from '../../krb5/exchanges/tgs.ts'
import { Ticket } from '../../krb5/messages/ticket.ts'
import { formatPrincipal, type Principal, samePrincipal } from '../../krb5/names.ts'
import { askKrb, type KrbExchange } from '../../krb5/questions.ts'
import type { Credentials } from '../credentials.ts'
import { GssError } from '../error.ts'
import { mechanismOids } from '../oids.ts'
import { Krb5Credential, type WantedTicket } from './credential.ts'

/**
 * Credentials of a service in the name of `user`, who does not have to be there (S4U2Self): contexts are initiated with
 * them as far as the KDC lets the service (S4U2Proxy). They keep keys of their own. Throws KrbError, and {@link GssError}
 * GSS_S_NO_CRED without a ticket-granting ticket.
 */
export function* impersonate(service: Credentials, user: Principal, env: Env): KrbExchange<Credentials> {
  const element = service.element(mechanismOids.krb5)
  const tgt = element instanceof Krb5Credential ? element.grantingTicket() : undefined
  if (!(element instanceof Krb5Credential) || !tgt)
    throw new GssError('GSS_S_NO_CRED', 'a service impersonates with its own ticket-granting ticket')
  const { credential: evidence, clockOffset } = yield* s4u2self({ ...shown(element, tgt), user }, env)
  element.clockOffset = clockOffset
  return proxyCredentials(element, tgt, evidence)
}

/**
 * Credentials of a service in the name of a client who has just shown it a ticket (S4U2Proxy): contexts are initiated with
 * them as far as the KDC lets the service. They keep keys of their own; undefined where `service` has no ticket-granting
 * ticket to ask the KDC with.
 */
export function actingFor(
  { client, server, sealed, ticket, sessionKey }: Accepted,
  service: Krb5Credential,
): Credentials | undefined {
  const tgt = service.grantingTicket()
  if (!tgt) return undefined
  const { flags, authtime, starttime = authtime, endtime, renewTill } = ticket
  const times = { authtime, starttime, endtime, renewTill }
  const key = sessionKey.copy()
  return proxyCredentials(service, tgt, { client, server, key, ticket: encode(Ticket, sealed), flags, ...times })
}

function proxyCredentials(
  { clockOffset, fastAvailable }: Krb5Credential,
  tgt: Credential,
  evidence: Credential,
): Credentials {
  // Both credentials may be disposed of.
  const tickets = [evidence, { ...tgt, key: tgt.key.copy() }]
  const startRealm = tgt.client.realm
  return Krb5Credential.credentials({
    initiate: { client: evidence.client, tickets, evidence, clockOffset, startRealm, fastAvailable },
  })
}

/** How a ticket in a user's name is to be had. */
export interface ImpersonationOptions extends Pick<WantedTicket, 'enctypes'> {
  /** Whether only a ticket that is there already will do. */
  readonly cachedOnly?: boolean | undefined
}

/**
 * The ticket of a user, known by name or by certificate, for the service whose credentials these are (S4U2Self): one of
 * theirs, or bought with them and kept there. Throws KrbError, NO_TICKET above all.
 */
export function* selfTicketFor(
  element: Krb5Credential,
  whom: Pick<SelfRequest, 'user' | 'certificate' | 'service'>,
  env: Env,
  options: ImpersonationOptions = {},
): KrbExchange<Credential> {
  const { user, service = element.client! } = whom
  const buy = (tgt: Credential, enctypes: WantedTicket['enctypes']) =>
    s4u2self({ ...shown(element, tgt), ...whom, enctypes, options: ['forwardable'] }, env)
  return yield* had(element, user, service, env, options, buy)
}

/** The same for another service, by what the KDC allows (S4U2Proxy); `evidence` is {@link selfTicketFor}'s. Throws KrbError. */
export function* proxyTicketFor(
  element: Krb5Credential,
  evidence: Credential,
  service: Principal,
  env: Env,
  options: ImpersonationOptions = {},
): KrbExchange<Credential> {
  const buy = (tgt: Credential, enctypes: WantedTicket['enctypes']) =>
    s4u2proxy({ ...shown(element, tgt), evidence, service, enctypes }, env)
  return yield* had(element, evidence.client, service, env, options, buy)
}

/** Looked for under the user's name, as caches of other implementations have such tickets too; bought otherwise. */
function* had(
  element: Krb5Credential,
  user: Principal | undefined,
  service: Principal,
  env: Env,
  { enctypes, cachedOnly }: ImpersonationOptions,
  buy: (tgt: Credential, enctypes: WantedTicket['enctypes']) => KrbExchange<TgsResult>,
): KrbExchange<Credential> {
  const now = seconds(env.now() + element.clockOffset)
  const held = user && element.tickets.find((ticket) => isOf(ticket, user, service, now, enctypes))
  if (held) return held
  const tgt = cachedOnly ? undefined : element.grantingTicket()
  if (!tgt) {
    const whose = user ? formatPrincipal(user) : 'whoever the certificate is of'
    throw new KrbError('NO_TICKET', `no ticket of ${whose} for ${formatPrincipal(service)}, nor one to buy it with`)
  }
  const { credential, clockOffset } = yield* buy(tgt, enctypes)
  element.clockOffset = clockOffset
  element.keep(credential)
  if (element.cache) yield* askKrb('keep', { cache: element.cache, credential, owner: element.client })
  return credential
}

const isOf = (
  { client, server, endtime, key, secondTicket }: Credential,
  user: Principal,
  service: Principal,
  now: number,
  enctypes: WantedTicket['enctypes'],
): boolean =>
  endtime > now &&
  samePrincipal(client, user) &&
  samePrincipal(server, service) &&
  !secondTicket &&
  (enctypes?.includes(key.enctype) ?? true)

const shown = ({ clockOffset, fastAvailable }: Krb5Credential, tgt: Credential) => ({
  ...{ tgt, clockOffset },
  fast: fastAvailable ? ('when available' as const) : undefined,
})
