import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Key } from '../../crypto/key.ts'
import type { Secrets } from '../../crypto/secrets.ts'
import type { Env } from '../env.ts'
import { KrbError } from '../errors.ts'
import { formatPrincipal, type Principal } from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import { defaultSalt, formatSalt, type KeyHint, type LongTermSecret } from '../secret.ts'

/** Where the KDC told nothing of the key: the default salt and the first enctype. */
export const defaultHint = ([enctype]: readonly Enctype[], client: Principal): KeyHint => ({
  enctype: enctype!,
  salt: defaultSalt(client),
})

/** What tells two hints apart. */
export const hintId = ({ enctype, salt, parameters }: KeyHint): string =>
  [enctype.id, salt.join(' '), parameters?.join(' ')].join('|')

/** Makes each long-term key once, since a password's takes thousands of hash rounds; `secrets` wipes them. */
export function longTermKeys(
  client: Principal,
  secret: LongTermSecret | undefined,
  secrets: Secrets,
  env: Env,
): (hint: KeyHint) => KrbExchange<Key> {
  const made = new Map<string, Key>()
  return function* (hint) {
    const id = hintId(hint)
    const known = made.get(id)
    if (known) return known
    if (!secret)
      throw new KrbError('NO_KEY', `the KDC wants the long-term key of ${formatPrincipal(client)}`, {
        step: 'AS-REQ',
        hint: 'give a password or a keytab as well',
      })
    const key = secrets.keep(yield* makeKey(secret, hint))
    made.set(id, key)
    const { enctype, salt } = hint
    env.trace?.({ kind: 'key', principal: formatPrincipal(client), enctype: enctype.name, salt: formatSalt(salt) })
    return key
  }
}

function* makeKey(secret: LongTermSecret, hint: KeyHint): KrbExchange<Key> {
  try {
    return yield* secret.key(hint)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new KrbError('REPLY_MALFORMED', cause.message, { step: 'AS-REQ', cause })
  }
}
