/** The checksums that bind an AuthPack to the body of its request (RFC 4556 §3.2.1, MS-PKCA §2.2.3). @module */
import { equal } from '../../../bytes/index.ts'
import { nobleHash } from '../../../crypto/primitives/noblehash.ts'
import type { HashName } from '../../../crypto/primitives/primitives.ts'
import { KrbError } from '../../errors.ts'
import type { AuthPack } from '../../messages/pkinit.ts'

/** Hash functions of paChecksum2 by their object identifiers (RFC 5754 §2). */
const hashOids = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const satisfies Partial<Record<HashName, string>>

type Checksums = Pick<AuthPack['pkAuthenticator'], 'paChecksum' | 'paChecksum2'>

/**
 * The checksums over the encoded KDC-REQ-BODY: SHA-1, which RFC 4556 wants, and with `both` SHA-256, which Windows Server
 * 2025 wants beside it. Not everybody gets both, as Heimdal 7.8 loses what follows a member that it does not know: those
 * KDCs do that know of freshness tokens, a member from after Heimdal 7.
 */
export const checksumsOf = (body: Uint8Array, both: boolean): Checksums => ({
  paChecksum: nobleHash('sha1', body),
  ...(both
    ? { paChecksum2: { checksum: nobleHash('sha256', body), algorithmIdentifier: { algorithm: hashOids.sha256 } } }
    : {}),
})

/**
 * Checks whatever checksums there are; one there must be. Throws KrbError KDC_ERR_PA_CHECKSUM_MUST_BE_INCLUDED and
 * KRB_AP_ERR_MODIFIED.
 */
export function requireChecksums({ paChecksum, paChecksum2 }: Checksums, body: Uint8Array): void {
  const strong = Object.entries(hashOids).find(([, oid]) => oid === paChecksum2?.algorithmIdentifier.algorithm)
  if (!paChecksum && !(paChecksum2 && strong))
    throw new KrbError('KDC_ERR_PA_CHECKSUM_MUST_BE_INCLUDED', 'no checksum that is known over the request')
  const fits =
    (!paChecksum || equal(paChecksum, nobleHash('sha1', body))) &&
    (!paChecksum2 || !strong || equal(paChecksum2.checksum, nobleHash(strong[0] as HashName, body)))
  if (!fits) throw new KrbError('KRB_AP_ERR_MODIFIED', 'the AuthPack was signed for another request')
}
