import { PrivateKeyInfo } from 'pkijs'
import { type Certificate, pkiCertificate, readCertificate } from './certificate.ts'
import { ownBuffer, readBer } from './engine.ts'
import { CmsError } from './error.ts'
import { keyTypes } from './oids.ts'

/** A way to sign, as WebCrypto names it. */
export interface SignatureAlgorithm {
  readonly name: 'RSASSA-PKCS1-v1_5' | 'ECDSA'
  readonly hash: 'SHA-256' | 'SHA-384' | 'SHA-512'
  /** Of the two together (RFC 4055 §5, RFC 5758 §3.2). */
  readonly oid: string
}

/**
 * A certificate and whoever can sign for it: a key in memory, or a smart card, an HSM or a WebCrypto key that stays where
 * it is. `sign` gives the signature as WebCrypto does: for ECDSA, r and s joined.
 */
export interface Identity {
  /** DER. */
  readonly certificate: Uint8Array
  /** DER of the certificates between it and an anchor, which go along. */
  readonly chain?: readonly Uint8Array[] | undefined
  sign(data: Uint8Array, algorithm: SignatureAlgorithm): Uint8Array | PromiseLike<Uint8Array>
}

const rsaSha256: SignatureAlgorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', oid: '1.2.840.113549.1.1.11' }
const ecdsa: Readonly<Record<string, SignatureAlgorithm>> = {
  'P-256': { name: 'ECDSA', hash: 'SHA-256', oid: '1.2.840.10045.4.3.2' },
  'P-384': { name: 'ECDSA', hash: 'SHA-384', oid: '1.2.840.10045.4.3.3' },
  'P-521': { name: 'ECDSA', hash: 'SHA-512', oid: '1.2.840.10045.4.3.4' },
}

/** How to sign with the key of `certificate`. Throws CmsError `unsupported`. */
export function algorithmFor({ key, subject }: Certificate): SignatureAlgorithm {
  const found = key.type === 'rsa' ? rsaSha256 : key.type === 'ec' ? ecdsa[key.curve] : undefined
  if (!found) throw new CmsError('unsupported', `the certificate of ${subject} has a key that is neither RSA nor ECDSA`)
  return found
}

/**
 * The identity of a PKCS#8 private key and the certificates that came with it: the one that has its public key signs,
 * the others are its chain. Throws CmsError.
 */
export async function keyIdentity(pkcs8: Uint8Array, certificates: readonly Uint8Array[]): Promise<Identity> {
  const { privateKeyAlgorithm } = readBer('a PKCS#8 private key', pkcs8, (der) => PrivateKeyInfo.fromBER(der))
  const type = privateKeyAlgorithm.algorithmId === keyTypes.rsa ? 'rsa' : 'ec'
  for (const der of certificates) {
    const certificate = readCertificate(der)
    if (certificate.key.type !== type) continue
    const sign = await signerOf(pkcs8, certificate)
    if (sign) return { certificate: der, chain: certificates.filter((other) => other !== der && !isRoot(other)), sign }
  }
  throw new CmsError('untrusted', 'none of the certificates belongs to the private key')
}

/** A root need not travel, since whoever does not have it does not believe it (RFC 4556 §3.2.1, item 7). */
const isRoot = (der: Uint8Array): boolean => {
  const { subject, issuer } = readCertificate(der)
  return subject === issuer
}

/** Signs with the private key; undefined when the certificate's public key is another one. */
async function signerOf(pkcs8: Uint8Array, certificate: Certificate): Promise<Identity['sign'] | undefined> {
  const { subtle } = globalThis.crypto
  const { name, hash } = algorithmFor(certificate)
  const parameters = certificate.key.type === 'ec' ? { name, namedCurve: certificate.key.curve } : { name, hash }
  const operation = { name, hash }
  try {
    const key = await subtle.importKey('pkcs8', ownBuffer(pkcs8), parameters, false, ['sign'])
    const sign = async (data: Uint8Array) => new Uint8Array(await subtle.sign(operation, key, ownBuffer(data)))
    const { subjectPublicKeyInfo } = pkiCertificate(certificate.der)
    const spki = subjectPublicKeyInfo.toSchema().toBER()
    const publicKey = await subtle.importKey('spki', spki, parameters, false, ['verify'])
    const probe = ownBuffer(certificate.issuerAndSerialNumber)
    const fits = await subtle.verify(operation, publicKey, ownBuffer(await sign(new Uint8Array(probe))), probe)
    return fits ? sign : undefined
  } catch {
    // a key of another curve, or one that is broken: not the certificate's
    return undefined
  }
}
