/** The PACs of tickets that the embedded KDC issues (MS-PAC, MS-KILE §3.3.5): made at login, handed on from ticket to ticket. @module */
import { decode } from '../asn1/codec.ts'
import type { Key } from '../crypto/key.ts'
import { KrbError } from '../krb5/errors.ts'
import type { AuthorizationData, PaData } from '../krb5/messages/basics.ts'
import { paTypes } from '../krb5/messages/codes.ts'
import { PaPacRequest } from '../krb5/messages/pac.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import { formatPrincipal, grantedRealm, type Principal, principalOf } from '../krb5/names.ts'
import { PacError } from '../krb5/pac/error.ts'
import { bufferTypes, encodeContent, type Pac, type PacBuffer, type PacContent } from '../krb5/pac/pac.ts'
import {
  layOutPac,
  type PacForm,
  type PacSigners,
  type PacSource,
  signGrantingTicket,
  signTicket,
} from '../krb5/pac/sign.ts'
import { withAuthorizationData, withoutPac } from '../krb5/pac/ticket.ts'
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
 * which nothing is known have one that names the client alone, as MIT's KDC makes them. `name` is the client's, where that
 * is not the ticket's.
 */
export function withPac(
  ticket: EncTicketPart,
  client: PrincipalRecord,
  padata: readonly PaData[],
  sealing: Sealing,
  kdc: Kdc,
  name?: string,
): EncTicketPart {
  const request = padata.find(({ padataType }) => padataType === paTypes.pacRequest)
  const wanted = request && decode(PaPacRequest, request.padataValue).includePac
  if (wanted === false || ticket.flags.has('anonymous')) return ticket
  const attributes = { requested: wanted === true, implicit: wanted === undefined }
  const granting = isGranting(sealing.service)
  return signed(ticket, contentOf(ticket, client, granting && !name ? attributes : undefined, name), sealing, kdc)
}

/** A ticket that the client shows. */
export interface Shown {
  readonly tgt: EncTicketPart
  readonly openedWith: Key
  readonly granting: boolean
  /** Whose key opened it. */
  readonly principal: Principal
}

/**
 * A ticket made of another, with that one's PAC signed anew. Throws KrbError when that PAC is not to be believed: nothing
 * of it may end up under this KDC's signature.
 */
export function withPacOf(shown: Shown, ticket: EncTicketPart, sealing: Sealing, kdc: Kdc): EncTicketPart {
  const bare = without(ticket)
  const pac = believed(shown, kdc)
  if (!pac) return bare
  const { tgt, granting, principal } = shown
  if (principal.realm !== kdc.realm) return signed(bare, foreignContent(pac, principal, kdc), sealing, kdc)
  if (granting && tgt.crealm === kdc.realm) refuseOtherRequestor(tgt, pac, kdc)
  return signed(bare, pac.buffers, sealing, kdc)
}

/** The same with the PAC of a user whom another realm's KDC vouched for, as S4U2Self brings it (MS-SFU §3.2.5.1.2). Throws KrbError without. */
export function withForeignPac(shown: Shown, ticket: EncTicketPart, sealing: Sealing, kdc: Kdc): EncTicketPart {
  const pac = believed(shown, kdc)
  if (!pac) throw unbelievable()
  const { cname, authtime } = ticket
  const content = foreignContent(pac, shown.principal, kdc)
  const clientInfo = { name: cname.nameString.join('/'), authtime }
  return signed(without(ticket), { ...content, clientInfo }, sealing, kdc)
}

/** Who acts to whom. */
export interface Delegation {
  readonly requester: Principal
  readonly target: Principal
  /** Whether the requester is of this realm; if not, the KDC before this one has written down who it is. */
  readonly local: boolean
}

/**
 * A ticket in the name of the evidence's user, with its PAC and a line about the delegation (MS-PAC §2.9). Throws KrbError
 * when the evidence has no PAC whose ticket signature is good: its flags prove nothing then (CVE-2020-17049).
 */
export function withDelegatedPac(
  { ticket: evidence, ...opened }: Omit<Shown, 'tgt'> & { readonly ticket: EncTicketPart },
  ticket: EncTicketPart,
  sealing: Sealing,
  { requester, target, local }: Delegation,
  kdc: Kdc,
): EncTicketPart {
  const shown = { ...opened, tgt: evidence }
  const pac = believed(shown, kdc)
  const name = formatPrincipal(requester)
  const { transited = [] } = pac?.delegation ?? {}
  if (!pac || (!local && transited.at(-1) !== name)) throw unbelievable()
  const delegation = { target: target.components.join('/'), transited: local ? [...transited, name] : transited }
  const foreign = shown.principal.realm !== kdc.realm
  const buffers = foreign ? encodeContent(foreignContent(pac, shown.principal, kdc)) : pac.buffers
  const others = buffers.filter(({ type }) => type !== bufferTypes.delegation)
  return signed(without(ticket), [...others, ...encodeContent({ delegation })], sealing, kdc)
}

