/** Certificates and private keys in the files that OpenSSL writes (RFC 7468, RFC 5958, RFC 8017, RFC 5915). @module */
import { PKCS8ShroudedKeyBag } from 'pkijs'
import { decode, encode } from '../asn1/codec.ts'
import { anyValue, integer, objectIdentifier, octetString } from '../asn1/primitives.ts'
import { optional, plainSequence, sequence } from '../asn1/structures.ts'
import { fromBase64 } from '../bytes/index.ts'
import { decryptKey } from './encryption.ts'
import { readBer } from './engine.ts'
import { CmsError } from './error.ts'
import { type Identity, keyIdentity } from './identity.ts'
import { keyTypes } from './oids.ts'

/** Longest text, and most blocks, of a file that is read. */
const MAX_TEXT = 4 * 1024 * 1024
const MAX_BLOCKS = 1024
/** Longest line that begins a block. */
const MAX_LINE = 128
const DASHES = '-----'
const BEGIN = `${DASHES}BEGIN `

/** One `-----BEGIN label-----` block. */
interface PemBlock {
  readonly label: string
  readonly der: Uint8Array
}

/** The DER of every certificate in a PEM file; a file of DER is one certificate. Throws CmsError `malformed`. */
export function certificatesFromPem(file: string | Uint8Array): readonly Uint8Array[] {
  return blocksOf(file, 'CERTIFICATE')
    .filter(({ label }) => /^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label))
    .map(({ der }) => der)
}

/** The DER of every certificate revocation list in a PEM file; a file of DER is one list. Throws CmsError `malformed`. */
export function revocationListsFromPem(file: string | Uint8Array): readonly Uint8Array[] {
  return blocksOf(file, 'X509 CRL')
    .filter(({ label }) => label === 'X509 CRL')
    .map(({ der }) => der)
}

/** What it takes to read a private key. */
export interface PemFiles {
  /** PEM, the signer's certificate and those of its chain, in any order. */
  readonly certificate: string | Uint8Array
  /** PEM; the certificate's file unless given. */
  readonly key?: string | Uint8Array | undefined
  /** Of an encrypted key. */
  readonly password?: string | undefined
}

/** The identity in PEM files: PKCS#8, encrypted PKCS#8, PKCS#1 and SEC1 keys. Throws CmsError. */
export async function pemIdentity({ certificate, key = certificate, password }: PemFiles): Promise<Identity> {
  const block = blocksOf(key, 'PRIVATE KEY').find(({ label }) => label.endsWith('PRIVATE KEY'))
  if (!block) throw new CmsError('malformed', 'no private key in the file')
  return keyIdentity(await pkcs8Of(block, password), certificatesFromPem(certificate))
}

function blocksOf(file: string | Uint8Array, labelOfDer: string): readonly PemBlock[] {
  // DER begins with a SEQUENCE, PEM never does
  if (file instanceof Uint8Array && file[0] === 0x30) return [{ label: labelOfDer, der: file }]
  const text = typeof file === 'string' ? file : new TextDecoder().decode(file)
  if (text.length > MAX_TEXT) throw new CmsError('malformed', `a PEM file of more than ${MAX_TEXT} characters`)
  const blocks: PemBlock[] = []
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    const [first = ''] = text.slice(at, at + MAX_LINE).split('\n', 1)
    const label = first.trimEnd().slice(BEGIN.length, -DASHES.length)
    const end = text.indexOf(`-----END ${label}-----`, at)
    if (end < 0) break
    if (blocks.length >= MAX_BLOCKS) throw new CmsError('malformed', `more than ${MAX_BLOCKS} blocks in a PEM file`)
    blocks.push({ label, der: bodyOf(text.slice(at + first.length, end), label) })
    at = end
  }
  return blocks
}

function bodyOf(text: string, label: string): Uint8Array {
  if (/^Proc-Type:/m.test(text))
    throw new CmsError(
      'unsupported',
      `the ${label} is encrypted in the old way; convert it: openssl pkcs8 -topk8 -in OLD -out NEW`,
    )
  try {
    return fromBase64(text)
  } catch (cause) {
    throw new CmsError('malformed', `the ${label} in a PEM file is not base64`, { cause })
  }
}

const anyInteger = integer('INTEGER', 0, 2 ** 31)
const PrivateKeyInfoDer = plainSequence('PrivateKeyInfo', {
  version: anyInteger,
  algorithm: plainSequence('AlgorithmIdentifier', { algorithm: objectIdentifier, parameters: optional(anyValue) }),
  privateKey: octetString,
})
const NULL = Uint8Array.of(5, 0)

/** The key as PKCS#8, in which WebCrypto takes it. */
async function pkcs8Of({ label, der }: PemBlock, password: string | undefined): Promise<Uint8Array> {
  switch (label) {
    case 'PRIVATE KEY':
      return der
    case 'ENCRYPTED PRIVATE KEY':
      return decrypt(der, password)
    case 'RSA PRIVATE KEY':
      return encode(PrivateKeyInfoDer, {
        version: 0,
        algorithm: { algorithm: keyTypes.rsa, parameters: NULL },
        privateKey: der,
      })
    case 'EC PRIVATE KEY':
      return encode(PrivateKeyInfoDer, {
        version: 0,
        algorithm: { algorithm: keyTypes.ec, parameters: curveOf(der) },
        privateKey: der,
      })
    default:
      throw new CmsError('unsupported', `a ${label} is not a key that signs; RSA and EC keys are`)
  }
}

/** The curve that an EC key names (RFC 5915 §3), as DER. */
function curveOf(der: Uint8Array): Uint8Array {
  const { parameters } = readBer('an EC private key', der, (octets) => decode(EcPrivateKey, new Uint8Array(octets)))
  if (!parameters) throw new CmsError('malformed', 'the EC private key does not name its curve')
  return parameters
}

/** RFC 5915 §3; the public key behind the curve is not needed. */
const EcPrivateKey = sequence('ECPrivateKey', {
  version: integer('INTEGER', 1, 1),
  privateKey: octetString,
  parameters: optional(0, anyValue),
  publicKey: optional(1, anyValue),
})

/** The PKCS#8 key inside an encrypted one. */
async function decrypt(der: Uint8Array, password: string | undefined): Promise<Uint8Array> {
  const bag = readBer('an encrypted private key', der, (octets) => PKCS8ShroudedKeyBag.fromBER(octets))
  if (password === undefined) throw new CmsError('password', 'the private key is encrypted, and no password was given')
  return decryptKey(bag, password)
}
