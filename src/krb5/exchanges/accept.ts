import { decode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import { enctypeName, enctypeRefusal } from '../../crypto/enctypes/table.ts'
import type { Key } from '../../crypto/key.ts'
import { sameAddress } from '../addresses.ts'
import type { Credential, ServiceKey } from '../credential.ts'
import { type Env, seconds, skewOf } from '../env.ts'
import type { KrbErrorCode } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import { ApReq, type Authenticator } from '../messages/ap.ts'
import type { HostAddress } from '../messages/basics.ts'
import type { EncTicketPart, Ticket } from '../messages/ticket.ts'
import { formatPrincipal, grantedRealm, type Principal, principalOf, sameComponents } from '../names.ts'
import { askKrb, type KrbExchange } from '../questions.ts'
import { keyOf } from '../reading.ts'
import { sealedAuthenticator, sealedTicket } from '../sealed.ts'
import { mayTransit } from '../transited.ts'
import type { OpenedTicket, OpenedTickets } from './opened.ts'

/** Who accepts. */
export interface Acceptor {
  /** Every key there is; the ticket picks. */
  readonly keys: readonly ServiceKey[]
  /** The only name to accept as; any that there is a key of unless said. An empty realm stands for any. */
  readonly principal?: Principal | undefined
  /**
   * Tickets of the acceptor's own: the session keys of its ticket-granting ones open user-to-user tickets (RFC 4120
   * §2.9.2), which are refused unless there are any.
   */
  readonly ownTickets?: readonly Credential[] | undefined
  /** The initiator's address, where it is known: tickets that name addresses are good from those alone (RFC 4120 §3.2.3). */
  readonly peerAddress?: HostAddress | undefined
  /** Tickets that need not be opened anew; none unless said. */
  readonly opened?: OpenedTickets | undefined
  /** The name of the replay cache; the world's own unless said. */
  readonly replayCache?: string | undefined
}

/** A client that proved itself. Disposing of it wipes the keys. */
export interface Accepted extends Disposable {
  readonly client: Principal
  /** Whose key opened the ticket: the name in the ticket's clear part proves nothing. */
  readonly server: Principal
  /** The acceptor's own key that opened the ticket: what verifies the KDC's statements inside (`kerb/krb5/pac`). */
  readonly serverKey: Key
  readonly ticket: EncTicketPart
  /** The ticket as it came: what the acceptor shows its KDC to act for the client (MS-SFU §3.1.5.2). */
  readonly sealed: Ticket
  readonly authenticator: Authenticator
  readonly sessionKey: Key
  /** The initiator's; undefined when it sent none. */
  readonly subkey: Key | undefined
  readonly mutualRequired: boolean
}

/** Checks an AP-REQ in the order of RFC 4120 §3.2.3, the replay last. Throws KrbError with a code to send back. */
export function* acceptAp(message: Uint8Array, given: Acceptor, env: Env): KrbExchange<Accepted> {
  const { apOptions, ticket: sealed, authenticator: proof } = wellFormed(() => decode(ApReq, message))
  const acceptor = apOptions.has('useSessionKey') ? userToUser(given, env) : given
  let opened = remembered(sealed, acceptor, env)
  const isNew = opened === undefined
  opened ??= openTicket(sealed, acceptor, env)
  const { part: ticket, serviceKey, sessionKey } = opened
  const { principal: server, key: serverKey } = serviceKey
  const client = principalOf(ticket.cname, ticket.crealm)
  let held: Accepted | undefined
  try {
    const authenticator = wellFormed(() => sealedAuthenticator.open(sessionKey, proof, 'KRB_AP_ERR_BAD_INTEGRITY'))
    if (
      authenticator.crealm !== ticket.crealm ||
      !sameComponents(authenticator.cname.nameString, ticket.cname.nameString)
    )
      throw refusal('KRB_AP_ERR_BADMATCH', `the ticket is ${formatPrincipal(client)}'s, the authenticator is not`)
    checkAddress(ticket, acceptor, client)
    checkTimes(ticket, authenticator, client, env)
    checkTransited(ticket, server, env)
    const subkey = authenticator.subkey && keyOf(authenticator.subkey, env, { step: 'AP-REQ' }, 'subkey')
    if (isNew) opened = acceptor.opened?.keep(opened) ?? opened
    held = {
      client,
      server,
      serverKey,
      ticket,
      sealed,
      authenticator,
      sessionKey,
      subkey,
      mutualRequired: apOptions.has('mutualRequired'),
      [Symbol.dispose]: releasing(opened, subkey, acceptor.opened),
    }
    const names = { client: formatPrincipal(client), server: formatPrincipal(server) }
    const seen = yield* askKrb('replay', {
      client: names.client,
      server: names.server,
      time: authenticator.ctime * 1e6 + authenticator.cusec,
      tag: proof.cipher.slice(-sessionKey.enctype.checksumSize),
      now: env.now(),
      cache: acceptor.replayCache,
    })
    if (seen) throw refusal('KRB_AP_ERR_REPEAT', `${names.client} sent this very AP-REQ before`)
    env.trace?.({ kind: 'accept', ...names, enctype: sessionKey.enctype.name })
    return held
  } catch (error) {
    if (held) held[Symbol.dispose]()
    else if (isNew) sessionKey[Symbol.dispose]()
    else acceptor.opened?.release(opened)
    throw error
  }
}

/** Who accepts with session keys in place of long-term ones; a ticket that came so is for no other key (RFC 4120 §3.2.3). */
function userToUser(
  { ownTickets = [], principal, peerAddress, replayCache }: Acceptor,
  { now }: Pick<Env, 'now'>,
): Acceptor {
  const keys = ownTickets
    .filter(({ server, endtime }) => grantedRealm(server) !== undefined && endtime > seconds(now()))
    .map(({ client, key }) => ({ principal: client, key, kvno: 0 }))
  if (keys.length === 0) throw refusal('KRB_AP_ERR_NOKEY', 'user-to-user tickets are not accepted here')
  return { keys, principal, peerAddress, replayCache }
}

/** A ticket that was opened before, where it would be opened again: by the same key, name and enctypes. */
function remembered({ encPart }: Ticket, acceptor: Acceptor, { enctypes }: Env): OpenedTicket | undefined {
  const { opened } = acceptor
  const known = opened?.take(encPart.cipher, keysIn(acceptor))
  if (!opened || !known) return undefined
  const allowed = ({ enctype }: Key) => enctypes.some(({ id }) => id === enctype.id)
  if (allowed(known.serviceKey.key) && allowed(known.sessionKey)) return known
  opened.release(known)
  return undefined
}

/** The keys of the name to accept as. */
const keysIn = ({ keys, principal }: Acceptor): readonly ServiceKey[] =>
  principal
    ? keys.filter(
        (key) =>
          sameComponents(key.principal.components, principal.components) &&
          (!principal.realm || key.principal.realm === principal.realm),
      )
    : keys

/** Wipes the keys of an accepted client, or gives a ticket back to those that are remembered; once. */
function releasing(opened: OpenedTicket, subkey: Key | undefined, tickets: OpenedTickets | undefined): () => void {
  let released = false
  return () => {
    if (!tickets) opened.sessionKey[Symbol.dispose]()
    else if (!released) tickets.release(opened)
    released = true
    subkey?.[Symbol.dispose]()
  }
}

const refusal = (code: KrbErrorCode, what: string, cause?: unknown) =>
  new KrbError(code, what, { step: 'AP-REQ', cause })

function wellFormed<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error
    throw refusal('KRB_AP_ERR_MSG_TYPE', `not a well-formed AP-REQ (${error.message})`, error)
  }
}

