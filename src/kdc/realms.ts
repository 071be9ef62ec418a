/** Where a service is found: here, or by a referral to another realm; and the realms that a client came by (RFC 4120 §3.3.3, RFC 6806 §8). @module */
import { KrbError } from '../krb5/errors.ts'
import { nameTypes } from '../krb5/messages/codes.ts'
import type { KdcReqBody } from '../krb5/messages/kdc.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import {
  formatPrincipal,
  grantedRealm,
  type Principal,
  parsePrincipal,
  principalOf,
  ticketGrantingService,
} from '../krb5/names.ts'
import { decodeTransited, encodeTransited, mayTransit, realmPath } from '../krb5/transited.ts'
import type { PrincipalRecord } from './database.ts'
import type { Flag } from './policy.ts'
import type { Presented } from './presented.ts'
import type { Kdc } from './request.ts'

/** What a ticket will be for. */
export interface Target {
  readonly service: PrincipalRecord
  /** Whether it is the ticket-granting service of another realm. */
  readonly referral: boolean
  /** Whether the ticket names the service as the database does, not as it was asked for. */
  readonly canonical: boolean
}

/** Finds what a TGS-REQ asks for, or who knows it. Throws KrbError KDC_ERR_S_PRINCIPAL_UNKNOWN. */
export function findTarget(body: KdcReqBody, kdc: Kdc): Target {
  const { sname, realm, kdcOptions } = body
  if (!sname) throw new KrbError('KDC_ERR_S_PRINCIPAL_UNKNOWN', 'the request names no service')
  const principal = principalOf(sname, realm)
  // Keys that other realms share with this one are in the database as well: no ticket of theirs is made here.
  if (realm !== kdc.realm) throw unknown(principal)
  const found = kdc.database.lookup(principal)
  if (found) {
    const granted = grantedRealm(found.principal)
    return { service: found, referral: granted !== undefined && granted !== kdc.realm, canonical: false }
  }
  const named = sname.nameType === nameTypes.enterprise ? ofEnterprise(principal) : undefined
  const own = named && kdc.database.lookup(named)
  if (own && named.realm === kdc.realm) return { service: own, referral: false, canonical: true }
  const other =
    named?.realm ?? grantedRealm(principal) ?? (kdcOptions.has('canonicalize') ? ofHost(principal, kdc) : '')
  const service = other === '' || other === kdc.realm ? undefined : onTheWay(other, kdc)
  if (!service) throw unknown(principal)
  return { service, referral: true, canonical: true }
}

const unknown = (principal: Principal) =>
  new KrbError('KDC_ERR_S_PRINCIPAL_UNKNOWN', `no ${formatPrincipal(principal)} here`)

/** The name that an enterprise one spells: `svc@OTHER.TEST` in a single component (RFC 6806 §5); undefined for what spells none. */
export function ofEnterprise({ components, realm }: Principal): Principal | undefined {
  if (components.length !== 1) return undefined
  try {
    return parsePrincipal(components[0]!, { realm })
  } catch (error) {
    if (error instanceof TypeError || error instanceof KrbError) return undefined
    throw error
  }
}

const ofHost = ({ components }: Principal, { realmOfHost }: Kdc): string =>
  (components.length === 2 && realmOfHost?.(components[1]!)) || ''

/** The ticket-granting service of `realm`, or of the nearest to it that a key is shared with (RFC 4120 §3.3.3); undefined for no way. */
export function onTheWay(realm: string, { realm: own, database, env }: Kdc): PrincipalRecord | undefined {
  const way = [...realmPath(env, own, realm), realm].reverse()
  for (const next of way) {
    const service = database.lookup(ticketGrantingService(next, own))
    if (service && next !== own) return service
  }
  return undefined
}

/**
 * The realms that the new ticket went through: with the one that issued the ticket shown, where that is another
 * (§3.3.3.2); and whether they were held against the policy. Throws KrbError KDC_ERR_PATH_NOT_ACCEPTED, unless the client
 * asks for the service to decide.
 */
export function transitOf(
  { principal, granting }: Pick<Presented, 'principal' | 'granting'>,
  { basis, by }: { readonly basis: Pick<EncTicketPart, 'crealm' | 'transited'>; readonly by?: string | undefined },
  { kdcOptions }: KdcReqBody,
  { realm, env }: Kdc,
): Pick<EncTicketPart, 'transited'> & { readonly flags: readonly Flag[] } {
  const ends = { client: basis.crealm, server: realm }
  const before = decodeTransited(basis.transited, ends)
  if (!before) throw new KrbError('KDC_ERR_TRTYPE_NOSUPP', 'the realms that the ticket went through cannot be read')
  const via = granting ? principal.realm : realm
  const added = via === realm || via === basis.crealm || before.includes(via) ? [] : [via]
  const transited = added.length > 0 ? encodeTransited([...before, ...added]) : basis.transited
  const isAccepted = mayTransit(env, transited, ends) || isBrought([...before, ...added], by, ends, env)
  if (isAccepted && !kdcOptions.has('disableTransitedCheck')) return { transited, flags: ['transitedPolicyChecked'] }
  if (!kdcOptions.has('disableTransitedCheck'))
    throw new KrbError(
      'KDC_ERR_PATH_NOT_ACCEPTED',
      `tickets of ${basis.crealm} must not come by ${[...before, ...added]}`,
    )
  return { transited, flags: [] }
}

/** A user whom a service of another realm brings comes by that realm, wherever the user lives: it is trusted by its name. */
function isBrought(
  realms: readonly string[],
  by: string | undefined,
  { client, server }: { readonly client: string; readonly server: string },
  env: Kdc['env'],
): boolean {
  if (by === undefined) return false
  const others = encodeTransited(realms.filter((realm) => realm !== by))
  return mayTransit(env, others, { client, server: by }) || mayTransit(env, others, { client: by, server })
}
