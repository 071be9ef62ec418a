/** Reading what a KDC sent: failures name where it came from. @module */
import { Asn1Error } from '../asn1/error.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { enctypeName, enctypeRefusal } from '../crypto/enctypes/table.ts'
import { Key } from '../crypto/key.ts'
import type { Env } from './env.ts'
import { KrbError } from './errors.ts'
import type { EncryptionKey } from './messages/basics.ts'

/** Where a reply came from, for errors. */
export interface ReplyOrigin {
  readonly step: string
  readonly realm: string
  readonly kdc: string
}

/** Runs `read`, turning a schema failure into KrbError REPLY_MALFORMED. */
export function readable<T>(read: () => T, origin: Partial<ReplyOrigin> & Pick<ReplyOrigin, 'step'>): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new KrbError('REPLY_MALFORMED', `the answer to our ${origin.step} cannot be read (${cause.message})`, {
      ...origin,
      cause,
    })
  }
}

/** The row of an enctype that the peer chose. Throws KrbError ENCTYPE_REFUSED unless `env` allows it. */
export function requireEnctype(
  id: number,
  { enctypes }: Pick<Env, 'enctypes'>,
  origin: Partial<ReplyOrigin>,
  what: string,
): Enctype {
  const enctype = enctypes.find((candidate) => candidate.id === id)
  if (!enctype)
    throw new KrbError(
      'ENCTYPE_REFUSED',
      `the ${what} has the enctype ${enctypeName(id)}, which was not offered: ${enctypeRefusal(id)}`,
      origin,
    )
  return enctype
}

/** The key in a message. Throws KrbError ENCTYPE_REFUSED, and REPLY_MALFORMED when its size is wrong. */
export function keyOf(
  { keytype, keyvalue }: EncryptionKey,
  env: Pick<Env, 'enctypes'>,
  origin: Partial<ReplyOrigin>,
  what: string,
): Key {
  const enctype = requireEnctype(keytype, env, origin, what)
  if (keyvalue.length !== enctype.keySize)
    throw new KrbError(
      'REPLY_MALFORMED',
      `the ${what} has ${keyvalue.length} octets, ${enctype.name} has ${enctype.keySize}`,
      origin,
    )
  return new Key(enctype, keyvalue)
}
