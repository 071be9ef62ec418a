import {
  type AlgorithmIdentifier,
  EncryptedContentInfo,
  EncryptedData,
  PBES2Params,
  PBKDF2Params,
  type PKCS8ShroudedKeyBag,
} from 'pkijs'
import { utf8 } from '../bytes/index.ts'
import { ownBuffer, readBer, webCryptoEngine } from './engine.ts'
import { CmsError } from './error.ts'

const PBES2 = '1.2.840.113549.1.5.13'
/** AES-128, AES-192 and AES-256 in CBC mode. */
const aesCbc = /^2\.16\.840\.1\.101\.3\.4\.1\.(?:2|22|42)$/

/** Most rounds that a password is stretched by: seconds of work, where OpenSSL writes 2,048. */
const MAX_ITERATIONS = 10_000_000

/**
 * Holds the encryption of a key or a PKCS#12 file against what WebCrypto can do and what it may cost (RFC 8018 §6.2).
 * Throws CmsError `unsupported`, saying how to convert the file.
 */
export function requireModernEncryption({ algorithmId, algorithmParams }: AlgorithmIdentifier, what: string): void {
  if (algorithmId === PBES2) {
    const { keyDerivationFunc, encryptionScheme } = new PBES2Params({ schema: algorithmParams })
    const { iterationCount } = new PBKDF2Params({ schema: keyDerivationFunc.algorithmParams })
    boundIterations(iterationCount, what)
    if (aesCbc.test(encryptionScheme.algorithmId)) return
  }
  throw new CmsError(
    'unsupported',
    `the ${what} is encrypted in an old way (${algorithmId}); convert it to PBES2 with AES: openssl pkcs12 -legacy -in OLD -out PEM, or openssl pkcs8 -topk8 -v2 aes-256-cbc`,
  )
}

/** The PKCS#8 key inside an encrypted one (RFC 5958 §3). Throws CmsError `unsupported` or `password`. */
export async function decryptKey(bag: PKCS8ShroudedKeyBag, password: string): Promise<Uint8Array> {
  const { encryptionAlgorithm, encryptedData } = bag
  readBer('an encrypted private key', NOTHING, () => requireModernEncryption(encryptionAlgorithm, 'private key'))
  const encrypted = new EncryptedData({
    encryptedContentInfo: new EncryptedContentInfo({
      contentEncryptionAlgorithm: encryptionAlgorithm,
      encryptedContent: encryptedData,
    }),
  })
  try {
    return new Uint8Array(await encrypted.decrypt({ password: ownBuffer(utf8(password)) }, webCryptoEngine()))
  } catch (cause) {
    throw new CmsError('password', 'the private key does not open with this password', { cause })
  }
}

const NOTHING = new Uint8Array(0)

/** Throws CmsError `unsupported` for more rounds than anybody needs. */
export function boundIterations(count: number, what: string): void {
  if (!Number.isInteger(count) || count < 1 || count > MAX_ITERATIONS)
    throw new CmsError('unsupported', `the ${what} asks for ${count} rounds, more than ${MAX_ITERATIONS}`)
}
