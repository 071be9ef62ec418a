/** Types made of others: SEQUENCE, SEQUENCE OF, CHOICE, tags. @module */
import { Codec } from './codec.ts'
import { Asn1Error, outward } from './error.ts'
import { identifierOf, universal } from './identifiers.ts'
import { mismatch, type Reader } from './reader.ts'
import type { Writer } from './writer.ts'

interface Required<T> {
  readonly presence: 'required'
  readonly codec: Codec<T>
}
interface Optional<T> {
  readonly presence: 'optional'
  readonly codec: Codec<T>
}
interface Fixed {
  readonly presence: 'fixed'
  readonly codec: Codec<number>
  readonly value: number
}
type Member = Required<unknown> | Optional<unknown> | Fixed

/** `name [tag] Type` */
export function field<T>(tag: number, codec: Codec<T>): Required<T> {
  return { presence: 'required', codec: explicit(tag, codec) }
}

/** `name [tag] Type OPTIONAL` */
export function optional<T>(tag: number, codec: Codec<T>): Optional<T> {
  return { presence: 'optional', codec: explicit(tag, codec) }
}

/** `name [tag] INTEGER (value)`: always sent, always checked, never part of the decoded value. */
export function fixed(tag: number, codec: Codec<number>, value: number): Fixed {
  return { presence: 'fixed', codec: explicit(tag, codec), value }
}

type Simplify<T> = { [K in keyof T]: T[K] }

/** What a SEQUENCE of these members holds: fixed ones vanish, optional ones may be absent. */
export type SequenceValue<M> = Simplify<
  {
    readonly [K in keyof M as M[K] extends Required<unknown> ? K : never]: M[K] extends Required<infer T> ? T : never
  } & {
    readonly [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: M[K] extends Optional<infer T>
      ? T | undefined
      : never
  }
>

/** A member as it is walked: its key, its only identifier octet, and how it is there. */
interface Entry {
  readonly key: string
  readonly identifier: number
  readonly codec: Codec<unknown>
  readonly optional: boolean
  readonly fixed: number | undefined
}

class Sequence<M extends Readonly<Record<string, Member>>> extends Codec<SequenceValue<M>> {
  readonly #entries: readonly Entry[]
  readonly #identifier: number

  constructor(name: string, members: M, identifier: number = universal.sequence) {
    const shapes = Object.fromEntries(Object.entries(members).map(([key, { codec }]) => [key, codec as Codec<unknown>]))
    super(name, [identifier], { kind: 'sequence', members: shapes })
    this.#identifier = identifier
    this.#members = members
    this.#entries = Object.entries(members).map(([key, member]) => ({
      key,
      identifier: member.codec.identifiers[0]!,
      codec: member.codec as Codec<unknown>,
      optional: member.presence === 'optional',
      fixed: member.presence === 'fixed' ? member.value : undefined,
    }))
  }

  readonly #members: M

  override read(reader: Reader, end: number): SequenceValue<M> {
    const stop = reader.enter(this.#identifier, 'SEQUENCE', end)
    const entries = this.#entries
    const value: Record<string, unknown> = {}
    let i = 0
    try {
      for (; i < entries.length; i++) {
        const entry = entries[i]!
        if (reader.peek(stop) !== entry.identifier) {
          if (entry.optional) continue
          throw new Asn1Error('missing')
        }
        const content = entry.codec.read(reader, stop)
        if (entry.fixed === undefined) value[entry.key] = content
        else if (content !== entry.fixed) throw new Asn1Error(`expected ${entry.fixed}, found ${String(content)}`)
      }
    } catch (error) {
      throw outward(entries[i]!.key, error)
    }
    while (reader.at < stop) this.#skipUnknown(reader, stop)
    return value as SequenceValue<M>
  }

  override write(value: SequenceValue<M>, writer: Writer): void {
    const before = writer.written
    const given = value as Record<string, unknown>
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { key, codec, optional, fixed } = this.#entries[i]!
      const content = fixed ?? given[key]
      if (content === undefined) {
        if (optional) continue
        throw new TypeError(`${this.name}.${key} is missing`)
      }
      codec.write(content, writer)
    }
    writer.header(this.#identifier, writer.written - before)
  }

  override retagged(identifier: number): Codec<SequenceValue<M>> {
    return new Sequence(this.name, this.#members, identifier)
  }

  /** Members after the last known one are passed over: RFC 4120 types grow that way. Known ones out of order are not. */
  #skipUnknown(reader: Reader, stop: number): void {
    const identifier = reader.peek(stop)
    const known = this.#entries.find((entry) => entry.identifier === identifier)
    if (known) throw new Asn1Error('out of order, or given twice', known.key)
    reader.skip(stop)
  }
}

