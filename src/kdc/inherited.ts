/** What tickets that are bought with others, renewed or validated, have of them (RFC 4120 §3.3.3). @module */
import { seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import type { KdcReqBody } from '../krb5/messages/kdc.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import type { PrincipalRecord } from './database.ts'
import { type Flag, grantTimes, limitsOf, postdateFlags, type TicketTimes } from './policy.ts'
import type { Kdc } from './request.ts'

/** The times of what is asked for: a ticket bought, renewed, or validated, which keeps its own. */
export function timesOf(tgt: EncTicketPart, body: KdcReqBody, service: PrincipalRecord, kdc: Kdc): TicketTimes {
  if (body.kdcOptions.has('renew')) return renewedTimes(tgt, kdc)
  if (body.kdcOptions.has('validate')) return validatedTimes(tgt, kdc)
  return boughtTimes(tgt, body, service, kdc)
}

/** A postdated ticket whose time has come (RFC 4120 §2.4, §3.3.3). */
function validatedTimes(
  { flags, authtime, starttime = authtime, endtime, renewTill }: EncTicketPart,
  { env }: Kdc,
): TicketTimes {
  if (!flags.has('invalid')) throw new KrbError('KDC_ERR_BADOPTION', 'the ticket needs no validation')
  if (starttime > seconds(env.now())) throw new KrbError('KRB_AP_ERR_TKT_NYV', 'the time of the ticket has not come')
  return { authtime, starttime, endtime, ...(renewTill === undefined ? {} : { renewTill }) }
}

/** A renewed ticket lives as long as the old one did, within what it is renewable for (RFC 4120 §3.3.3). */
function renewedTimes(tgt: EncTicketPart, { env }: Kdc): TicketTimes {
  const now = seconds(env.now())
  if (!tgt.flags.has('renewable') || tgt.renewTill === undefined)
    throw new KrbError('KDC_ERR_BADOPTION', 'the ticket is not renewable')
  if (tgt.renewTill <= now) throw new KrbError('KRB_AP_ERR_TKT_EXPIRED', 'the ticket can no longer be renewed')
  const life = tgt.endtime - (tgt.starttime ?? tgt.authtime)
  return {
    authtime: tgt.authtime,
    starttime: now,
    endtime: Math.min(now + life, tgt.renewTill),
    renewTill: tgt.renewTill,
  }
}

/** A ticket bought with another ends no later than that one. */
function boughtTimes(
  tgt: EncTicketPart,
  body: KdcReqBody,
  service: PrincipalRecord,
  { env, limits }: Kdc,
): TicketTimes {
  const { authtime } = tgt
  const { starttime, endtime, renewTill } = grantTimes(
    body,
    limitsOf(limits, service),
    {
      renewable: tgt.flags.has('renewable') && service.renewable,
      postdatable: tgt.flags.has('mayPostdate') && service.postdatable,
    },
    env,
  )
  const times = { authtime, starttime, endtime: Math.min(endtime, tgt.endtime) }
  if (renewTill === undefined || tgt.renewTill === undefined) return times
  return { ...times, renewTill: Math.min(renewTill, tgt.renewTill) }
}

const kept = ['preAuthent', 'hwAuthent', 'anonymous'] as const
const asked = ['forwardable', 'proxiable'] as const

/** Flags that a ticket inherits, if they are asked for and allowed (RFC 4120 §3.3.3). */
export function flagsFor(
  body: KdcReqBody,
  tgt: Pick<EncTicketPart, 'flags'>,
  service: PrincipalRecord,
  times: TicketTimes,
  now: number,
): Set<Flag> {
  const { kdcOptions } = body
  const again = kdcOptions.has('renew') || kdcOptions.has('validate')
  if (again) return new Set([...tgt.flags].filter((flag) => flag !== 'invalid' && flag !== 'encPaRep'))
  const flags = new Set<Flag>()
  for (const flag of kept) if (tgt.flags.has(flag)) flags.add(flag)
  const require = (option: 'forwarded' | 'proxy', flag: 'forwardable' | 'proxiable') => {
    if (!kdcOptions.has(option)) return
    if (!tgt.flags.has(flag)) throw new KrbError('KDC_ERR_BADOPTION', `the ticket shown is not ${flag}`)
    flags.add(option)
  }
  require('forwarded', 'forwardable')
  require('proxy', 'proxiable')
  if (tgt.flags.has('forwarded')) flags.add('forwarded')
  for (const flag of asked) if (kdcOptions.has(flag) && tgt.flags.has(flag) && service.forwardable) flags.add(flag)
  const postdatable = tgt.flags.has('mayPostdate') && service.postdatable
  for (const flag of postdateFlags(body, times, { postdatable }, now)) flags.add(flag)
  if (times.renewTill !== undefined) flags.add('renewable')
  if (service.okAsDelegate) flags.add('okAsDelegate')
  return flags
}

/** Other addresses than the ticket's only for a forwarded or proxy ticket (RFC 4120 §3.3.3). */
export function addressesFor({ kdcOptions, addresses }: KdcReqBody, { caddr }: EncTicketPart): EncTicketPart['caddr'] {
  const own = kdcOptions.has('forwarded') || kdcOptions.has('proxy') ? addresses : caddr
  return own?.length ? own : undefined
}
