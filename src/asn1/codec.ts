import { type Element, parse } from './der.ts'
import { within } from './error.ts'

/** An ASN.1 type: its name, the identifiers it may start with, and how T is written and read. */
export interface Codec<T> {
  /** As the RFC spells it; starts every error path. */
  readonly name: string
  /** Whether an element with this identifier octet could be of the type. */
  starts(identifier: number): boolean
  /** The declaration as data, for whoever walks it: inspector, documentation, fuzzing. */
  readonly shape: Shape
  write(value: T): Uint8Array
  read(element: Element): T
}

/** What a type is made of. */
export type Shape =
  | { readonly kind: 'primitive' }
  | {
      readonly kind: 'sequence'
      readonly members: Readonly<Record<string, { readonly tag: number; readonly codec: Codec<unknown> }>>
    }
  | { readonly kind: 'sequenceOf' | 'explicit'; readonly of: Codec<unknown> }
  | { readonly kind: 'choice'; readonly alternatives: Readonly<Record<string, Codec<unknown>>> }

/** The TypeScript type that a codec reads and writes. */
export type Infer<C> = C extends Codec<infer T> ? T : never

/** DER of `value`. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  return codec.write(value)
}

/** Reads `der` as exactly one `codec` value. Throws {@link Asn1Error}. */
export function decode<T>(codec: Codec<T>, der: Uint8Array): T {
  return within(codec.name, () => codec.read(parse(der)))
}
