/** Tickets that clients show to the KDC, in a TGS-REQ or as armor (RFC 4120 §3.2.3, §3.3.3). @module */
import type { Key } from '../crypto/key.ts'
import type { Secrets } from '../crypto/secrets.ts'
import { isAmong } from '../krb5/addresses.ts'
import { CLOCK_SKEW, seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import type { ApReq, Authenticator } from '../krb5/messages/ap.ts'
import type { EncTicketPart, Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal, grantedRealm, type Principal, principalOf, sameComponents } from '../krb5/names.ts'
import { keyOf } from '../krb5/reading.ts'
import { type Sealed, sealedTicket } from '../krb5/sealed.ts'
import type { Kdc } from './request.ts'

/** A ticket out of its seal. */
export interface OpenedTicket {
  readonly ticket: EncTicketPart
  /** Whether it is a ticket-granting one of this realm. */
  readonly granting: boolean
  /** Whose key opened it. */
  readonly principal: Principal
  readonly openedWith: Key
}

/** A ticket and what proves that its owner shows it. */
export interface Presented {
  readonly tgt: EncTicketPart
  readonly sessionKey: Key
  readonly authenticator: Authenticator
  /** The authenticator's. */
  readonly subkey: Key | undefined
  readonly granting: boolean
  /** Whose key opened the ticket. */
  readonly principal: Principal
  readonly openedWith: Key
}

/** Opens a ticket that this KDC issued, or that a realm which it shares a key with did. Throws KrbError. */
export function openTicket({ realm, sname, encPart }: Ticket, { realm: own, database }: Kdc): OpenedTicket {
  const principal = principalOf(sname, realm)
  const granting = grantedRealm(principal) === own
  const record = database.lookup(principal)
  const key = record?.keys.find(({ enctype }) => enctype.id === encPart.etype)
  if (!record || !key)
    throw new KrbError('KRB_AP_ERR_NOT_US', `no key here opens a ticket for ${formatPrincipal(principal)}`)
  if (encPart.kvno !== undefined && encPart.kvno !== record.kvno)
    throw new KrbError('KRB_AP_ERR_BADKEYVER', `key version ${encPart.kvno} is gone`)
  const ticket = sealedTicket.open(key, encPart, 'KRB_AP_ERR_BAD_INTEGRITY')
  return { ticket, granting, principal: record.principal, openedWith: key }
}

/**
 * Checks an AP-REQ of which the authenticator is `sealed`: ticket ours and valid now, authenticator its owner's and of
 * now. With `toValidate`, the ticket may be one that is not valid yet. Throws KrbError.
 */
export function openPresented(
  request: ApReq,
  sealed: Sealed<Authenticator>,
  kdc: Kdc,
  secrets: Secrets,
  toValidate = false,
): Presented {
  const { env } = kdc
  const { ticket: tgt, ...opened } = openTicket(request.ticket, kdc)
  const sessionKey = secrets.keep(keyOf(tgt.key, env, { step: 'TGS-REQ' }, 'session key'))
  const authenticator = sealed.open(sessionKey, request.authenticator, 'KRB_AP_ERR_BAD_INTEGRITY')
  if (authenticator.crealm !== tgt.crealm || !sameComponents(authenticator.cname.nameString, tgt.cname.nameString))
    throw new KrbError('KRB_AP_ERR_BADMATCH', 'the ticket is not the one of whoever asks')
  const now = env.now()
  if (Math.abs(authenticator.ctime * 1e6 + authenticator.cusec - now) > CLOCK_SKEW)
    throw new KrbError('KRB_AP_ERR_SKEW', 'the authenticator is not of now')
  if (tgt.endtime < seconds(now - CLOCK_SKEW))
    throw new KrbError('KRB_AP_ERR_TKT_EXPIRED', 'the ticket shown has expired')
  if ((tgt.flags.has('invalid') && !toValidate) || (tgt.starttime ?? tgt.authtime) > seconds(now + CLOCK_SKEW))
    throw new KrbError('KRB_AP_ERR_TKT_NYV', 'the ticket shown is not valid yet')
  if (kdc.sender && tgt.caddr?.length && !isAmong(tgt.caddr, kdc.sender))
    throw new KrbError('KRB_AP_ERR_BADADDR', 'the ticket shown is good from other addresses')
  const subkey = authenticator.subkey && secrets.keep(keyOf(authenticator.subkey, env, { step: 'TGS-REQ' }, 'subkey'))
  return { tgt, sessionKey, authenticator, subkey, ...opened }
}
