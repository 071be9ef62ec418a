import { krbFxCf2 } from '../../../crypto/derive.ts'
import type { Key } from '../../../crypto/key.ts'

/** The key of one side's challenge (RFC 6113 §5.4.6), the caller's to wipe. */
export const challengeKey = (side: 'client' | 'kdc', armorKey: Key, longTermKey: Key): Key =>
  krbFxCf2(armorKey, longTermKey, `${side}challengearmor`, 'challengelongterm')
