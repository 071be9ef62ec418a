/** What a ticket gets of what was asked for: flags, times, enctypes (RFC 4120 §3.1.3, §3.3.3). @module */
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { CLOCK_SKEW, type Env, seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import type { KdcReqBody } from '../krb5/messages/kdc.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import { formatPrincipal } from '../krb5/names.ts'
import type { PrincipalRecord } from './database.ts'

/** A ticket's flag. */
export type Flag = EncTicketPart['flags'] extends ReadonlySet<infer F> ? F : never

/** Times of a ticket, in seconds since the epoch. */
export type TicketTimes = Pick<EncTicketPart, 'authtime' | 'starttime' | 'endtime' | 'renewTill'>

/** The limits that times are held to. */
export interface Limits {
  readonly maxLife: number
  readonly maxRenewLife: number
}

/** The smaller of the limits of all who are concerned. */
export const limitsOf = (...records: readonly Limits[]): Limits => ({
  maxLife: Math.min(...records.map(({ maxLife }) => maxLife)),
  maxRenewLife: Math.min(...records.map(({ maxRenewLife }) => maxRenewLife)),
})

/**
 * Refuses accounts that are locked or have ended (RFC 4120 §3.1.3), and passwords that have expired, unless the ticket
 * is for changing them. Throws KrbError.
 */
export function requireUsable(
  record: PrincipalRecord,
  side: 'client' | 'service',
  now: number,
  changesPasswords = false,
): void {
  const name = formatPrincipal(record.principal)
  const client = side === 'client'
  if (record.locked)
    throw new KrbError(client ? 'KDC_ERR_CLIENT_REVOKED' : 'KDC_ERR_SERVICE_REVOKED', `${name} is locked`)
  if (record.expires !== undefined && record.expires <= now)
    throw new KrbError(client ? 'KDC_ERR_NAME_EXP' : 'KDC_ERR_SERVICE_EXP', `${name} has expired`)
  if (client && !changesPasswords && record.passwordExpires !== undefined && record.passwordExpires <= now)
    throw new KrbError('KDC_ERR_KEY_EXPIRED', `the password of ${name} has expired`)
}

/** The enctype of the session key: the client's first that the KDC speaks and the service has a key of. */
export function sessionEnctype(
  { etype }: KdcReqBody,
  service: PrincipalRecord,
  { enctypes }: Pick<Env, 'enctypes'>,
): Enctype {
  const had = service.keys.map(({ enctype }) => enctype.id)
  for (const id of etype) {
    const enctype = enctypes.find((candidate) => candidate.id === id)
    if (enctype && had.includes(id)) return enctype
  }
  throw new KrbError(
    'KDC_ERR_ETYPE_NOSUPP',
    `${formatPrincipal(service.principal)} has no enctype in common with the request`,
  )
}

/** What a ticket may have besides what is asked for. */
export interface Permissions {
  readonly renewable: boolean
  readonly postdatable: boolean
}

/**
 * The times of a new ticket: from now on, or from a later time that was asked for with POSTDATED (RFC 4120 §3.1.3). Throws
 * KrbError for one that may not begin later, or would never be valid.
 */
export function grantTimes(
  body: KdcReqBody,
  { maxLife, maxRenewLife }: Limits,
  { renewable, postdatable }: Permissions,
  env: Pick<Env, 'now'>,
): TicketTimes {
  const now = seconds(env.now())
  const starttime = grantStart(body, postdatable, now)
  const wanted = body.till === 0 ? Number.POSITIVE_INFINITY : body.till
  if (wanted <= starttime) throw new KrbError('KDC_ERR_NEVER_VALID', 'the ticket would end before it begins')
  const endtime = Math.min(wanted, starttime + maxLife)
  // RENEWABLE-OK: a renewable ticket will do where the life asked for is not to be had (RFC 4120 §5.4.1)
  const asked = body.kdcOptions.has('renewable')
  const instead = body.kdcOptions.has('renewableOk') && endtime < wanted
  if (!renewable || !(asked || instead)) return { authtime: now, starttime, endtime }
  const until = asked ? body.rtime || Number.POSITIVE_INFINITY : wanted
  return { authtime: now, starttime, endtime, renewTill: Math.min(until, starttime + maxRenewLife) }
}

function grantStart({ from = 0, kdcOptions }: KdcReqBody, postdatable: boolean, now: number): number {
  if (!kdcOptions.has('postdated')) {
    if (from > now + seconds(CLOCK_SKEW))
      throw new KrbError('KDC_ERR_CANNOT_POSTDATE', 'a later start needs the option POSTDATED')
    return now
  }
  if (!postdatable) throw new KrbError('KDC_ERR_CANNOT_POSTDATE', 'the ticket may not begin later than now')
  return Math.max(from, now)
}

/** Flags of a ticket that may begin later, or does: such a one must be validated first (RFC 4120 §2.4). */
export function postdateFlags(
  { kdcOptions }: KdcReqBody,
  { authtime, starttime }: TicketTimes,
  { postdatable }: Pick<Permissions, 'postdatable'>,
  now: number = authtime,
): readonly Flag[] {
  return [
    ...(postdatable && kdcOptions.has('allowPostdate') ? (['mayPostdate'] as const) : []),
    ...(kdcOptions.has('postdated') && (starttime ?? authtime) > now ? (['postdated', 'invalid'] as const) : []),
  ]
}
