/** Any token, message or file of Kerberos explained line by line, from the schemas that it is read with. @module */
import type { Codec } from '../asn1/codec.ts'
import type { ServiceKey } from '../krb5/credential.ts'
import { explainCapture } from './captured.ts'
import { octetsOf } from './input.ts'
import { KeyRing } from './keyring.ts'
import { type Item, Outline } from './outline.ts'
import { explainOctets } from './recognize.ts'
import { before, rules } from './rules.ts'
import type { Scope } from './scope.ts'
import { Walk } from './walk.ts'

export { formatItems, type Item } from './outline.ts'

/** What to open sealed parts with, and whether to show what was found there. */
export interface InspectOptions {
  /** Keys of a keytab; they stay the caller's to wipe. */
  readonly keys?: readonly ServiceKey[]
  /** Tried as the password of every principal that is named, with the salts that the KDC announced. */
  readonly password?: string | undefined
  /** Show keys and new passwords: whoever sees them has them. */
  readonly showKeys?: boolean
}

/**
 * Explains octets, or text that stands for them (hexadecimal, base64, a dump, a header `Negotiate …`), auto-detected.
 * Several messages are explained in their order, each with the keys that were found in those before it. What cannot be
 * read is told in lines labelled `!`. Throws TypeError for text that stands for no octets, and for more than 16 MiB.
 */
export function inspect(input: Uint8Array | string, options: InspectOptions = {}): readonly Item[] {
  const { keys = [], password, showKeys = false } = options
  using ring = new KeyRing(keys, password)
  const outline = new Outline()
  const scope: Scope = {
    ring,
    showKeys,
    walk: (codec: Codec<unknown>, octets, inner, label = codec.name) =>
      new Walk(octets, scope, rules, before).run(codec, inner, label),
    explain: (octets, inner) => explainOctets(octets, inner, scope),
  }
  for (const octets of octetsOf(input)) if (!explainCapture(octets, outline, scope)) scope.explain(octets, outline)
  return outline.items
}
