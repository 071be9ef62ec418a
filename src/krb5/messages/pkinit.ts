/**
 * PKINIT: RFC 4556 appendix A, with the members that RFC 8636 (algorithm agility), RFC 8070 (freshness) and MS-PKCA
 * §2.2 (paChecksum2) added. CMS messages and X.509 names are octets here. @module
 */
import type { Codec, Infer } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import { anyValue, bitString, objectIdentifier, octetString, primitive } from '../../asn1/primitives.ts'
import { choice, explicit, field, implicit, optional, plainSequence, sequence, sequenceOf } from '../../asn1/structures.ts'
import { Int32, KerberosTime, Microseconds, Nonce, PrincipalName, Realm } from './basics.ts'

/** id-pkinit-authData (RFC 4556 §3.2.1) */
export const PKINIT_AUTH_DATA = '1.3.6.1.5.2.3.1'
/** id-pkinit-DHKeyData (RFC 4556 §3.2.3.1) */
export const PKINIT_DH_KEY_DATA = '1.3.6.1.5.2.3.2'
/** id-pkinit-san: the otherName that holds a KRB5PrincipalName (RFC 4556 §3.2.2) */
export const KRB5_PRINCIPAL_SAN = '1.3.6.1.5.2.2'
/** The otherName that holds a user principal name (MS-PKCA §3.1.5.2.1.1) */
export const UPN_SAN = '1.3.6.1.4.1.311.20.2.3'

