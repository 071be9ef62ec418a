import { Codec } from './codec.ts'
import { Asn1Error, outward } from './error.ts'
import { TAG_CLASS, TAG_NUMBER, tagClasses, universal } from './identifiers.ts'
import type { Reader } from './reader.ts'
import { Explicit, explicit, overfull } from './tags.ts'
import type { Writer } from './writer.ts'

interface Required<T> {
  readonly presence: 'required'
  readonly codec: Codec<T>
}
interface Optional<T> {
  readonly presence: 'optional'
  readonly codec: Codec<T>
}
interface Defaulted<T> {
  readonly presence: 'defaulted'
  readonly codec: Codec<T>
  readonly value: T
}
interface Fixed {
  readonly presence: 'fixed'
  readonly codec: Codec<number>
  readonly value: number
}
/** A codec by itself is a required member that has no tag but the type's own. */
type Member = Required<unknown> | Optional<unknown> | Defaulted<unknown> | Fixed | Codec<unknown>
type Members = Readonly<Record<string, Member>>
type PlainMembers = Readonly<Record<string, Optional<unknown> | Codec<unknown>>>

/** `name [tag] Type` */
export function field<T>(tag: number, codec: Codec<T>): Required<T> {
  return { presence: 'required', codec: explicit(tag, codec) }
}

/** `name [tag] Type OPTIONAL` */
export function optional<T>(tag: number, codec: Codec<T>): Optional<T>
/** `name Type OPTIONAL` */
export function optional<T>(codec: Codec<T>): Optional<T>
/** A member that may be absent: as undefined in the value, as nothing on the wire. */
export function optional<T>(tagOrCodec: number | Codec<T>, codec?: Codec<T>): Optional<T> {
  return { presence: 'optional', codec: typeof tagOrCodec === 'number' ? explicit(tagOrCodec, codec!) : tagOrCodec }
}

/**
 * `name [tag] Type DEFAULT value`: always in the decoded value. DER leaves the default out (X.690 §11.5), and one that
 * is written all the same is an Asn1Error.
 */
export function defaulted<T extends number | string | boolean>(
  tag: number,
  codec: Codec<T>,
  value: NoInfer<T>,
): Defaulted<T> {
  return { presence: 'defaulted', codec: explicit(tag, codec), value }
}

/** `name [tag] INTEGER (value)`: always sent, always checked, never part of the decoded value. */
export function fixed(tag: number, codec: Codec<number>, value: number): Fixed {
  return { presence: 'fixed', codec: explicit(tag, codec), value }
}

type Always<M> =
  M extends Required<infer T> ? T : M extends Defaulted<infer T> ? T : M extends Codec<infer T> ? T : never
type Simplify<T> = { [K in keyof T]: T[K] }

