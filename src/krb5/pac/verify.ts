/** Whether a ticket's PAC is to be believed (MS-PAC §2.8, §3). This decides about authorization, never about who the client is. @module */
import { encode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import { checksumTypeById, checksumTypeName } from '../../crypto/checksums.ts'
import type { Key } from '../../crypto/key.ts'
import { EncTicketPart } from '../messages/ticket.ts'
import { keyUsages } from '../usages.ts'
import { PacError } from './error.ts'
import { userSid } from './logoninfo.ts'
import { decodePac, type Pac } from './pac.ts'
import { SIGNATURE_HEADER, type SignatureKind, signatureTypes } from './signature.ts'
import { findPac, withAuthorizationData } from './ticket.ts'

/**
 * What came of verifying a ticket's PAC:
 *
 * - `absent`: the ticket has none.
 * - `partial`: it is well-formed, it is about the ticket's client, and the service's own signature is good; the KDC's
 *   signatures were not looked at for want of a key. Nobody made it but the KDC or a holder of the service's key.
 * - `verified`: the same, and every signature of the KDC is good.
 * - `invalid`: anything else; `error` says why. It is to be treated as if it said nothing at all.
 */
export type PacVerdict =
  | { readonly state: 'absent' }
  | {
      readonly state: 'partial' | 'verified'
      readonly pac: Pac
      /** The signatures that were looked at and are good; {@link Pac.signatures} has those that are there. */
      readonly verified: readonly SignatureKind[]
    }
  | { readonly state: 'invalid'; readonly error: PacError }

/** What a PAC is verified with. */
export interface PacKeys {
  /** The key that opened the ticket. */
  readonly serverKey: Key
  /** Keys of the ticket-granting service, of which one must have signed. Hardly any service has them: then `partial` is the best there is. */
  readonly kdcKeys?: readonly Key[]
  /**
   * Signatures of the KDC that must be there, besides the one that always is. Both unless said: none for a ticket-granting
   * ticket, which has neither; only `ticket` for KDCs older than November 2022 (CVE-2022-37967).
   */
  readonly required?: readonly ('ticket' | 'full')[]
}

/** Verifies the PAC of `ticket`. Never throws, whatever is in the ticket. */
export function verifyTicketPac(ticket: EncTicketPart, keys: PacKeys): PacVerdict {
  try {
    const found = findPac(ticket.authorizationData)
    if (!found) return { state: 'absent' }
    const pac = decodePac(found.octets)
    verifyClient(pac, ticket)
    verifyIdentity(pac)
    verifyServer(pac, keys)
    if (!keys.kdcKeys?.length) return { state: 'partial', pac, verified: ['server'] }
    const verified = verifyKdc(pac, keys, encode(EncTicketPart, withAuthorizationData(ticket, found.blanked)))
    return { state: 'verified', pac, verified: ['server', ...verified] }
  } catch (error) {
    if (error instanceof PacError) return { state: 'invalid', error }
    if (!(error instanceof Asn1Error)) throw error
    const reason = `the authorization data cannot be read: ${error.message}`
    return { state: 'invalid', error: new PacError(reason, { cause: error }) }
  }
}

/** MS-PAC §2.7: a PAC of another ticket, of the same service even, is not this ticket's. */
function verifyClient({ clientInfo }: Pac, { cname, crealm, authtime }: EncTicketPart): void {
  if (!clientInfo) throw new PacError('it names no client')
  const name = cname.nameString.join('/')
  // With the realm where another realm's service asked for it (MS-SFU §3.2.5.1.2).
  if (clientInfo.name !== name && clientInfo.name !== `${name}@${crealm}`)
    throw new PacError('it names another client than the ticket', { path: 'clientInfo.name' })
  if (clientInfo.authtime !== authtime)
    throw new PacError(`it is of ${clientInfo.authtime}, the ticket of ${authtime}`, { path: 'clientInfo.authtime' })
}

/** All that tells of the user's SID must tell the same one (CVE-2021-42287). */
function verifyIdentity({ logonInfo, requestor, upnDns }: Pac): void {
  if (!logonInfo) return
  const sid = userSid(logonInfo)
  if (requestor !== undefined && requestor !== sid)
    throw new PacError('who asked for the ticket-granting ticket is not the user', { path: 'requestor' })
  if (upnDns?.sid !== undefined && upnDns.sid !== sid)
    throw new PacError('it is of another account than the logon', { path: 'upnDns.sid' })
}

function verifyServer(pac: Pac, { serverKey }: PacKeys): void {
  verifySignature(pac, 'server', [serverKey], zeroed(pac, ['server', 'kdc']))
}

/** Gives the signatures that were verified. */
function verifyKdc(
  pac: Pac,
  { kdcKeys = [], required = ['ticket', 'full'] }: PacKeys,
  ticket: Uint8Array,
): readonly SignatureKind[] {
  verifySignature(pac, 'kdc', kdcKeys, pac.signatures.server!.checksum)
  const covered = { ticket, full: zeroed(pac, ['server', 'kdc', 'full']) }
  const wanted = (['ticket', 'full'] as const).filter((kind) => pac.signatures[kind] || required.includes(kind))
  for (const kind of wanted) verifySignature(pac, kind, kdcKeys, covered[kind])
  return ['kdc', ...wanted]
}

/** The signature must be of the type that goes with one of the keys: whatever needs no key proves nothing (CVE-2014-6324). */
function verifySignature({ signatures }: Pac, kind: SignatureKind, keys: readonly Key[], data: Uint8Array): void {
  const path = `${kind} signature`
  const signature = signatures[kind]
  if (!signature) throw new PacError('missing', { path })
  const { type, checksum } = signature
  if (!checksumTypeById(type)?.keyed) throw new PacError(`${checksumTypeName(type)} is no keyed checksum`, { path })
  const fitting = keys.filter(({ enctype }) => enctype.checksumId === type)
  if (fitting.length === 0)
    throw new PacError(
      `${checksumTypeName(type)} does not go with ${keys.map(({ enctype }) => enctype.name).join(', ')}`,
      { path },
    )
  if (!fitting.some((key) => key.verify(keyUsages.pacChecksum, data, checksum)))
    throw new PacError('does not match: the PAC was changed or signed with another key', { path })
}

/** The PAC with these signatures as they were while it was signed: zero behind their types. */
function zeroed({ octets, buffers }: Pac, kinds: readonly SignatureKind[]): Uint8Array {
  const copy = new Uint8Array(octets)
  for (const { type, offset, octets } of buffers)
    if (kinds.some((kind) => signatureTypes[kind] === type))
      copy.fill(0, offset + SIGNATURE_HEADER, offset + octets.length)
  return copy
}