/** Purposes of certificates (RFC 4556 §3.2.2, §3.2.4; Microsoft's smart card logon, TLS server authentication). */
export const pkinitPurposes = {
  client: '1.3.6.1.5.2.3.4', kdc: '1.3.6.1.5.2.3.5', smartcardLogon: '1.3.6.1.4.1.311.20.2.2', serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

/** Key agreements as SubjectPublicKeyInfo names them: dhpublicnumber (RFC 3279 §2.3.3) and id-ecPublicKey (RFC 5480 §2.1.1). */
export const keyAgreements = { modp: '1.2.840.10046.2.1', ecdh: '1.2.840.10045.2.1' } as const

/** Key derivations (RFC 8636 §8), by the hash they are made of. */
export const pkinitKdfs = {
  sha1: '1.3.6.1.5.2.3.6.1', sha256: '1.3.6.1.5.2.3.6.2', sha512: '1.3.6.1.5.2.3.6.3', sha384: '1.3.6.1.5.2.3.6.4',
} as const

/** Types of the elements of TYPED-DATA (RFC 4556 §3.2.2, RFC 8636 §3, §4). */
export const typedDataTypes = { trustedCertifiers: 104, invalidCertificates: 105, dhParameters: 109, cmsDigestAlgorithms: 111, certDigestAlgorithms: 112 } as const

/** Octets of the longest INTEGER that is read: a modulus of 8192 bits and its sign. */
const BIG_INTEGER_MAX = 1025

/** INTEGER that is not negative, of any size that a Diffie-Hellman group has (RFC 3279 §2.3.3). */
export const BigInteger: Codec<bigint> = primitive<bigint>(
  'INTEGER', 0x02,
  (value) => {
    const digits = value.toString(16)
    const octets = (digits.length >> 1) + 1
    const padded = digits.padStart(2 * octets, '0')
    const all = Uint8Array.from({ length: octets }, (_, i) => Number.parseInt(padded.slice(2 * i, 2 * i + 2), 16))
    return octets > 1 && all[1]! < 0x80 && all[0] === 0 ? all.subarray(1) : all
  },
  (octets) => {
    if (octets.length === 0 || octets.length > BIG_INTEGER_MAX) throw new Asn1Error(`an INTEGER of ${octets.length} octets`)
    if (octets[0]! >= 0x80) throw new Asn1Error('a negative INTEGER')
    if (octets.length > 1 && octets[0] === 0 && octets[1]! < 0x80) throw new Asn1Error('INTEGER is padded')
    let digits = '0x'
    for (const octet of octets) digits += octet.toString(16).padStart(2, '0')
    return BigInt(digits)
  },
)

/** RFC 5280 §4.1.1.2 */
export const AlgorithmIdentifier = plainSequence('AlgorithmIdentifier', {
  algorithm:  objectIdentifier,
  parameters: optional(anyValue),
})
export interface AlgorithmIdentifier extends Infer<typeof AlgorithmIdentifier> {}

/** RFC 5280 §4.1 */
export const SubjectPublicKeyInfo = plainSequence('SubjectPublicKeyInfo', {
  algorithm:        AlgorithmIdentifier,
  subjectPublicKey: bitString,
})
export interface SubjectPublicKeyInfo extends Infer<typeof SubjectPublicKeyInfo> {}

/** RFC 3279 §2.3.3 */
export const DomainParameters = plainSequence('DomainParameters', {
  p:               BigInteger,
  g:               BigInteger,
  q:               BigInteger,
  j:               optional(BigInteger),
  validationParms: optional(plainSequence('ValidationParms', { seed: bitString, pgenCounter: BigInteger })),
})

/** RFC 4556 §3.2.1 */
export const ExternalPrincipalIdentifier = sequence('ExternalPrincipalIdentifier', {
  subjectName:           optional(implicit(0, octetString)),
  issuerAndSerialNumber: optional(implicit(1, octetString)),
  subjectKeyIdentifier:  optional(implicit(2, octetString)),
})
/** RFC 4556 §3.2.2; also AD-INITIAL-VERIFIED-CAS and TD-INVALID-CERTIFICATES. */
export const ExternalPrincipalIdentifiers = sequenceOf(ExternalPrincipalIdentifier)

/** RFC 4556 §3.2.1 */
export const PaPkAsReq = sequence('PA-PK-AS-REQ', {
  signedAuthPack:    implicit(0, octetString),
  trustedCertifiers: optional(1, ExternalPrincipalIdentifiers),
  kdcPkId:           optional(implicit(2, octetString)),
})

/** MS-PKCA §2.2.3 */
export const PaChecksum2 = sequence('PAChecksum2', {
  checksum:            field(0, octetString),
  algorithmIdentifier: field(1, AlgorithmIdentifier),
})

/** RFC 4556 §3.2.1; RFC 8070 §4 adds freshnessToken, MS-PKCA §2.2.3 paChecksum2. */
export const PkAuthenticator = sequence('PKAuthenticator', {
  cusec:          field(0, Microseconds),
  ctime:          field(1, KerberosTime),
  nonce:          field(2, Nonce),
  paChecksum:     optional(3, octetString),
  freshnessToken: optional(4, octetString),
  paChecksum2:    optional(5, PaChecksum2),
})

/** RFC 8636 §6 */
export const KdfAlgorithmId = sequence('KDFAlgorithmId', {
  kdfId: field(0, objectIdentifier),
})

/** RFC 4556 §3.2.1; RFC 8636 §6 adds supportedKDFs. */
export const AuthPack = sequence('AuthPack', {
  pkAuthenticator:   field(0, PkAuthenticator),
  clientPublicValue: optional(1, SubjectPublicKeyInfo),
  supportedCMSTypes: optional(2, sequenceOf(AlgorithmIdentifier)),
  clientDHNonce:     optional(3, octetString),
  supportedKDFs:     optional(4, sequenceOf(KdfAlgorithmId)),
})
export interface AuthPack extends Infer<typeof AuthPack> {}

/** RFC 4556 §3.2.2 */
export const Krb5PrincipalName = sequence('KRB5PrincipalName', {
  realm:         field(0, Realm),
  principalName: field(1, PrincipalName),
})

/** RFC 4556 §3.2.3.1; RFC 8636 §6 adds kdf. */
export const DhRepInfo = sequence('DHRepInfo', {
  dhSignedData:  implicit(0, octetString),
  serverDHNonce: optional(1, octetString),
  kdf:           optional(2, KdfAlgorithmId),
})
export interface DhRepInfo extends Infer<typeof DhRepInfo> {}

/** RFC 4556 §3.2.3 */
export const PaPkAsRep = choice('PA-PK-AS-REP', {
  dhInfo:     explicit(0, DhRepInfo),
  encKeyPack: implicit(1, octetString),
})

/** RFC 4556 §3.2.3.1 */
export const KdcDhKeyInfo = sequence('KDCDHKeyInfo', {
  subjectPublicKey: field(0, bitString),
  nonce:            field(1, Nonce),
  dhKeyExpiration:  optional(2, KerberosTime),
})

/** RFC 4556 §3.2.2 */
export const TdDhParameters = sequenceOf(AlgorithmIdentifier)

/** RFC 8636 §6 */
export const PkinitSuppPubInfo = sequence('PkinitSuppPubInfo', {
  enctype:  field(0, Int32),
  asReq:    field(1, octetString),
  pkAsRep:  field(2, octetString),
})

/** RFC 8636 §6 */
export const OtherInfo = sequence('OtherInfo', {
  algorithmId:  AlgorithmIdentifier,
  partyUInfo:   field(0, octetString),
  partyVInfo:   field(1, octetString),
  suppPubInfo:  optional(2, octetString),
  suppPrivInfo: optional(3, octetString),
})
