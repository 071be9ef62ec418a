/** The PACs of tickets that the embedded KDC issues (MS-PAC, MS-KILE §3.3.5): made at login, handed on from ticket to ticket. @module */
import { decode } from '../asn1/codec.ts'
import type { Key } from '../crypto/key.ts'
import { KrbError } from '../krb5/errors.ts'
import type { AuthorizationData, PaData } from '../krb5/messages/basics.ts'
import { paTypes } from '../krb5/messages/codes.ts'
import { PaPacRequest } from '../krb5/messages/pac.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import { formatPrincipal, grantedRealm, principalOf, ticketGrantingService } from '../krb5/names.ts'
import { bufferTypes, type PacContent } from '../krb5/pac/pac.ts'
import { type PacSource, signGrantingTicket, signTicket } from '../krb5/pac/sign.ts'
import { withoutPac } from '../krb5/pac/ticket.ts'
import { verifyTicketPac } from '../krb5/pac/verify.ts'
import type { PrincipalRecord } from './database.ts'
import { logonInfoOf } from './identity.ts'
import type { Kdc } from './request.ts'

/** What a ticket is issued to, and with which key. */
export interface Sealing {
  readonly service: PrincipalRecord
  /** What the ticket will be encrypted with. */
  readonly key: Key
}

/**
 * The ticket of a login with a PAC, unless the client asked for none (KERB-PA-PAC-REQUEST, MS-KILE §2.2.3). Accounts of
 * which nothing is known have one that names the client alone, as MIT's KDC makes them.
 */
export function withPac(
  ticket: EncTicketPart,
  client: PrincipalRecord,
  padata: readonly PaData[],
  sealing: Sealing,
  kdc: Kdc,
): EncTicketPart {
  const request = padata.find(({ padataType }) => padataType === paTypes.pacRequest)
  const wanted = request && decode(PaPacRequest, request.padataValue).includePac
  if (wanted === false || ticket.flags.has('anonymous')) return ticket
  const attributes = { requested: wanted === true, implicit: wanted === undefined }
  const granting = isGranting(sealing.service)
  return signed(ticket, contentOf(ticket, client, granting ? attributes : undefined), sealing, kdc)
}

/** A ticket that the client shows. */
export interface Shown {
  readonly tgt: EncTicketPart
  readonly openedWith: Key
  readonly granting: boolean
}

/**
 * A ticket made of another, with that one's PAC signed anew. Throws KrbError when that PAC is not to be believed: nothing
 * of it may end up under this KDC's signature.
 */
export function withPacOf(
  { tgt, openedWith, granting }: Shown,
  ticket: EncTicketPart,
  sealing: Sealing,
  kdc: Kdc,
): EncTicketPart {
  const bare = without(ticket)
  // What another realm says of its users would have to be filtered (MS-PAC §4.1.2.2), so it is left behind.
  if (tgt.crealm !== kdc.realm) return bare
  const keys = { serverKey: openedWith, kdcKeys: grantingKeys(kdc) }
  const verdict = verifyTicketPac(tgt, granting ? { ...keys, required: [] } : keys)
  if (verdict.state === 'absent') return bare
  if (verdict.state !== 'verified')
    throw new KrbError('KRB_AP_ERR_MODIFIED', 'the PAC of the ticket shown is not to be believed', {
      ...(verdict.state === 'invalid' ? { cause: verdict.error } : {}),
    })
  if (granting) refuseOtherRequestor(tgt, verdict.pac, kdc)
  const grantingAlone: readonly number[] = isGranting(sealing.service)
    ? []
    : [bufferTypes.attributes, bufferTypes.requestor]
  const handedOn = verdict.pac.buffers.filter(({ type }) => !grantingAlone.includes(type))
  return signed(bare, handedOn, sealing, kdc)
}

function without({ authorizationData = [], ...ticket }: EncTicketPart): EncTicketPart {
  const rest = withoutPac(authorizationData)
  return rest.length > 0 ? { ...ticket, authorizationData: rest } : ticket
}

/** The account of that name must still be the one that logged in (noPac, CVE-2021-42287; MS-KILE §3.3.5.7.1). */
function refuseOtherRequestor(
  { cname, crealm }: EncTicketPart,
  { logonInfo, requestor }: PacContent,
  { database }: Kdc,
): void {
  const client = principalOf(cname, crealm)
  const identity = database.lookup(client)?.identity
  if ((logonInfo && requestor === undefined) || (requestor !== undefined && requestor !== identity?.sid))
    throw new KrbError('KDC_ERR_TGT_REVOKED', `${formatPrincipal(client)} is not the account that logged in`)
}

const isGranting = ({ principal }: PrincipalRecord): boolean => grantedRealm(principal) !== undefined

const grantingKeys = ({ realm, database }: Kdc): readonly Key[] =>
  database.lookup(ticketGrantingService(realm))?.keys ?? []

function signed(ticket: EncTicketPart, source: PacSource, { service, key }: Sealing, kdc: Kdc): EncTicketPart {
  const [kdcKey] = grantingKeys(kdc)
  if (!kdcKey) return ticket
  const signers = { serverKey: key, kdcKey }
  const { authorizationData = [] } = ticket
  const data: AuthorizationData = isGranting(service)
    ? [...signGrantingTicket(source, signers), ...authorizationData]
    : signTicket(ticket, source, signers)
  return { ...ticket, authorizationData: data }
}

function contentOf(ticket: EncTicketPart, client: PrincipalRecord, attributes: PacContent['attributes']): PacContent {
  const { cname, authtime } = ticket
  const clientInfo = { name: cname.nameString.join('/'), authtime }
  const { identity, principal } = client
  if (!identity) return { clientInfo }
  const name = principal.components.join('/')
  const dnsDomainName = principal.realm
  const upn = identity.upn ?? `${name}@${dnsDomainName.toLowerCase()}`
  return {
    logonInfo: logonInfoOf(identity, principal, authtime),
    clientInfo,
    upnDns: { upn, dnsDomainName, constructed: identity.upn === undefined, samName: name, sid: identity.sid },
    ...(attributes ? { attributes, requestor: identity.sid } : {}),
  }
}
