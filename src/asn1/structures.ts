/** Types made of others: SEQUENCE and tags in files of their own, the rest here. @module */
import { Codec } from './codec.ts'
import { Asn1Error, outward } from './error.ts'
import { universal } from './identifiers.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export { defaulted, field, fixed, optional, plainSequence, type SequenceValue, sequence } from './sequence.ts'
export { application, explicit, implicit, implicitApplication } from './tags.ts'

/** SEQUENCE OF */
export function sequenceOf<T>(item: Codec<T>): Codec<readonly T[]> {
  return new SequenceOf(item)
}

class SequenceOf<T> extends Codec<readonly T[]> {
  readonly #item: Codec<T>
  readonly #identifier: number

  constructor(item: Codec<T>, identifier: number = universal.sequence) {
    super(`SEQUENCE OF ${item.name}`, [identifier], { kind: 'sequenceOf', of: item })
    this.#item = item
    this.#identifier = identifier
  }

  override read(reader: Reader, end: number): readonly T[] {
    const stop = reader.enter(this.#identifier, 'SEQUENCE OF', end)
    const values: T[] = []
    try {
      while (reader.at < stop) values.push(this.#item.read(reader, stop))
    } catch (error) {
      throw outward(`[${values.length}]`, error)
    }
    return values
  }

  override write(values: readonly T[], writer: Writer): void {
    const before = writer.written
    for (let i = values.length - 1; i >= 0; i--) this.#item.write(values[i]!, writer)
    writer.header(this.#identifier, writer.written - before)
  }

  override retagged(identifier: number): Codec<readonly T[]> {
    return new SequenceOf(this.#item, identifier)
  }
}

type Alternatives = Readonly<Record<string, Codec<unknown>>>

/** One named alternative and its value: `{ kind: 'asRep', value: ... }`. */
export type ChoiceValue<A> = {
  [K in keyof A]: { readonly kind: K; readonly value: A[K] extends Codec<infer T> ? T : never }
}[keyof A]

/** CHOICE, told apart by the first identifier octet. Throws TypeError if two alternatives share one. */
export function choice<const A extends Alternatives>(name: string, alternatives: A): Codec<ChoiceValue<A>> {
  return new Choice<A>(name, alternatives)
}

class Choice<A extends Alternatives> extends Codec<ChoiceValue<A>> {
  readonly #alternatives: A
  readonly #kinds = new Map<number, keyof A & string>()

  constructor(name: string, alternatives: A) {
    const identifiers = Object.values(alternatives).flatMap((codec) => codec.identifiers)
    super(name, identifiers, { kind: 'choice', alternatives })
    this.#alternatives = alternatives
    for (const [kind, codec] of Object.entries(alternatives))
      for (const identifier of codec.identifiers) {
        const other = this.#kinds.get(identifier)
        if (other !== undefined) throw new TypeError(`${name}: ${kind} cannot be told from ${other}`)
        this.#kinds.set(identifier, kind)
      }
  }

  override read(reader: Reader, end: number): ChoiceValue<A> {
    const found = reader.peek(end)
    const kind = this.#kinds.get(found)
    if (kind === undefined)
      throw new Asn1Error(
        found < 0 ? `expected ${this.name}, found nothing` : `no alternative has tag 0x${found.toString(16)}`,
      )
    return { kind, value: this.#alternatives[kind]!.read(reader, end) } as ChoiceValue<A>
  }

  override write({ kind, value }: ChoiceValue<A>, writer: Writer): void {
    const alternative = Object.hasOwn(this.#alternatives, kind) ? this.#alternatives[kind] : undefined
    if (alternative === undefined) throw new TypeError(`${this.name} has no alternative called ${String(kind)}`)
    alternative.write(value, writer)
  }
}

/** A value together with the very octets it was read from: what a checksum must cover. */
export interface Encoded<T> {
  readonly value: T
  /** The whole element, a view of the input. */
  readonly der: Uint8Array
}

/** Keeps the octets of `codec` beside its value; writes the octets back untouched. */
export function encoded<T>(codec: Codec<T>): Codec<Encoded<T>> {
  return new WithOctets(codec)
}

class WithOctets<T> extends Codec<Encoded<T>> {
  readonly #inner: Codec<T>

  constructor(inner: Codec<T>) {
    super(inner.name, inner.identifiers, inner.shape)
    this.#inner = inner
  }

  override read(reader: Reader, end: number): Encoded<T> {
    const start = reader.at
    const value = this.#inner.read(reader, end)
    return { value, der: reader.octets.subarray(start, reader.at) }
  }

  override write({ der }: Encoded<T>, writer: Writer): void {
    writer.write(der)
  }

  override retagged(identifier: number): Codec<Encoded<T>> {
    return new WithOctets(this.#inner.retagged(identifier))
  }
}

/** The same wire type seen as another TypeScript type; `from` refuses by throwing Asn1Error. */
export function mapped<T, U>(name: string, codec: Codec<T>, from: (wire: T) => U, to: (value: U) => T): Codec<U> {
  return new Mapped(name, codec, from, to)
}

class Mapped<T, U> extends Codec<U> {
  readonly #wire: Codec<T>
  readonly #from: (wire: T) => U
  readonly #to: (value: U) => T

  constructor(name: string, wire: Codec<T>, from: (wire: T) => U, to: (value: U) => T) {
    super(name, wire.identifiers, wire.shape)
    this.#wire = wire
    this.#from = from
    this.#to = to
  }

  override read(reader: Reader, end: number): U {
    return this.#from(this.#wire.read(reader, end))
  }

  override write(value: U, writer: Writer): void {
    this.#wire.write(this.#to(value), writer)
  }

  override retagged(identifier: number): Codec<U> {
    return new Mapped(this.name, this.#wire.retagged(identifier), this.#from, this.#to)
  }
}
