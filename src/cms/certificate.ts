import * as asn1js from 'asn1js'
import {
  type Extension,
  IssuerAndSerialNumber,
  Certificate as PkiCertificate,
  type RelativeDistinguishedNames,
} from 'pkijs'
import { type Codec, decode } from '../asn1/codec.ts'
import { anyValue, flags, objectIdentifier, octetString } from '../asn1/primitives.ts'
import { explicit, implicit, plainSequence, sequenceOf } from '../asn1/structures.ts'
import { toHex } from '../bytes/index.ts'
import { readBer } from './engine.ts'
import { CmsError } from './error.ts'
import { extensions, keyTypes, nameParts } from './oids.ts'

/** What an X.509 certificate says (RFC 5280 §4.1). Plain data: `der` is the certificate itself. */
export interface Certificate {
  readonly der: Uint8Array
  /** For people: `CN=kdc, O=lab`. */
  readonly subject: string
  readonly issuer: string
  /** Hexadecimal. */
  readonly serialNumber: string
  /** Seconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  /** Undefined when the certificate does not limit them. */
  readonly keyUsage: ReadonlySet<string> | undefined
  /** Object identifiers; undefined when the certificate does not limit them. */
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly dnsNames: readonly string[]
  /** Names of types that others defined: object identifier and DER of the value. */
  readonly otherNames: readonly OtherName[]
  /** DER of the subject's Name. */
  readonly subjectName: Uint8Array
  /** DER of CMS's IssuerAndSerialNumber (RFC 5652 §10.2.4). */
  readonly issuerAndSerialNumber: Uint8Array
  readonly subjectKeyIdentifier: Uint8Array | undefined
  readonly key: PublicKeyKind
}

/** A subject alternative name of type otherName (RFC 5280 §4.2.1.6). */
export interface OtherName {
  readonly type: string
  readonly value: Uint8Array
}

/** What kind of key a certificate has: RSA with its size in bits, or a curve by the name that WebCrypto has for it. */
export type PublicKeyKind =
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: string }
  | { readonly type: 'other'; readonly oid: string }

/** RFC 5280 §4.2.1.3 */
const KeyUsage = flags('KeyUsage', {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
})

/** RFC 5280 §4.2.1.6, the alternative [0] of GeneralName */
const OtherNameValue = implicit(
  0,
  plainSequence('OtherName', { typeId: objectIdentifier, value: explicit(0, anyValue) }),
)
const GeneralNames = sequenceOf(anyValue)
/** Identifier octets of GeneralName's alternatives otherName and dNSName. */
const OTHER_NAME = 0xa0
const DNS_NAME = 0x82

const curves: Readonly<Record<string, string>> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
}

/** Reads a certificate; nothing in it is believed yet. Throws CmsError `malformed`. */
export function readCertificate(der: Uint8Array): Certificate {
  return readBer('an X.509 certificate', der, () => certificateOf(pkiCertificate(der)))
}

/** The library's own object, for the other files of this room. Throws CmsError `malformed`. */
export function pkiCertificate(der: Uint8Array): PkiCertificate {
  return readBer('an X.509 certificate', der, (octets) => PkiCertificate.fromBER(octets))
}

/** What a certificate of the library's says. Throws CmsError `malformed`. */
export function certificateOf(pki: PkiCertificate): Certificate {
  const all = pki.extensions ?? []
  if (new Set(all.map(({ extnID }) => extnID)).size !== all.length)
    throw new CmsError('malformed', 'a certificate with an extension given twice')
  const names = extension(all, extensions.subjectAltName, GeneralNames) ?? []
  const issuerAndSerial = new IssuerAndSerialNumber({ issuer: pki.issuer, serialNumber: pki.serialNumber })
  return {
    der: new Uint8Array(pki.toSchema().toBER()),
    subject: nameText(pki.subject),
    issuer: nameText(pki.issuer),
    serialNumber: toHex(pki.serialNumber.valueBlock.valueHexView),
    notBefore: Math.floor(pki.notBefore.value.getTime() / 1000),
    notAfter: Math.floor(pki.notAfter.value.getTime() / 1000),
    keyUsage: extension(all, extensions.keyUsage, KeyUsage),
    extendedKeyUsage: extension(all, extensions.extendedKeyUsage, sequenceOf(objectIdentifier)),
    dnsNames: names.filter(([tag]) => tag === DNS_NAME).map(dnsName),
    otherNames: names.filter(([tag]) => tag === OTHER_NAME).map(otherName),
    subjectName: new Uint8Array(pki.subject.toSchema().toBER()),
    issuerAndSerialNumber: new Uint8Array(issuerAndSerial.toSchema().toBER()),
    subjectKeyIdentifier: extension(all, extensions.subjectKeyIdentifier, octetString),
    key: keyKind(pki),
  }
}

function extension<T>(all: readonly Extension[], id: string, codec: Codec<T>): T | undefined {
  const found = all.find(({ extnID }) => extnID === id)
  return (
    found &&
    readBer(`the extension ${id}`, found.extnValue.valueBlock.valueHexView, (der) => decode(codec, new Uint8Array(der)))
  )
}

const dnsName = (element: Uint8Array): string =>
  readBer('a dNSName', element, (der) => {
    const octets = decode(implicit(2, octetString), new Uint8Array(der))
    return String.fromCharCode(...octets)
  })

function otherName(element: Uint8Array): OtherName {
  const { typeId, value } = readBer('an otherName', element, (der) => decode(OtherNameValue, new Uint8Array(der)))
  return { type: typeId, value }
}

/** Subject and issuer of a certificate in its own order, as krb5.conf's rules have them: `O=lab,CN=alice`. Throws CmsError `malformed`. */
export function distinguishedNames(der: Uint8Array): { readonly subject: string; readonly issuer: string } {
  const { subject, issuer } = pkiCertificate(der)
  return { subject: partsOfName(subject).join(','), issuer: partsOfName(issuer).join(',') }
}

/** A distinguished name for people, most specific part first. */
const nameText = (name: RelativeDistinguishedNames): string => partsOfName(name).reverse().join(', ')

const partsOfName = ({ typesAndValues }: RelativeDistinguishedNames): string[] =>
  typesAndValues.map(({ type, value }) => {
    const text = String((value.valueBlock as { readonly value?: unknown }).value ?? '')
    return `${nameParts[type] ?? type}=${text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?')}`
  })

function keyKind({ subjectPublicKeyInfo: { algorithm, subjectPublicKey } }: PkiCertificate): PublicKeyKind {
  const { algorithmId, algorithmParams } = algorithm
  if (algorithmId === keyTypes.rsa) return { type: 'rsa', bits: modulusBits(subjectPublicKey.valueBlock.valueHexView) }
  const curve = algorithmParams instanceof asn1js.ObjectIdentifier ? curves[algorithmParams.getValue()] : undefined
  if (algorithmId === keyTypes.ec && curve) return { type: 'ec', curve }
  return { type: 'other', oid: algorithmId }
}

function modulusBits(der: Uint8Array): number {
  return readBer('an RSA public key', der, (octets) => {
    const { result, offset } = asn1js.fromBER(octets)
    const modulus = offset === -1 ? undefined : (result as asn1js.Sequence).valueBlock.value[0]
    if (!(modulus instanceof asn1js.Integer)) throw new CmsError('malformed', 'an RSA public key without a modulus')
    return modulus.toBigInt().toString(2).length
  })
}
