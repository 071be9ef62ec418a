/** Tickets that a service asks for in the name of a user (MS-SFU §3.2.5): who may have them, and what they are made of. @module */
import { decode } from '../asn1/codec.ts'
import { seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { paS4uX509User, readForUser, readS4uX509User } from '../krb5/exchanges/s4upadata.ts'
import type { PaData } from '../krb5/messages/basics.ts'
import { nameTypes, paTypes } from '../krb5/messages/codes.ts'
import type { KdcReqBody } from '../krb5/messages/kdc.ts'
import { PaPacOptions } from '../krb5/messages/pac.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import { formatPrincipal, type Principal, principalNameOf, principalOf, samePrincipal } from '../krb5/names.ts'
import { accountByCertificate, accountOf, knownAccount } from './accounts.ts'
import type { PrincipalRecord } from './database.ts'
import { type Sealing, withDelegatedPac, withForeignPac, withPac, withPacOf } from './pac.ts'
import { requireUsable } from './policy.ts'
import { openTicket, type Presented } from './presented.ts'
import type { Target } from './realms.ts'
import type { Kdc } from './request.ts'

/** A request, as far as it says in whose name it is. */
export interface Asked {
  readonly body: KdcReqBody
  readonly padata: readonly PaData[]
  readonly presented: Presented
}

/** What a new ticket is made of: that of whoever asks, unless it is in the name of another. */
export interface Subject {
  readonly crealm: string
  readonly cname: EncTicketPart['cname']
  /** Whose authtime, transited realms, flags and authorization data it has. */
  readonly basis: EncTicketPart
  readonly withPac: (ticket: EncTicketPart, sealing: Sealing) => EncTicketPart
  /** What the reply says besides. */
  readonly padata: readonly PaData[]
  /** The realm of a service that brings the user here, where that is another one. */
  readonly by?: string | undefined
}

/** In whose name a ticket is asked for. Throws KrbError when that is not for whoever asks to have. */
export function subjectOf(asked: Asked, target: Target, kdc: Kdc): Subject {
  const { body, presented } = asked
  const { tgt } = presented
  const self = impersonated(asked, kdc)
  const proxy = body.kdcOptions.has('cnameInAddlTkt')
  if (self && proxy) throw new KrbError('KDC_ERR_BADOPTION', 'S4U2Self and S4U2Proxy in one request')
  if (self) return selfSubject(self, asked, target, kdc)
  if (proxy) return proxySubject(asked, target, kdc)
  const { crealm, cname } = tgt
  const withItsPac = (ticket: EncTicketPart, sealing: Sealing) => withPacOf(presented, ticket, sealing, kdc)
  return { crealm, cname, basis: tgt, withPac: withItsPac, padata: [] }
}

interface Impersonated {
  readonly user: Principal
  /** To be told in the reply that PA-S4U-X509-USER was understood. */
  readonly padata: readonly PaData[]
}

/** Whom PA-FOR-USER or PA-S4U-X509-USER names, under a keyed checksum; undefined without either (MS-SFU §3.2.5.1). */
function impersonated({ body, padata, presented }: Asked, kdc: Kdc): Impersonated | undefined {
  const { sessionKey, subkey = sessionKey } = presented
  const value = (type: number) => padata.find(({ padataType }) => padataType === type)?.padataValue
  const forUser = value(paTypes.forUser)
  const byName = forUser && readForUser(forUser, sessionKey)
  const x509 = value(paTypes.s4uX509User)
  if (!x509) return byName && { user: byName, padata: [] }
  const { user: named, certificate, realm } = readS4uX509User(x509, body.nonce, subkey)
  const user = named ?? (certificate && realm === kdc.realm && accountByCertificate(certificate, kdc).principal)
  if (!user) throw new KrbError('KDC_ERR_CLIENT_NOT_TRUSTED', 'PA-S4U-X509-USER names nobody that is known here')
  if (named?.realm === kdc.realm && certificate && accountByCertificate(certificate, kdc) !== accountOf(named, kdc))
    throw new KrbError('KDC_ERR_CLIENT_NAME_MISMATCH', `the certificate is not that of ${formatPrincipal(named)}`)
  if (byName && !samePrincipal(byName, user))
    throw new KrbError(
      'KDC_ERR_BADOPTION',
      `the request is about ${formatPrincipal(user)} and ${formatPrincipal(byName)}`,
    )
  const reply = paS4uX509User({ user, realm: user.realm }, body.nonce, subkey, 's4uUserReply')
  return { user, padata: [reply] }
}

/** S4U2Self: a service asks for a ticket of a user to itself, and to nobody else (MS-SFU §3.2.5.1). */
function selfSubject(
  { user, padata }: Impersonated,
  { presented }: Asked,
  { service, referral }: Target,
  kdc: Kdc,
): Subject {
  const { tgt } = presented
  const requester = principalOf(tgt.cname, tgt.crealm)
  if (!presented.granting) throw new KrbError('KDC_ERR_BADOPTION', 'S4U2Self needs a ticket-granting ticket')
  if (user.realm !== kdc.realm) return foreignSelf(user, padata, presented, service, kdc)
  // Another realm's service gets no more than the way back to its own KDC.
  const own = tgt.crealm === kdc.realm ? !referral && kdc.database.lookup(requester) === service : referral
  if (!own) throw new KrbError('KDC_ERR_BADOPTION', `${formatPrincipal(requester)} may ask for tickets to itself alone`)
  const record = accountOf(user, kdc)
  requireUsable(record, 'client', seconds(kdc.env.now()), true)
  const forwardable = !record.notDelegated && record.forwardable && (referral || service.okToAuthAsDelegate)
  const basis = { ...tgt, flags: tamed(tgt.flags, forwardable), authorizationData: [] }
  // To another realm goes a ticket of the service, with the user in its PAC (MS-SFU §3.2.5.1.2).
  // An enterprise name stays the one that was asked for, or MIT's clients refuse the reply.
  const named = user.type === nameTypes.enterprise ? user : record.principal
  const whose = referral ? tgt : { crealm: user.realm, cname: principalNameOf(named) }
  return {
    ...{ crealm: whose.crealm, cname: whose.cname, basis, padata },
    withPac: (ticket, sealing) => withPac(ticket, record, [], sealing, kdc, referral ? displayed(user) : undefined),
  }
}

/** As a PAC has it, which knows no escapes. */
const displayed = ({ components, realm }: Principal): string => `${components.join('/')}@${realm}`

/** The way back: the user's KDC vouched for the user in the PAC of the service's own ticket (MS-SFU §3.2.5.1.2). */
function foreignSelf(
  user: Principal,
  padata: readonly PaData[],
  presented: Presented,
  service: PrincipalRecord,
  kdc: Kdc,
): Subject {
  const { tgt, principal } = presented
  if (principal.realm === kdc.realm || kdc.database.lookup(principalOf(tgt.cname, tgt.crealm)) !== service)
    throw new KrbError('KDC_ERR_BADOPTION', `the KDC of ${user.realm} must be asked for ${formatPrincipal(user)} first`)
  const named = { crealm: user.realm, cname: principalNameOf(user) }
  return {
    ...{ ...named, padata },
    basis: { ...tgt, crealm: user.realm, flags: tamed(tgt.flags, service.okToAuthAsDelegate), authorizationData: [] },
    withPac: (ticket, sealing) => withForeignPac({ ...presented, tgt: { ...tgt, ...named } }, ticket, sealing, kdc),
  }
}

/** S4U2Proxy: a service that has a user's ticket asks for one to another service (MS-SFU §3.2.5.2). */
function proxySubject({ body, padata, presented }: Asked, { service, referral }: Target, kdc: Kdc): Subject {
  const { tgt, principal } = presented
  const requester = principalOf(tgt.cname, tgt.crealm)
  const [second] = body.additionalTickets ?? []
  if (!second || !presented.granting)
    throw new KrbError('KDC_ERR_BADOPTION', 'S4U2Proxy needs the ticket of the user beside the request')
  const evidence = openTicket(second, kdc)
  const { ticket } = evidence
  const local = tgt.crealm === kdc.realm
  const ours = local
    ? kdc.database.lookup(requester)?.principal === evidence.principal
    : evidence.granting && evidence.principal.realm === principal.realm
  if (!ours) throw new KrbError('KDC_ERR_BADOPTION', `the evidence is no ticket for ${formatPrincipal(requester)}`)
  requireCurrent(ticket, kdc)
  const user = principalOf(ticket.cname, ticket.crealm)
  const may = permission(requester, { service, referral }, padata, kdc)
  if (!may || knownAccount(user, kdc)?.notDelegated)
    throw new KrbError(
      'KDC_ERR_BADOPTION',
      `${formatPrincipal(requester)} may not act to ${formatPrincipal(service.principal)} as ${formatPrincipal(user)}`,
    )
  if (may === 'constrained' && !ticket.flags.has('forwardable'))
    throw new KrbError('KDC_ERR_BADOPTION', 'the evidence is not forwardable')
  return {
    ...{ crealm: ticket.crealm, cname: ticket.cname, padata: [], by: local ? undefined : requester.realm },
    basis: ticket,
    withPac: (bare, sealing) =>
      withDelegatedPac(evidence, bare, sealing, { requester, target: service.principal, local }, kdc),
  }
}

/** By what the requester may act: its own list, or that of the other service if the client says so (MS-SFU §3.2.5.2.1). */
function permission(
  requester: Principal,
  { service, referral }: Pick<Target, 'service' | 'referral'>,
  padata: readonly PaData[],
  { realm, database }: Kdc,
): 'constrained' | 'resource-based' | undefined {
  const record = requester.realm === realm ? database.lookup(requester) : undefined
  const target = formatPrincipal(service.principal)
  if (!referral && record?.allowedToDelegateTo.includes(target)) return 'constrained'
  const options = padata.find(({ padataType }) => padataType === paTypes.pacOptions)
  const asked = options && decode(PaPacOptions, options.padataValue).kerberosFlags
  if (!asked?.has('resourceBasedConstrainedDelegation')) return undefined
  const name = formatPrincipal(record?.principal ?? requester)
  return referral || service.allowedToActOnBehalf.includes(name) ? 'resource-based' : undefined
}

function requireCurrent({ flags, authtime, starttime = authtime, endtime }: EncTicketPart, { env }: Kdc): void {
  const now = seconds(env.now())
  if (endtime < now) throw new KrbError('KRB_AP_ERR_TKT_EXPIRED', 'the evidence has expired')
  if (flags.has('invalid') || starttime > now) throw new KrbError('KRB_AP_ERR_TKT_NYV', 'the evidence is not valid yet')
}

/** Flags of a ticket that nobody but the service knows of. */
const tamed = (flags: EncTicketPart['flags'], forwardable: boolean): EncTicketPart['flags'] =>
  new Set([...flags].filter((flag) => flag !== 'forwardable' || forwardable))