/** What a SEQUENCE of these members holds: fixed ones vanish, optional ones may be absent. */
export type SequenceValue<M> = Simplify<
  {
    readonly [K in keyof M as M[K] extends Optional<unknown> | Fixed ? never : K]: Always<M[K]>
  } & {
    readonly [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: M[K] extends Optional<infer T>
      ? T | undefined
      : never
  }
>

/** SEQUENCE, mostly of members under context tags. Unknown members with greater tags are skipped at its end. */
export function sequence<const M extends Members>(name: string, members: M): Codec<SequenceValue<M>> {
  return new Sequence(name, members, true)
}

/** SEQUENCE whose members carry no tags but their own, as AlgorithmIdentifier does; nothing may follow them. */
export function plainSequence<const M extends PlainMembers>(name: string, members: M): Codec<SequenceValue<M>> {
  return new Sequence(name, members, false)
}

/** A member as it is walked. */
interface Entry {
  readonly key: string
  readonly codec: Codec<unknown>
  /** The only identifier octet; undefined where there are several. */
  readonly identifier: number | undefined
  /** The tag of a member that has one, as it is written in ASN.1; walked here as well, as half of all elements are such tags. */
  readonly label: string | undefined
  /** What is in that tag; the whole member where there is none. */
  readonly inner: Codec<unknown>
  // out of `inner`: among so many kinds of codecs, V8 takes as long to find a method as to read a number
  readonly read: Codec<unknown>['read']
  readonly write: Codec<unknown>['write']
  readonly presence: 'required' | 'optional' | 'defaulted' | 'fixed'
  /** The default, or the fixed value. */
  readonly value: unknown
}

class Sequence<M extends Members> extends Codec<SequenceValue<M>> {
  readonly #members: M
  readonly #entries: readonly Entry[]
  readonly #lastTag: number
  readonly #extensible: boolean
  readonly #identifier: number

  constructor(name: string, members: M, extensible: boolean, identifier: number = universal.sequence) {
    const entries = Object.entries(members).map(([key, member]) => entryOf(key, member))
    checkTellable(name, entries)
    const codecs = Object.fromEntries(entries.map(({ key, codec }) => [key, codec]))
    super(name, [identifier], { kind: 'sequence', members: codecs })
    this.#members = members
    this.#entries = entries
    const tags = entries.flatMap(({ codec }) => codec.identifiers.filter(isContext))
    this.#lastTag = Math.max(-1, ...tags.map((identifier) => identifier & TAG_NUMBER))
    this.#extensible = extensible
    this.#identifier = identifier
  }

  override read(reader: Reader, end: number): SequenceValue<M> {
    const stop = reader.enter(this.#identifier, 'SEQUENCE', end)
    const entries = this.#entries
    const value: Record<string, unknown> = {}
    let i = 0
    try {
      for (; i < entries.length; i++) {
        const entry = entries[i]!
        const found = reader.peek(stop)
        if (found === entry.identifier || (entry.identifier === undefined && entry.codec.starts(found))) {
          const content = readMember(entry, reader, stop)
          if (entry.presence === 'fixed') checkFixed(entry, content)
          else value[entry.key] = content
          if (entry.presence === 'defaulted') checkNotDefault(entry, content)
        } else if (entry.presence === 'defaulted') value[entry.key] = entry.value
        else if (entry.presence !== 'optional') throw missing(found)
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
      const entry = this.#entries[i]!
      const content = entry.presence === 'fixed' ? entry.value : given[entry.key]
      if (content === undefined) {
        if (entry.presence === 'optional') continue
        throw new TypeError(`${this.name}.${entry.key} is missing`)
      }
      if (entry.presence === 'defaulted' && content === entry.value) continue
      const behind = writer.written
      entry.write.call(entry.inner, content, writer)
      if (entry.label !== undefined) writer.header(entry.identifier!, writer.written - behind)
    }
    writer.header(this.#identifier, writer.written - before)
  }

  override retagged(identifier: number): Codec<SequenceValue<M>> {
    return new Sequence(this.name, this.#members, this.#extensible, identifier)
  }

  /** A type grows by members with greater tags, and must be read all the same (RFC 4120 §1.5.1). */
  #skipUnknown(reader: Reader, stop: number): void {
    const found = reader.peek(stop)
    if (this.#extensible && isContext(found) && (found & TAG_NUMBER) > this.#lastTag) {
      reader.skip(stop)
      return
    }
    const known = this.#entries.find(({ codec }) => codec.starts(found))
    if (known) throw new Asn1Error('out of order, or given twice', known.key)
    throw new Asn1Error(`tag 0x${found.toString(16)} is not of a member, nor of one that may follow the last`)
  }
}

const isContext = (identifier: number) => (identifier & TAG_CLASS) === tagClasses.context

function entryOf(key: string, member: Member): Entry {
  const { codec, presence, value } =
    member instanceof Codec
      ? { codec: member, presence: 'required' as const, value: undefined }
      : { value: undefined, ...member }
  const identifier = codec.identifiers.length === 1 ? codec.identifiers[0] : undefined
  const tagged = codec instanceof Explicit && identifier !== undefined
  const label = tagged ? codec.label : undefined
  // A Codec<number> reads and writes unknown as far as a walk over all members can tell.
  const inner = (tagged ? codec.inner : codec) as Codec<unknown>
  const { read, write } = inner
  return { key, codec: codec as Codec<unknown>, identifier, label, inner, read, write, presence, value }
}

/** The value of a member whose identifier octet was looked at. */
function readMember(entry: Entry, reader: Reader, end: number): unknown {
  if (entry.label === undefined) return entry.read.call(entry.inner, reader, end)
  const stop = reader.open(end)
  const value = entry.read.call(entry.inner, reader, stop)
  if (reader.at !== stop) throw overfull(entry.label)
  return value
}

/** A member that may be absent must not look like one that may come in its place (X.680 §25). */
function checkTellable(name: string, entries: readonly Entry[]): void {
  for (const [i, { key, codec, presence }] of entries.entries()) {
    if (presence !== 'optional' && presence !== 'defaulted') continue
    for (const next of entries.slice(i + 1)) {
      if (next.codec.identifiers.some((identifier) => codec.starts(identifier)))
        throw new TypeError(`${name}: ${key} cannot be told from ${next.key}, which may come in its place`)
      if (next.presence === 'required' || next.presence === 'fixed') break
    }
  }
}

function checkFixed({ value }: Entry, found: unknown): void {
  if (found !== value) throw new Asn1Error(`expected ${String(value)}, found ${String(found)}`)
}

function checkNotDefault({ value }: Entry, found: unknown): void {
  if (found === value) throw new Asn1Error(`${String(value)} is the default, which DER leaves out`)
}

function missing(found: number): Asn1Error {
  return new Asn1Error(found < 0 ? 'missing' : `missing, found tag 0x${found.toString(16)} in its place`)
}
