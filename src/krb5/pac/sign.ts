/** Signing a PAC (MS-PAC §2.8) and putting it into a ticket. @module */
import { withEncoding } from '../../asn1/codec.ts'
import { allocate } from '../../bytes/slab.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Key } from '../../crypto/key.ts'
import type { AuthorizationData } from '../messages/basics.ts'
import { EncTicketPart } from '../messages/ticket.ts'
import { keyUsages } from '../usages.ts'
import { encodeContent, joinBuffers, type PacBuffer, type PacContent } from './pac.ts'
import { encodeSignature, SIGNATURE_HEADER, type SignatureKind, signatureTypes } from './signature.ts'
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

/** A PAC that lacks nothing but its signatures, as {@link layOutPac} makes it. */
export class PacForm {
  /** All behind the type of a signature is zero. */
  readonly octets: Uint8Array
  /** Where each signature begins. */
  readonly places: Partial<Readonly<Record<SignatureKind, number>>>
  readonly #server: Enctype
  readonly #kdc: Enctype

  constructor(octets: Uint8Array, places: PacForm['places'], { serverKey, kdcKey }: PacSigners) {
    this.octets = octets
    this.places = places
    this.#server = serverKey.enctype
    this.#kdc = kdcKey.enctype
  }

  /** Whether these can sign it: for a ticket-granting ticket, or for one whose PAC has all four signatures. */
  fits({ serverKey, kdcKey }: PacSigners, granting: boolean): boolean {
    if (serverKey.enctype !== this.#server || kdcKey.enctype !== this.#kdc) return false
    return granting === (this.places.ticket === undefined)
  }
}

/** A PAC to be signed by these: once, or for one ticket after the other. Throws TypeError and RangeError for content that does not fit. */
export function layOutPac(source: PacSource, signers: PacSigners, granting: boolean): PacForm {
  const kinds = granting ? grantingSignatures : allSignatures
  const buffers = buffersOf(source).filter(({ type }) => !signatures.has(type))
  for (const kind of kinds) {
    const { checksumId, checksumSize } = (kind === 'server' ? signers.serverKey : signers.kdcKey).enctype
    const blank = { type: checksumId, checksum: new Uint8Array(checksumSize) }
    const rodc = kind === 'server' || signers.rodcIdentifier === undefined ? {} : { rodcIdentifier: 0 }
    buffers.push({ type: signatureTypes[kind], octets: encodeSignature({ ...blank, ...rodc }) })
  }
  const { octets, offsets } = joinBuffers(buffers)
  const places = Object.fromEntries(kinds.map((kind) => [kind, offsets.get(signatureTypes[kind])!]))
  return new PacForm(octets, places, signers)
}

/**
 * A signed PAC. `ticket` is the DER of the EncTicketPart around it, in which the PAC's place is taken by a single zero
 * octet (MS-PAC §2.8.3); with it come the ticket and the full signature, which ticket-granting tickets do without. Throws
 * TypeError for a form that is for others.
 */
export function buildPac(source: PacSource | PacForm, signers: PacSigners, ticket?: Uint8Array): Uint8Array {
  const { serverKey, kdcKey, rodcIdentifier } = signers
  const form = source instanceof PacForm ? source : layOutPac(source, signers, !ticket)
  if (!form.fits(signers, !ticket)) throw new TypeError('the PAC was laid out for other signatures')
  const octets = allocate(form.octets.length)
  octets.set(form.octets)
  const put = (kind: SignatureKind, checksum: Uint8Array) => {
    const at = form.places[kind]! + SIGNATURE_HEADER
    octets.set(checksum, at)
    if (kind === 'server' || rodcIdentifier === undefined) return
    octets[at + checksum.length] = rodcIdentifier
    octets[at + checksum.length + 1] = rodcIdentifier >>> 8
  }
  const sign = (key: Key, data: Uint8Array) => key.checksum(keyUsages.pacChecksum, data)
  // Where a signature is not made yet, all behind its type is signed as zero.
  if (ticket) {
    put('ticket', sign(kdcKey, ticket))
    put('full', sign(kdcKey, octets))
  }
  const server = sign(serverKey, octets)
  put('server', server)
  put('kdc', sign(kdcKey, server))
  return octets
}

const grantingSignatures: readonly SignatureKind[] = ['server', 'kdc']
const allSignatures: readonly SignatureKind[] = [...grantingSignatures, 'ticket', 'full']
const buffersOf = (source: PacSource): readonly PacBuffer[] => (isBuffers(source) ? source : encodeContent(source))
const isBuffers = (source: PacSource): source is readonly PacBuffer[] => Array.isArray(source)
const signatures: ReadonlySet<number> = new Set(Object.values(signatureTypes))

/**
 * The authorization data of `ticket`, which has no PAC, with a PAC in front of what it has already; for the caller to put
 * into the ticket and seal with `serverKey`. Throws TypeError when the ticket has a PAC.
 */
export function signTicket(ticket: EncTicketPart, source: PacSource | PacForm, signers: PacSigners): AuthorizationData {
  const { authorizationData = [] } = ticket
  if (findPac(authorizationData)) throw new TypeError('the ticket has a PAC already')
  const blank = withAuthorizationData(ticket, [WRAPPED_BLANK, ...authorizationData])
  const pac = withEncoding(EncTicketPart, blank, (covered) => buildPac(source, signers, covered))
  return [wrapPac(pac), ...authorizationData]
}

const WRAPPED_BLANK = wrapPac(BLANK_PAC)

/** The same for a ticket-granting ticket, whose PAC has only the server's and the KDC's signature (MS-PAC §2.8). */
export function signGrantingTicket(source: PacSource | PacForm, signers: PacSigners): AuthorizationData {
  return [wrapPac(buildPac(source, signers))]
}
