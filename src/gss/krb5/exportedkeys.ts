/** Keys on their way into exported contexts, and out of them. @module */
import { enctypeById, enctypeName } from '../../crypto/enctypes/table.ts'
import { Key } from '../../crypto/key.ts'
import type { Env } from '../../krb5/env.ts'
import type { EncryptionKey } from '../../krb5/messages/basics.ts'
import { GssError } from '../error.ts'
import { type ExportedContext, formatContext, wipeContext } from './exported.ts'

/** A copy of the key's octets, with their type. */
export const exportKey = (key: Key): EncryptionKey => ({ keytype: key.enctype.id, keyvalue: key.octets() })

/** As {@link formatContext}; the octets of the keys in `context` are overwritten. */
export function formatWiped(context: ExportedContext): Uint8Array {
  const token = formatContext(context)
  wipeContext(context)
  return token
}

/** The key, whose octets it copies. Throws {@link GssError} GSS_S_UNAVAILABLE for an enctype that is refused, GSS_S_DEFECTIVE_TOKEN. */
export function importKey({ keytype, keyvalue }: EncryptionKey, { enctypes }: Pick<Env, 'enctypes'>): Key {
  const enctype = enctypeById(keytype, enctypes)
  if (!enctype)
    throw new GssError(
      'GSS_S_UNAVAILABLE',
      `the exported context has a key of ${enctypeName(keytype)}, which is refused`,
    )
  if (keyvalue.length !== enctype.keySize)
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `the exported context has a ${enctype.name} key of another size`)
  return new Key(enctype, keyvalue)
}
