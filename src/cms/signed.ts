/** CMS SignedData (RFC 5652 §5) with one signer, or none. @module */
import * as asn1js from 'asn1js'
import {
  AlgorithmIdentifier,
  Attribute,
  ContentInfo,
  createCMSECDSASignature,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  Certificate as PkiCertificate,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from 'pkijs'
import { equal } from '../bytes/index.ts'
import { type Certificate, certificateOf, pkiCertificate } from './certificate.ts'
import { guarded, ownBuffer, readBer, webCryptoEngine } from './engine.ts'
import { CmsError } from './error.ts'
import { algorithmFor, type Identity } from './identity.ts'
import { hashes, signedAttributes } from './oids.ts'
import { type Trust, verifyPath } from './path.ts'

/** Most certificates that are read out of one message. */
const MAX_CERTIFICATES = 32

/** Octets and what they are. */
export interface TypedContent {
  /** Object identifier. */
  readonly contentType: string
  readonly content: Uint8Array
}

/** ContentInfo that holds SignedData: `content` signed by `identity`, whose certificate and chain go along. */
export async function signData({ contentType, content }: TypedContent, identity: Identity): Promise<Uint8Array> {
  const engine = webCryptoEngine()
  const certificate = pkiCertificate(identity.certificate)
  const algorithm = algorithmFor(certificateOf(certificate))
  const digest = await engine.digest(algorithm.hash, ownBuffer(content))
  const attributes = new SignedAndUnsignedAttributes({
    type: 0,
    attributes: [
      attribute(signedAttributes.contentType, new asn1js.ObjectIdentifier({ value: contentType })),
      attribute(signedAttributes.messageDigest, new asn1js.OctetString({ valueHex: digest })),
    ],
  })
  const signature = await identity.sign(setOfAttributes(attributes), algorithm)
  const digestAlgorithm = identifier(hashOid(algorithm.hash))
  const signer = new SignerInfo({
    version: 1,
    sid: new IssuerAndSerialNumber({ issuer: certificate.issuer, serialNumber: certificate.serialNumber }),
    digestAlgorithm,
    signedAttrs: attributes,
    signatureAlgorithm: identifier(algorithm.oid, algorithm.name === 'RSASSA-PKCS1-v1_5'),
    signature: new asn1js.OctetString({
      valueHex: algorithm.name === 'ECDSA' ? createCMSECDSASignature(ownBuffer(signature)) : ownBuffer(signature),
    }),
  })
  return contentInfo(
    new SignedData({
      version: 3,
      digestAlgorithms: [digestAlgorithm],
      encapContentInfo: encapsulated(contentType, content),
      certificates: [certificate, ...(identity.chain ?? []).map(pkiCertificate)],
      signerInfos: [signer],
    }),
  )
}

/** ContentInfo that holds SignedData without a signer: what an anonymous client sends (RFC 8062 §4). */
export function wrapUnsigned({ contentType, content }: TypedContent): Uint8Array {
  return contentInfo(
    new SignedData({
      version: 3,
      digestAlgorithms: [],
      encapContentInfo: encapsulated(contentType, content),
      signerInfos: [],
    }),
  )
}

/** Signed data as it came: nothing in it is believed yet. */
export interface UnverifiedData extends TypedContent {
  /** Whether anybody signed. */
  readonly signed: boolean
}

/**
 * Reads ContentInfo without checking any signature: SignedData, or the bare content, which is what MIT's anonymous
 * clients send. Throws CmsError `malformed`.
 */
export function readSignedData(der: Uint8Array): UnverifiedData {
  const { contentType, content } = contentInfoOf(der)
  if (contentType !== ContentInfo.SIGNED_DATA) {
    if (!(content instanceof asn1js.OctetString)) throw new CmsError('malformed', 'a CMS message without octets in it')
    return { contentType, content: new Uint8Array(content.getValue()), signed: false }
  }
  const data = parse(der)
  return {
    contentType: data.encapContentInfo.eContentType,
    content: contentOf(data),
    signed: data.signerInfos.length > 0,
  }
}

const contentInfoOf = (der: Uint8Array): ContentInfo =>
  readBer('a CMS message', der, (octets) => ContentInfo.fromBER(octets))

/** What was signed, and by whom. */
export interface VerifiedData {
  readonly content: Uint8Array
  /** From the signer's certificate to an anchor. */
  readonly path: readonly Certificate[]
}

/**
 * Verifies SignedData of exactly one signer, the content type and the path to an anchor `at` seconds since the epoch
 * (RFC 5652 §5.6). Throws CmsError.
 */
export function verifyData(der: Uint8Array, contentType: string, trust: Trust, at: number): Promise<VerifiedData> {
  return guarded('the signed data', () => verified(der, contentType, trust, at))
}

async function verified(der: Uint8Array, contentType: string, trust: Trust, at: number): Promise<VerifiedData> {
  const data = parse(der)
  const found = data.encapContentInfo.eContentType
  if (found !== contentType) throw new CmsError('content', `signed content of type ${found}, not ${contentType}`)
  const [signer, ...others] = data.signerInfos
  if (!signer || others.length > 0)
    throw new CmsError('signature', `${data.signerInfos.length} signatures, one is wanted`)
  requireAttributes(signer, contentType)
  if (!hashes[signer.digestAlgorithm.algorithmId])
    throw new CmsError(
      'unsupported',
      `signed over a digest that is not accepted (${signer.digestAlgorithm.algorithmId})`,
    )
  const certificates = (data.certificates ?? []).filter((one) => one instanceof PkiCertificate)
  if (certificates.length > MAX_CERTIFICATES)
    throw new CmsError('unsupported', `${certificates.length} certificates are more than ${MAX_CERTIFICATES}`)
  const leaf = await verifySignature(data)
  const sent = certificates.map((one) => new Uint8Array(one.toSchema().toBER())).filter((one) => !equal(one, leaf))
  const path = await verifyPath(leaf, { ...trust, intermediates: [...sent, ...(trust.intermediates ?? [])] }, at)
  return { content: contentOf(data), path }
}

/** The DER of the certificate whose key made the only signature. */
async function verifySignature(data: SignedData): Promise<Uint8Array> {
  let verdict: Awaited<ReturnType<typeof verify>>
  const verify = () => data.verify({ signer: 0, checkChain: false, extendedMode: true }, webCryptoEngine())
  try {
    verdict = await verify()
  } catch (cause) {
    throw new CmsError('signature', 'the signature cannot be verified', { cause })
  }
  if (!verdict.signatureVerified || !verdict.signerCertificate)
    throw new CmsError('signature', 'the signature is not that of the certificate')
  return new Uint8Array(verdict.signerCertificate.toSchema().toBER())
}

/** Both attributes once, with one value each; the content type is the content's (RFC 5652 §11.1, §11.2). */
function requireAttributes({ signedAttrs }: SignerInfo, contentType: string): void {
  const only = (type: string) => {
    const found = signedAttrs?.attributes.filter((one) => one.type === type) ?? []
    if (found.length !== 1 || found[0]!.values.length !== 1)
      throw new CmsError('signature', `the attribute ${type} is not signed exactly once`)
    return found[0]!.values[0] as unknown
  }
  only(signedAttributes.messageDigest)
  const type = only(signedAttributes.contentType)
  if (!(type instanceof asn1js.ObjectIdentifier) || type.getValue() !== contentType)
    throw new CmsError('content', 'the signature is over content of another type')
}

function parse(der: Uint8Array): SignedData {
  const { contentType, content } = contentInfoOf(der)
  if (contentType !== ContentInfo.SIGNED_DATA)
    throw new CmsError('content', `a CMS message of type ${contentType}, not SignedData`)
  return readBer('CMS SignedData', der, () => new SignedData({ schema: content }))
}

function contentOf({ encapContentInfo: { eContent } }: SignedData): Uint8Array {
  if (!(eContent instanceof asn1js.OctetString)) throw new CmsError('malformed', 'CMS SignedData without content')
  return new Uint8Array(eContent.getValue())
}

const attribute = (type: string, value: asn1js.BaseBlock) => new Attribute({ type, values: [value] })

/** What is signed: the attributes as SET OF, not under their tag (RFC 5652 §5.4). */
function setOfAttributes(attributes: SignedAndUnsignedAttributes): Uint8Array {
  const der = new Uint8Array(attributes.toSchema().toBER())
  der[0] = 0x31
  return der
}

const identifier = (algorithmId: string, withNull = false) =>
  new AlgorithmIdentifier({ algorithmId, ...(withNull ? { algorithmParams: new asn1js.Null() } : {}) })

const hashOid = (hash: string): string => Object.entries(hashes).find(([, name]) => name === hash)![0]

function encapsulated(contentType: string, content: Uint8Array): EncapsulatedContentInfo {
  const info = new EncapsulatedContentInfo({ eContentType: contentType })
  // set, not passed: the constructor would cut it into pieces, which DER has no room for
  info.eContent = new asn1js.OctetString({ valueHex: ownBuffer(content) })
  return info
}

function contentInfo(data: SignedData): Uint8Array {
  const info = new ContentInfo({ contentType: ContentInfo.SIGNED_DATA, content: data.toSchema(true) })
  return new Uint8Array(info.toSchema().toBER())
}
