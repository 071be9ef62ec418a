import { encryptedChallenge } from './challenge/client.ts'
import type { Preauth } from './mechanism.ts'
import { otp } from './otp/client.ts'
import { spake } from './spake/client.ts'
import { encryptedTimestamp } from './timestamp/client.ts'

/**
 * Ways for users with a password or a token, best first: what gives nobody on the way anything to guess passwords with,
 * then the encrypted timestamp.
 */
export const defaultPreauth: readonly Preauth[] = [encryptedChallenge, spake(), encryptedTimestamp, otp]
