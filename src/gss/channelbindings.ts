/** What ties a context to the TLS connection below it (RFC 5929, RFC 9266). @module */
import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { anyValue, bitString, objectIdentifier } from '../asn1/primitives.ts'
import { explicit, optional, plainSequence } from '../asn1/structures.ts'
import { concat, utf8 } from '../bytes/index.ts'
import { nobleHash } from '../crypto/primitives/noblehash.ts'
import type { HashName } from '../crypto/primitives/primitives.ts'
import type { ChannelBindings } from './mechanism.ts'

/** The label that RFC 9266 §2 has a TLS stack export keying material by, without a context. */
export const tlsExporterLabel = 'EXPORTER-Channel-Binding'

/** How many octets of it (RFC 9266 §2). */
export const tlsExporterSize = 32

/**
 * tls-server-end-point (RFC 5929 §4): bindings to the server's certificate, hashed by the hash of its signature, and by
 * SHA-256 where that is MD5 or SHA-1. Undefined for a signature without one hash of its own (EdDSA, RSASSA-PSS of two
 * hashes, algorithms not known here), for which RFC 5929 defines no such bindings. Throws TypeError for what is no
 * certificate in DER.
 */
export function tlsServerEndPoint(certificate: Uint8Array): ChannelBindings | undefined {
  const hash = signatureHash(signatureAlgorithm(certificate))
  if (!hash) return undefined
  const strong = hash === 'md5' || hash === 'sha1' ? 'sha256' : hash
  return bindings('tls-server-end-point', nobleHash(strong, certificate))
}

/**
 * tls-unique (RFC 5929 §3): bindings to the first Finished message of the newest handshake; of a full handshake, the
 * client's. Not for TLS 1.3, which has no such bindings (RFC 8446 §C.5). Throws TypeError for an empty message.
 */
export function tlsUnique(finished: Uint8Array): ChannelBindings {
  if (finished.length === 0) throw new TypeError('the Finished message is empty: is the handshake over?')
  return bindings('tls-unique', finished)
}

/**
 * tls-exporter (RFC 9266): bindings to the 32 octets that the TLS stack exports by {@link tlsExporterLabel}, of TLS 1.3,
 * or of TLS 1.2 with extended master secrets. Throws TypeError for any other size.
 */
export function tlsExporter(exported: Uint8Array): ChannelBindings {
  if (exported.length !== tlsExporterSize)
    throw new TypeError(`tls-exporter is made of ${tlsExporterSize} exported octets, not of ${exported.length}`)
  return bindings('tls-exporter', exported)
}

const bindings = (prefix: string, data: Uint8Array): ChannelBindings => ({
  applicationData: concat(utf8(`${prefix}:`), data),
})

/** RFC 5280 §4.1.1.2 */
const AlgorithmIdentifier = plainSequence('AlgorithmIdentifier', {
  algorithm: objectIdentifier,
  parameters: optional(anyValue),
})

/** RFC 5280 §4.1, as far as it is of interest here */
const Certificate = plainSequence('Certificate', {
  tbsCertificate: anyValue,
  signatureAlgorithm: AlgorithmIdentifier,
  signature: bitString,
})

/** RFC 4055 §3.1 */
const RsassaPssParams = plainSequence('RSASSA-PSS-params', {
  hashAlgorithm: optional(explicit(0, AlgorithmIdentifier)),
  maskGenAlgorithm: optional(explicit(1, AlgorithmIdentifier)),
  saltLength: optional(explicit(2, anyValue)),
  trailerField: optional(explicit(3, anyValue)),
})

interface Algorithm {
  readonly algorithm: string
  readonly parameters?: Uint8Array | undefined
}

function signatureAlgorithm(certificate: Uint8Array): Algorithm {
  try {
    return decode(Certificate, certificate).signatureAlgorithm
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new TypeError(`channel bindings need the server's certificate in DER: ${cause.message}`, { cause })
  }
}

const RSASSA_PSS = '1.2.840.113549.1.1.10'

function signatureHash({ algorithm, parameters }: Algorithm): HashName | undefined {
  if (algorithm !== RSASSA_PSS) return signatureHashes[algorithm]
  try {
    return parameters && pssHash(parameters)
  } catch (error) {
    if (error instanceof Asn1Error) return undefined
    throw error
  }
}

/** The hash of RSASSA-PSS, where its mask is made by the same (RFC 4055 §3.1: SHA-1 where nothing is said). */
function pssHash(parameters: Uint8Array): HashName | undefined {
  const { hashAlgorithm, maskGenAlgorithm } = decode(RsassaPssParams, parameters)
  const hash = hashAlgorithm ? hashes[hashAlgorithm.algorithm] : 'sha1'
  const mask = maskGenAlgorithm?.parameters
    ? hashes[decode(AlgorithmIdentifier, maskGenAlgorithm.parameters).algorithm]
    : 'sha1'
  return hash === mask ? hash : undefined
}

/** Hashes by their object identifiers (RFC 4055 §2.1). */
const hashes: Readonly<Record<string, HashName>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** Signatures that are made with one hash (RFC 3279 §2.2, RFC 4055 §5, RFC 5758 §3). */
const signatureHashes: Readonly<Record<string, HashName>> = {
  '1.2.840.113549.1.1.4': 'md5',
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10040.4.3': 'sha1',
  '2.16.840.1.101.3.4.3.2': 'sha256',
  '1.2.840.10045.4.1': 'sha1',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
}