/** The PAC of a ticket, if it has one; of another realm's, the signature of that realm's KDC cannot be checked. Throws KrbError. */
function believed({ tgt, openedWith, granting, principal }: Shown, kdc: Kdc): Pac | undefined {
  const foreign = principal.realm !== kdc.realm
  const kdcKeys = foreign ? [] : kdc.grantingKeys
  const { pacs } = kdc.remembered
  return (granting ? pacs.granting : pacs.other).about(tgt, [openedWith, ...kdcKeys], () => {
    const verdict = verifyTicketPac(tgt, { serverKey: openedWith, kdcKeys, ...(granting ? { required: [] } : {}) })
    if (verdict.state === 'absent') return undefined
    if (verdict.state !== 'verified' && !(foreign && verdict.state === 'partial'))
      throw unbelievable(verdict.state === 'invalid' ? verdict.error : undefined)
    return verdict.pac
  })
}

const unbelievable = (cause?: unknown) =>
  new KrbError('KRB_AP_ERR_MODIFIED', 'the PAC of the ticket shown is not to be believed', { cause })

/** S-1-18-…: how whoever logged in was known (MS-DTYP §2.4.2.4); says nothing of rights in a domain. */
const ASSERTED = 'S-1-18-'

/**
 * What another realm's KDC may say here (MS-PAC §4.1.2.2): of the accounts of its own domain, where that is known, who they
 * are and which groups of that domain they are in; of all others nothing but their name.
 */
function foreignContent(pac: Pac, principal: Principal, { database }: Kdc): PacContent {
  const { clientInfo, delegation, logonInfo } = pac
  const domain = database.lookup(principal)?.trustedDomain
  const bare = { ...(clientInfo ? { clientInfo } : {}), ...(delegation ? { delegation } : {}) }
  if (!logonInfo || domain === undefined || logonInfo.logonDomainId !== domain) return bare
  const theirs = (sid: string | undefined) => sid?.startsWith(`${domain}-`) || sid?.startsWith(ASSERTED)
  return {
    ...bare,
    logonInfo: {
      ...logonInfo,
      extraSids: logonInfo.extraSids.filter(({ sid }) => theirs(sid)),
      resourceGroupDomainSid: undefined,
      resourceGroupIds: [],
    },
    ...(pac.upnDns ? { upnDns: pac.upnDns } : {}),
    ...(pac.requestor?.startsWith(`${domain}-`) ? { requestor: pac.requestor } : {}),
  }
}

/** Attributes and requestor are for ticket-granting tickets alone. */
const grantingAlone: readonly number[] = [bufferTypes.attributes, bufferTypes.requestor]

/** A PAC that is to be signed for a ticket: of buffers that are handed on again and again as it was laid out before. */
function formOf(source: PacSource, signers: PacSigners, granting: boolean, { remembered: { forms } }: Kdc): PacForm {
  const isShown = Array.isArray(source)
  const buffers = isShown ? (source as readonly PacBuffer[]) : encodeContent(source as PacContent)
  const known = isShown ? forms.get(buffers) : undefined
  if (known?.fits(signers, granting)) return known
  const handedOn = granting ? buffers : buffers.filter(({ type }) => !grantingAlone.includes(type))
  const form = layOutPac(handedOn, signers, granting)
  if (isShown) forms.set(buffers, form)
  return form
}

/** The same without any PAC. Throws KrbError where it is nested too deeply for that to be known, and Asn1Error. */
export function dataWithoutPac(data: AuthorizationData): AuthorizationData {
  try {
    return withoutPac(data)
  } catch (error) {
    throw error instanceof PacError ? unbelievable(error) : error
  }
}

const without = (ticket: EncTicketPart): EncTicketPart =>
  ticket.authorizationData ? withAuthorizationData(ticket, dataWithoutPac(ticket.authorizationData)) : ticket

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

function signed(ticket: EncTicketPart, source: PacSource, { service, key }: Sealing, kdc: Kdc): EncTicketPart {
  const [kdcKey] = kdc.grantingKeys
  if (!kdcKey) return ticket
  const signers = { serverKey: key, kdcKey }
  const { authorizationData = [] } = ticket
  const granting = isGranting(service)
  const form = formOf(source, signers, granting, kdc)
  const data: AuthorizationData = granting
    ? [...signGrantingTicket(form, signers), ...authorizationData]
    : signTicket(ticket, form, signers)
  return withAuthorizationData(ticket, data)
}

function contentOf(
  { cname, authtime }: EncTicketPart,
  client: PrincipalRecord,
  attributes: PacContent['attributes'],
  named = cname.nameString.join('/'),
): PacContent {
  const clientInfo = { name: named, authtime }
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
