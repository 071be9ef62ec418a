import { CryptoEngine } from 'pkijs'
import { CmsError } from './error.ts'

/** An engine over the runtime's WebCrypto; handed to every call of pkijs, whose process-wide one stays out of use. */
export function webCryptoEngine(): CryptoEngine {
  return new CryptoEngine({ name: 'kerb', crypto: globalThis.crypto })
}

/** Octets in a buffer of their own, which is all that pkijs and WebCrypto take. */
export const ownBuffer = (octets: Uint8Array): ArrayBuffer => new Uint8Array(octets).buffer

/** Most octets that are parsed as one certificate, list or signed message. */
const MAX_SIZE = 1024 * 1024

/** What `parse` reads out of `der`. Throws CmsError `malformed`, whatever the library throws. */
export function readBer<T>(what: string, der: Uint8Array, parse: (der: ArrayBuffer) => T): T {
  if (der.length > MAX_SIZE) throw new CmsError('malformed', `${what} of ${der.length} octets is too large`)
  try {
    return parse(ownBuffer(der))
  } catch (cause) {
    if (cause instanceof CmsError) throw cause
    throw new CmsError('malformed', `not ${what}`, { cause })
  }
}

/** As {@link readBer}, for work by promise on what a peer sent: the library may throw anything over it. */
export async function guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof CmsError) throw cause
    throw new CmsError('malformed', `${what} cannot be worked with`, { cause })
  }
}
