import { fromUtf8, utf8 } from '../bytes/index.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { Key } from '../crypto/key.ts'
import { KrbError } from './errors.ts'
import { formatPrincipal, type Principal } from './names.ts'
import { answered, askKrb, type KrbExchange } from './questions.ts'

/** Which long-term key the KDC wants: what ETYPE-INFO2 told (RFC 4120 §5.2.7.5). */
export interface KeyHint {
  readonly enctype: Enctype
  readonly salt: Uint8Array
  /** String-to-key parameters; undefined for the enctype's own. */
  readonly parameters?: Uint8Array | undefined
}

/** What a client proves itself with: the source of its long-term keys. */
export interface LongTermSecret {
  /** Numbers of the enctypes there are keys of; undefined for any. */
  readonly enctypes?: readonly number[] | undefined
  /** The key that `hint` calls for, the caller's to dispose of. Throws KrbError NO_KEY. */
  key(hint: KeyHint): KrbExchange<Key>
}

/** The salt of a principal that was never told another: realm and components, joined (RFC 4120 §4). */
export const defaultSalt = ({ realm, components }: Principal): Uint8Array => utf8(realm + components.join(''))

/** A password, asked for when first needed if `password` is undefined, and at most once. */
export function passwordSecret(client: Principal, password?: string): LongTermSecret {
  let known = password
  return {
    *key({ enctype, salt, parameters }) {
      known ??= yield* askKrb('prompt', { kind: 'password', text: `Password for ${formatPrincipal(client)}: ` })
      return Key.fromPassword(enctype, known, salt, parameters)
    },
  }
}

/** Keys as a keytab holds them, newest first; they stay the caller's, who gets copies. */
export function keysSecret(client: Principal, keys: readonly Key[]): LongTermSecret {
  return {
    enctypes: keys.map(({ enctype }) => enctype.id),
    key: ({ enctype }) =>
      answered(() => {
        const key = keys.find((candidate) => candidate.enctype.id === enctype.id)
        if (!key) throw new KrbError('NO_KEY', `no ${enctype.name} key of ${formatPrincipal(client)} is at hand`)
        return new Key(enctype, key.octets())
      }),
  }
}

/** A salt as text for people: escaped where it is not UTF-8. */
export function formatSalt(salt: Uint8Array): string {
  try {
    return fromUtf8(salt)
  } catch {
    return Array.from(salt, (octet) =>
      octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, '0')}`,
    ).join('')
  }
}
