import { Codec } from './codec.ts'
import { Asn1Error } from './error.ts'
import { CONSTRUCTED, identifierOf, type tagClasses } from './identifiers.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** A tag around a whole element; the first identifier is written, any of them is read. */
export class Explicit<T> extends Codec<T> {
  /** What is in the tag. */
  readonly inner: Codec<T>
  /** The tag, as it is written in ASN.1. */
  readonly label: string
  readonly #first: number

  constructor(inner: Codec<T>, identifiers: readonly number[], label: string) {
    super(inner.name, identifiers, { kind: 'explicit', of: inner })
    this.inner = inner
    this.label = label
    this.#first = identifiers[0]!
  }

  override read(reader: Reader, end: number): T {
    const found = reader.peek(end)
    const known = found === this.#first || !this.starts(found) ? this.#first : found
    const stop = reader.enter(known, this.label, end)
    const value = this.inner.read(reader, stop)
    if (reader.at !== stop) throw overfull(this.label)
    return value
  }

  override write(value: T, writer: Writer): void {
    const before = writer.written
    this.inner.write(value, writer)
    writer.header(this.#first, writer.written - before)
  }

  override retagged(identifier: number): Codec<T> {
    return new Explicit(this.inner, [identifier], this.label)
  }
}

/** The failure of a tag around more than one element. */
export const overfull = (label: string): Asn1Error => new Asn1Error(`${label} holds more than one value`)

/** `[tag] EXPLICIT Type` where it stands by itself, as in a CHOICE (X.690 §8.14.2). */
export function explicit<T>(tag: number, codec: Codec<T>): Codec<T> {
  return new Explicit(codec, [identifierOf('context', tag, true)], `[${tag}]`)
}

/** `[APPLICATION tag] EXPLICIT Type`; of several tags the first is written, any is read. */
export function application<T>(tags: number | readonly [number, ...number[]], codec: Codec<T>): Codec<T> {
  const all = typeof tags === 'number' ? [tags] : tags
  const identifiers = all.map((tag) => identifierOf('application', tag, true))
  return new Explicit(codec, identifiers, `[APPLICATION ${all.join(' or ')}]`)
}

/**
 * `[tag] IMPLICIT Type`: the tag in place of the type's own (X.690 §8.14.3). A member of a SEQUENCE as it is, or inside
 * `optional`. Throws TypeError for a CHOICE or ANY, whose tags are not theirs to give (X.680 §31.2).
 */
export const implicit = <T>(tag: number, codec: Codec<T>): Codec<T> => retag('context', tag, codec)

/** `[APPLICATION tag] IMPLICIT Type`: [APPLICATION 0] frames the first token of a context (RFC 2743 §3.1). */
export const implicitApplication = <T>(tag: number, codec: Codec<T>): Codec<T> => retag('application', tag, codec)

function retag<T>(tagClass: keyof typeof tagClasses, tag: number, codec: Codec<T>): Codec<T> {
  const constructed = (codec.identifiers[0]! & CONSTRUCTED) !== 0
  return codec.retagged(identifierOf(tagClass, tag, constructed))
}
