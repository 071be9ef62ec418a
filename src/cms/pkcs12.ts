import { fromBER, OctetString } from 'asn1js'
import {
  CertBag,
  EncryptedData,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  type SafeBag,
  type SafeContents,
} from 'pkijs'
import { utf8 } from '../bytes/index.ts'
import { boundIterations, decryptKey, requireModernEncryption } from './encryption.ts'
import { ownBuffer, readBer, webCryptoEngine } from './engine.ts'
import { CmsError } from './error.ts'
import { type Identity, keyIdentity } from './identity.ts'

/** The content type of what a password encrypts (RFC 5652 §8). */
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'

/** The identity in a PKCS#12 file (RFC 7292): the private key, its certificate and the chain. Throws CmsError. */
export async function pkcs12Identity(file: Uint8Array, password: string): Promise<Identity> {
  const pfx = readBer('a PKCS#12 file', file, (octets) => PFX.fromBER(octets))
  const secret = ownBuffer(utf8(password))
  const engine = webCryptoEngine()
  boundIterations(pfx.macData?.iterations ?? 1, 'PKCS#12 file')
  await opens(() => pfx.parseInternalValues({ password: secret, checkIntegrity: true }, engine))
  const safe = pfx.parsedValue!.authenticatedSafe!
  for (const { contentType, content } of safe.safeContents)
    if (contentType === ENCRYPTED_DATA)
      readBer('a PKCS#12 file', file, () => {
        // out of a copy, as the library changes what it reads from
        const { encryptedContentInfo } = new EncryptedData({ schema: fromBER(content.toBER(false)).result })
        requireModernEncryption(encryptedContentInfo.contentEncryptionAlgorithm, 'PKCS#12 file')
      })
  const passwords = safe.safeContents.map(() => ({ password: secret }))
  await opens(() => safe.parseInternalValues({ safeContents: passwords }, engine))
  const contents: readonly { readonly value: SafeContents }[] = safe.parsedValue.safeContents
  const bags = contents.flatMap(({ value }) => value.safeBags)
  const certificates = bags.flatMap((bag) => (bag.bagValue instanceof CertBag ? certificateIn(bag.bagValue) : []))
  return keyIdentity(await keyIn(bags, password), certificates)
}

function certificateIn({ certValue }: CertBag): Uint8Array {
  if (!(certValue instanceof OctetString))
    throw new CmsError('unsupported', 'a PKCS#12 bag with something else than an X.509 certificate')
  return new Uint8Array(certValue.getValue())
}

async function keyIn(bags: readonly SafeBag[], password: string): Promise<Uint8Array> {
  for (const { bagValue } of bags) {
    if (bagValue instanceof PrivateKeyInfo) return new Uint8Array(bagValue.toSchema().toBER())
    if (!(bagValue instanceof PKCS8ShroudedKeyBag)) continue
    return decryptKey(bagValue, password)
  }
  throw new CmsError('malformed', 'no private key in the PKCS#12 file')
}

async function opens<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    throw new CmsError('password', 'the PKCS#12 file does not open with this password, or was damaged', { cause })
  }
}
