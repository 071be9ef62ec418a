import type { Questions } from '../effects/index.ts'
import { type Credentials, GssError, type Mechanism, type Oid } from '../gss/index.ts'

/** Whether `name` is one of the names of `mechanism`. */
export function answersTo({ oid, aliases }: Pick<Mechanism<never>, 'oid' | 'aliases'>, name: Oid): boolean {
  return oid === name || aliases.includes(name)
}

/**
 * What can be negotiated with `credentials`, in decreasing preference: the mechanisms that they have an element of, or of
 * these the ones that were set (RFC 4178 §A.1). Throws {@link GssError} GSS_S_NO_CRED when there are none.
 */
export function negotiable<Q extends Questions<Q>>(
  mechanisms: readonly Mechanism<Q>[],
  credentials: Credentials,
): readonly Mechanism<Q>[] {
  const usable = mechanisms.filter(({ oid }) => credentials.element(oid))
  const { negMechs } = credentials
  const wanted = negMechs?.flatMap((name) => usable.find((mechanism) => answersTo(mechanism, name)) ?? []) ?? usable
  if (wanted.length > 0) return wanted
  const set = negMechs && usable.length > 0 ? `, of which none was set to be negotiated` : ''
  throw new GssError('GSS_S_NO_CRED', `no credentials for ${mechanisms.map(({ name }) => name).join(', ')}${set}`)
}