/** SEQUENCE whose members carry explicit context tags. Unknown members after the last known one are skipped. */
export function sequence<const M extends Readonly<Record<string, Member>>>(
  name: string,
  members: M,
): Codec<SequenceValue<M>> {
  return new Sequence(name, members)
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

/** SEQUENCE OF */
export const sequenceOf = <T>(item: Codec<T>): Codec<readonly T[]> => new SequenceOf(item)

/** `[tag] EXPLICIT Type`; the first identifier is written, any of them is read. */
class Explicit<T> extends Codec<T> {
  readonly #inner: Codec<T>
  readonly #label: string

  constructor(inner: Codec<T>, identifiers: readonly number[], label: string) {
    super(inner.name, identifiers, { kind: 'explicit', of: inner })
    this.#inner = inner
    this.#label = label
  }

  override read(reader: Reader, end: number): T {
    const found = reader.peek(end)
    const identifier = this.starts(found) ? found : this.identifiers[0]!
    const stop = reader.enter(identifier, this.#label, end)
    const value = this.#inner.read(reader, stop)
    if (reader.at !== stop) throw new Asn1Error('an explicit tag holds exactly one value')
    return value
  }

  override write(value: T, writer: Writer): void {
    const before = writer.written
    this.#inner.write(value, writer)
    writer.header(this.identifiers[0]!, writer.written - before)
  }
}

/** `[tag] EXPLICIT Type`, wherever a tagged type stands by itself. */
export const explicit = <T>(tag: number, codec: Codec<T>): Codec<T> =>
  new Explicit(codec, [identifierOf('context', tag, true)], `[${tag}]`)

/** `[APPLICATION tag] Type`; of several tags the first is written, any is read. */
export function application<T>(tags: number | readonly number[], codec: Codec<T>): Codec<T> {
  const list = typeof tags === 'number' ? [tags] : tags
  const identifiers = list.map((tag) => identifierOf('application', tag, true))
  return new Explicit(codec, identifiers, `[APPLICATION ${list[0]}]`)
}

/** `[tag] IMPLICIT Type`: the type under another tag. */
export function implicit<T>(tag: number, codec: Codec<T>): Codec<T> {
  const constructed = ((codec.identifiers[0] ?? 0) & 0x20) !== 0
  return codec.retagged(identifierOf('context', tag, constructed))
}

/** A value together with the very octets it was read from: what a checksum must cover. */
export interface Encoded<T> {
  readonly value: T
  /** A view of the input. */
  readonly der: Uint8Array
}

class EncodedValue<T> extends Codec<Encoded<T>> {
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
}

/** Keeps the octets of `codec` beside its value; writes the octets back untouched. */
export const encoded = <T>(codec: Codec<T>): Codec<Encoded<T>> => new EncodedValue(codec)

type Alternatives = Readonly<Record<string, Codec<unknown>>>

/** One named alternative and its value: `{ kind: 'asRep', value: ... }`. */
export type ChoiceValue<A> = {
  [K in keyof A]: { readonly kind: K; readonly value: A[K] extends Codec<infer T> ? T : never }
}[keyof A]

class Choice<A> extends Codec<ChoiceValue<A>> {
  readonly #alternatives: Alternatives
  readonly #kinds = new Map<number, string>()

  constructor(name: string, alternatives: Alternatives) {
    super(
      name,
      Object.values(alternatives).flatMap(({ identifiers }) => identifiers),
      { kind: 'choice', alternatives },
    )
    this.#alternatives = alternatives
    for (const [kind, codec] of Object.entries(alternatives))
      for (const identifier of codec.identifiers) if (!this.#kinds.has(identifier)) this.#kinds.set(identifier, kind)
  }

  override read(reader: Reader, end: number): ChoiceValue<A> {
    const identifier = reader.peek(end)
    const kind = this.#kinds.get(identifier)
    if (kind === undefined)
      throw identifier < 0
        ? mismatch(this.name, identifier)
        : new Asn1Error(`no alternative has tag 0x${identifier.toString(16)}`)
    return { kind, value: this.#alternatives[kind]!.read(reader, end) } as ChoiceValue<A>
  }

  override write(value: ChoiceValue<A>, writer: Writer): void {
    this.#alternatives[value.kind as string]!.write(value.value, writer)
  }
}

/** CHOICE, told apart by the first identifier octet. */
export function choice<const A extends Alternatives>(name: string, alternatives: A): Codec<ChoiceValue<A>> {
  return new Choice<A>(name, alternatives)
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
}

/** The same wire type seen as another TypeScript type. */
export function mapped<T, U>(name: string, codec: Codec<T>, from: (wire: T) => U, to: (value: U) => T): Codec<U> {
  return new Mapped(name, codec, from, to)
}
