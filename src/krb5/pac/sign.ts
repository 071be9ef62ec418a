/** Signing a PAC (MS-PAC §2.8) and putting it into a ticket. @module */
import { withEncoding } from '../../asn1/codec.ts'
import type { Key } from '../../crypto/key.ts'
import type { AuthorizationData } from '../messages/basics.ts'
import { EncTicketPart } from '../messages/ticket.ts'
import { keyUsages } from '../usages.ts'
import { encodeContent, joinBuffers, type PacBuffer, type PacContent } from './pac.ts'
import { encodeSignature, type SignatureKind, signatureTypes } from './signature.ts'
import { BLANK_PAC, findPac, withAuthorizationData, wrapPac } from './ticket.ts'

/** Who signs. */
export interface PacSigners {
  /** The key that the ticket is encrypted with. */
  readonly serverKey: Key
  /** The key of the ticket-granting service. */
  readonly kdcKey: Key
  /** Of the read-only domain controller whose key `kdcKey` is. */
  readonly rodcIdentifier?: number | undefined
}

/** What goes into a PAC: values to encode, or buffers as another PAC had them, signatures left out. */
export type PacSource = PacContent | readonly PacBuffer[]

/**
 * A signed PAC. `ticket` is the DER of the EncTicketPart around it, in which the PAC's place is taken by a single zero
 * octet (MS-PAC §2.8.3); with it come the ticket and the full signature, which ticket-granting tickets do without.
 */
export function buildPac(source: PacSource, signers: PacSigners, ticket?: Uint8Array): Uint8Array {
  const { serverKey, kdcKey, rodcIdentifier } = signers
  const sign = (key: Key, data: Uint8Array) => key.checksum(keyUsages.pacChecksum, data)
  // Where a signature is not made yet, all behind its type is signed as zero.
  const buffer = (kind: SignatureKind, checksum?: Uint8Array): PacBuffer => {
    const { checksumId, checksumSize } = (kind === 'server' ? serverKey : kdcKey).enctype
    const rodc = kind === 'server' || rodcIdentifier === undefined ? undefined : checksum ? rodcIdentifier : 0
    const signature = { type: checksumId, checksum: checksum ?? new Uint8Array(checksumSize) }
    const octets = encodeSignature(rodc === undefined ? signature : { ...signature, rodcIdentifier: rodc })
    return { type: signatureTypes[kind], octets }
  }
  const buffers = buffersOf(source).filter(({ type }) => !signatures.has(type))
  buffers.push(buffer('server'), buffer('kdc'))
  if (ticket) buffers.push(buffer('ticket', sign(kdcKey, ticket)), buffer('full'))
  const { octets, offsets } = joinBuffers(buffers)
  const put = (kind: SignatureKind, checksum: Uint8Array) =>
    octets.set(buffer(kind, checksum).octets, offsets.get(signatureTypes[kind])!)
  if (ticket) put('full', sign(kdcKey, octets))
  const server = sign(serverKey, octets)
  put('server', server)
  put('kdc', sign(kdcKey, server))
  return octets
}

const buffersOf = (source: PacSource): readonly PacBuffer[] => (isBuffers(source) ? source : encodeContent(source))
const isBuffers = (source: PacSource): source is readonly PacBuffer[] => Array.isArray(source)
const signatures: ReadonlySet<number> = new Set(Object.values(signatureTypes))

/**
 * The authorization data of `ticket`, which has no PAC, with a PAC in front of what it has already; for the caller to put
 * into the ticket and seal with `serverKey`. Throws TypeError when the ticket has a PAC.
 */
export function signTicket(ticket: EncTicketPart, source: PacSource, signers: PacSigners): AuthorizationData {
  const { authorizationData = [] } = ticket
  if (findPac(authorizationData)) throw new TypeError('the ticket has a PAC already')
  const blank = withAuthorizationData(ticket, [WRAPPED_BLANK, ...authorizationData])
  const pac = withEncoding(EncTicketPart, blank, (covered) => buildPac(source, signers, covered))
  return [wrapPac(pac), ...authorizationData]
}

const WRAPPED_BLANK = wrapPac(BLANK_PAC)

/** The same for a ticket-granting ticket, whose PAC has only the server's and the KDC's signature (MS-PAC §2.8). */
export function signGrantingTicket(source: PacSource, signers: PacSigners): AuthorizationData {
  return [wrapPac(buildPac(source, signers))]
}
