/** Tickets that clients show to the KDC, in a TGS-REQ or as armor (RFC 4120 §3.2.3, §3.3.3). @module */
import type { Key } from '../crypto/key.ts'
import type { Secrets } from '../crypto/secrets.ts'
import { isAmong } from '../krb5/addresses.ts'
import { CLOCK_SKEW, type Env, seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import type { OpenedTickets, OpenedTicket as Remembering } from '../krb5/exchanges/opened.ts'
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

/** Who can open a ticket. */
type Opener = Pick<OpenedTicket, 'granting' | 'principal' | 'openedWith'>

/** The key here that a ticket names. Throws KrbError. */
function openerOf({ realm, sname, encPart }: Ticket, { realm: own, database }: Kdc): Opener {
  const principal = principalOf(sname, realm)
  const granting = grantedRealm(principal) === own
  const record = database.lookup(principal)
  const openedWith = record?.keys.find(({ enctype }) => enctype.id === encPart.etype)
  if (!record || !openedWith)
    throw new KrbError('KRB_AP_ERR_NOT_US', `no key here opens a ticket for ${formatPrincipal(principal)}`)
  if (encPart.kvno !== undefined && encPart.kvno !== record.kvno)
    throw new KrbError('KRB_AP_ERR_BADKEYVER', `key version ${encPart.kvno} is gone`)
  return { granting, principal: record.principal, openedWith }
}

/** Opens a ticket that this KDC issued, or that a realm which it shares a key with did. Throws KrbError. */
export function openTicket(sealed: Ticket, kdc: Kdc): OpenedTicket {
  const opener = openerOf(sealed, kdc)
  return { ticket: sealedTicket.open(opener.openedWith, sealed.encPart, 'KRB_AP_ERR_BAD_INTEGRITY'), ...opener }
}

/**
 * Checks an AP-REQ of which the authenticator is `sealed`: ticket ours and valid now, authenticator its owner's and of
 * now. With `toValidate`, the ticket may be one that is not valid yet. Throws KrbError.
 */
export function openPresented(
  { ticket, authenticator: proof }: ApReq,
  sealed: Sealed<Authenticator>,
  kdc: Kdc,
  secrets: Secrets,
  toValidate = false,
): Presented {
  const { env } = kdc
  const { tickets } = kdc.remembered
  const { cipher } = ticket.encPart
  const opener = openerOf(ticket, kdc)
  const { openedWith } = opener
  const known = tickets.take(cipher, [openedWith])
  const opened = known ?? newlyOpened(ticket, openedWith, env)
  const { part: tgt, sessionKey } = opened
  let authenticator: Authenticator
  try {
    authenticator = sealed.open(sessionKey, proof, 'KRB_AP_ERR_BAD_INTEGRITY')
    requireMatch(tgt, authenticator)
  } catch (error) {
    if (known) tickets.release(known)
    else sessionKey[Symbol.dispose]()
    throw error
  }
  // Its holder has proved to have the session key.
  const held = known ?? tickets.keep(opened)
  secrets.keep(new Use(tickets, held))
  requireCurrent(tgt, authenticator, kdc, toValidate)
  const subkey = authenticator.subkey && secrets.keep(keyOf(authenticator.subkey, env, { step: 'TGS-REQ' }, 'subkey'))
  const { granting, principal } = opener
  return { tgt, sessionKey, authenticator, subkey, granting, principal, openedWith }
}

/** A remembered ticket while a request is about it. */
class Use implements Disposable {
  readonly #tickets: OpenedTickets<Key>
  readonly #held: Remembering<Key>

  constructor(tickets: OpenedTickets<Key>, held: Remembering<Key>) {
    this.#tickets = tickets
    this.#held = held
  }

  [Symbol.dispose](): void {
    this.#tickets.release(this.#held)
  }
}

function newlyOpened({ encPart }: Ticket, serviceKey: Key, env: Env): Remembering<Key> {
  const part = sealedTicket.open(serviceKey, encPart, 'KRB_AP_ERR_BAD_INTEGRITY')
  const sessionKey = keyOf(part.key, env, { step: 'TGS-REQ' }, 'session key')
  return { cipher: encPart.cipher, part, serviceKey, sessionKey }
}

function requireMatch(tgt: EncTicketPart, { crealm, cname }: Authenticator): void {
  if (crealm !== tgt.crealm || !sameComponents(cname.nameString, tgt.cname.nameString))
    throw new KrbError('KRB_AP_ERR_BADMATCH', 'the ticket is not the one of whoever asks')
}

/** What has to be looked at however often the ticket was shown before. */
function requireCurrent(
  tgt: EncTicketPart,
  { ctime, cusec }: Authenticator,
  { env, origin }: Kdc,
  toValidate: boolean,
): void {
  const now = env.now()
  if (Math.abs(ctime * 1e6 + cusec - now) > CLOCK_SKEW)
    throw new KrbError('KRB_AP_ERR_SKEW', 'the authenticator is not of now')
  if (tgt.endtime < seconds(now - CLOCK_SKEW))
    throw new KrbError('KRB_AP_ERR_TKT_EXPIRED', 'the ticket shown has expired')
  if ((tgt.flags.has('invalid') && !toValidate) || (tgt.starttime ?? tgt.authtime) > seconds(now + CLOCK_SKEW))
    throw new KrbError('KRB_AP_ERR_TKT_NYV', 'the ticket shown is not valid yet')
  if (tgt.caddr?.length && origin && !isAmong(tgt.caddr, origin.sender))
    throw new KrbError('KRB_AP_ERR_BADADDR', 'the ticket shown is good from other addresses')
}
