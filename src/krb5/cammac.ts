/** Authorization data that the KDC vouches for (RFC 7751), and how the client authenticated itself (RFC 8129). @module */
import { type Codec, decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import type { Key } from '../crypto/key.ts'
import { AuthorizationData } from './messages/basics.ts'
import { AdAuthenticationIndicator, AdCammac, type VerifierMac } from './messages/cammac.ts'
import { adTypes } from './messages/codes.ts'
import { EncTicketPart } from './messages/ticket.ts'
import { keyUsages } from './usages.ts'

/** Keys that a CAMMAC is verified with; one of them is enough. */
export interface CammacKeys {
  /** The key that opened the ticket. */
  readonly serverKey?: Key | undefined
  /** A key of the ticket-granting service. */
  readonly kdcKey?: Key | undefined
}

/** Most AD-IF-RELEVANT inside one another that are looked into. */
const MAX_NESTING = 4

/**
 * The authentication indicators that the KDC put into `ticket` (RFC 8129), each of them once: what is in no CAMMAC, or in
 * one that neither key verifies, or cannot be read, is left out. None of it means that there were none.
 */
export function authenticationIndicators(ticket: EncTicketPart, keys: CammacKeys): readonly string[] {
  const indicators = verifiedAuthorizationData(ticket, keys)
    .filter(({ adType }) => adType === adTypes.authIndicator)
    .flatMap(({ adData }) => readable(AdAuthenticationIndicator, adData) ?? [])
  return [...new Set(indicators)]
}

/** The elements of every CAMMAC of `ticket` that one of `keys` verifies. Never throws, whatever is in the ticket. */
export function verifiedAuthorizationData(ticket: EncTicketPart, keys: CammacKeys): AuthorizationData {
  return cammacsIn(ticket.authorizationData ?? [], MAX_NESTING).flatMap((cammac) =>
    isVerified(cammac, ticket, keys) ? cammac.elements : [],
  )
}

/**
 * Authentication indicators as an element for `ticket`, signed with the key that seals it and with the KDC's (RFC 7751 §3,
 * RFC 8129); nothing else of the ticket may change any more but its authorization data.
 */
export function makeIndicators(
  ticket: EncTicketPart,
  indicators: readonly string[],
  { serverKey, kdcKey }: Required<{ readonly [K in keyof CammacKeys]: Key }>,
): AuthorizationData[number] {
  const elements = [{ adType: adTypes.authIndicator, adData: encode(AdAuthenticationIndicator, indicators) }]
  const verifier = (key: Key, covered: Uint8Array): VerifierMac => ({
    enctype: key.enctype.id,
    mac: { cksumtype: key.enctype.checksumId, checksum: key.checksum(keyUsages.cammac, covered) },
  })
  const cammac: AdCammac = {
    elements,
    kdcVerifier: verifier(kdcKey, encode(EncTicketPart, { ...ticket, authorizationData: elements })),
    svcVerifier: verifier(serverKey, encode(AuthorizationData, elements)),
  }
  const inner = [{ adType: adTypes.cammac, adData: encode(AdCammac, cammac) }]
  return { adType: adTypes.ifRelevant, adData: encode(AuthorizationData, inner) }
}

function cammacsIn(data: AuthorizationData, nesting: number): readonly AdCammac[] {
  return data.flatMap(({ adType, adData }) => {
    if (adType === adTypes.cammac) return readable(AdCammac, adData) ?? []
    if (adType !== adTypes.ifRelevant || nesting === 0) return []
    return cammacsIn(readable(AuthorizationData, adData) ?? [], nesting - 1)
  })
}

/** RFC 7751 §3: the service signs for itself over the elements, the KDC over the ticket as if it had nothing else. */
function isVerified(
  { elements, kdcVerifier, svcVerifier }: AdCammac,
  ticket: EncTicketPart,
  keys: CammacKeys,
): boolean {
  if (isMadeWith(keys.serverKey, svcVerifier, () => encode(AuthorizationData, elements))) return true
  return isMadeWith(keys.kdcKey, kdcVerifier, () => encode(EncTicketPart, { ...ticket, authorizationData: elements }))
}

/** Only the checksum type that goes with the key counts: one that takes no key proves nothing. */
function isMadeWith(key: Key | undefined, verifier: VerifierMac | undefined, covered: () => Uint8Array): boolean {
  if (!key || !verifier) return false
  const { cksumtype, checksum } = verifier.mac
  return cksumtype === key.enctype.checksumId && key.verify(keyUsages.cammac, covered(), checksum)
}

function readable<T>(codec: Codec<T>, octets: Uint8Array): T | undefined {
  try {
    return decode(codec, octets)
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error
    return undefined
  }
}