/** The key of the version that the ticket names is tried first, then every other one that could be meant. */
function openTicket({ realm, sname, encPart }: Ticket, acceptor: Acceptor, env: Env): OpenedTicket {
  const named = () => formatPrincipal(principalOf(sname, realm))
  const ours = keysIn(acceptor)
  const sameName = ({ principal: own }: ServiceKey) =>
    own.realm === realm && sameComponents(own.components, sname.nameString)
  if (!env.enctypes.some(({ id }) => id === encPart.etype))
    throw refusal(
      'KRB_AP_ERR_NOKEY',
      `the ticket for ${named()} is ${enctypeName(encPart.etype)}, which is refused: ${enctypeRefusal(encPart.etype)}`,
    )
  const candidates = ours.filter(({ key }) => key.enctype.id === encPart.etype)
  const rank = (key: ServiceKey) => (sameName(key) ? 0 : 2) + (key.kvno === encPart.kvno ? 0 : 1)
  for (const candidate of candidates.length > 1 ? [...candidates].sort((a, b) => rank(a) - rank(b)) : candidates) {
    let part: EncTicketPart
    try {
      part = sealedTicket.open(candidate.key, encPart)
    } catch (error) {
      if (error instanceof Asn1Error)
        throw refusal('KRB_AP_ERR_MSG_TYPE', `the ticket holds no EncTicketPart (${error.message})`, error)
      if (!(error instanceof KrbError)) throw error
      continue
    }
    const sessionKey = keyOf(part.key, env, { step: 'AP-REQ' }, 'session key')
    return { cipher: encPart.cipher, part, serviceKey: candidate, sessionKey }
  }
  const whose = ours.filter(sameName)
  if (whose.length === 0) throw refusal('KRB_AP_ERR_NOKEY', `no key of ${named()} here${knownNames(ours)}`)
  const kvno = encPart.kvno ?? 'unnamed'
  if (!whose.some(({ key }) => key.enctype.id === encPart.etype))
    throw refusal('KRB_AP_ERR_NOKEY', `no ${enctypeName(encPart.etype)} key of ${named()} here`)
  if (encPart.kvno !== undefined && !whose.some((key) => key.kvno === encPart.kvno))
    throw refusal('KRB_AP_ERR_BADKEYVER', `no key of version ${kvno} of ${named()} here`)
  throw refusal('KRB_AP_ERR_MODIFIED', `the ticket does not open with our key (version ${kvno}) of ${named()}`)
}

