import { encryptedChallenge } from './challenge/client.ts'
import type { Preauth } from './mechanism.ts'
import { otp } from './otp/client.ts'
import { spake } from './spake/client.ts'
import { spakeGroups } from './spake/groups.ts'
import { encryptedTimestamp } from './timestamp/client.ts'

/**
 * Ways for users with a password or a token, best first: what gives nobody on the way anything to guess passwords with,
 * then the encrypted timestamp.
 */
export const defaultPreauth: readonly Preauth[] = [encryptedChallenge, spake(), encryptedTimestamp, otp]

/** What a configuration says of ways to log in. */
export interface PreauthPolicy {
  readonly disableEncryptedTimestamp: boolean
  /** Numbers of PA-DATA types: ways of these come first, in this order. */
  readonly preferredPreauthTypes: readonly number[]
  /** Names of groups, best first; all when empty. */
  readonly spakeGroups: readonly string[]
}

/** The same ways as a configuration has them, with `first` before them unless it prefers others. */
export function preauthBy(policy: PreauthPolicy, first: readonly Preauth[] = []): readonly Preauth[] {
  const { disableEncryptedTimestamp, preferredPreauthTypes, spakeGroups: names } = policy
  const groups = names.flatMap((name) => spakeGroups.filter((group) => group.name === name))
  const ways = [...first, ...defaultPreauth].flatMap((way) => {
    if (way.name === encryptedTimestamp.name && disableEncryptedTimestamp) return []
    return way.name === 'SPAKE' && names.length > 0 ? spake(groups) : way
  })
  const rank = ({ types }: Preauth) => {
    const at = preferredPreauthTypes.findIndex((type) => types.includes(type))
    return at < 0 ? preferredPreauthTypes.length : at
  }
  return ways.sort((a, b) => rank(a) - rank(b))
}