/** Most names that a message lists. */
const MAX_NAMES = 5

function knownNames(keys: readonly ServiceKey[]): string {
  const names = [...new Set(keys.map(({ principal }) => formatPrincipal(principal)))]
  if (names.length === 0) return ', nor any other'
  return `, only of ${names.slice(0, MAX_NAMES).join(', ')}${names.length > MAX_NAMES ? ' …' : ''}`
}

/** The service decides where its KDC has not (RFC 4120 §2.7, §3.2.3). */
function checkTransited({ flags, crealm, transited }: EncTicketPart, server: Principal, env: Env): void {
  if (flags.has('transitedPolicyChecked') || mayTransit(env, transited, { client: crealm, server: server.realm }))
    return
  throw refusal('KRB_AP_PATH_NOT_ACCEPTED', `the ticket of ${crealm} came by realms that are not on the way`)
}

function checkAddress({ caddr = [] }: EncTicketPart, { peerAddress }: Acceptor, client: Principal): void {
  if (!peerAddress || caddr.length === 0 || caddr.some((address) => sameAddress(address, peerAddress))) return
  throw refusal('KRB_AP_ERR_BADADDR', `the ticket of ${formatPrincipal(client)} is for other addresses`)
}

function checkTimes(ticket: EncTicketPart, { ctime, cusec }: Authenticator, client: Principal, env: Env): void {
  const now = env.now()
  const difference = ctime * 1e6 + cusec - now
  const who = () => formatPrincipal(client)
  if (Math.abs(difference) > skewOf(env))
    throw refusal('KRB_AP_ERR_SKEW', `the clock of ${who()} is ${Math.round(difference / 1e6)} s ahead of ours`)
  if (ticket.flags.has('invalid') || (ticket.starttime ?? ticket.authtime) > seconds(now + skewOf(env)))
    throw refusal('KRB_AP_ERR_TKT_NYV', `the ticket of ${who()} is not valid yet`)
  if (ticket.endtime < seconds(now - skewOf(env)))
    throw refusal('KRB_AP_ERR_TKT_EXPIRED', `the ticket of ${who()} has expired`)
}
