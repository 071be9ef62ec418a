/** External data representation (RFC 4506), as far as GSS-Proxy has it: a type is declared once, for both directions. @module */
import { BoundsError, OctetReader, OctetWriter } from '../bytes/cursor.ts'

/** Most items of one list: many times what any message of the protocol has. */
const MAX_ITEMS = 4096
/** XDR counts in words. */
const WORD = 4

/** Octets that are not what was to be read; `path` says where, as `ACCEPT_SEC_CONTEXT.credHandle.elements[0].mech`. */
export class XdrError extends Error {
  override readonly name = 'XdrError'
  readonly path: string

  constructor(reason: string, { path = '', ...options }: ErrorOptions & { readonly path?: string } = {}) {
    super(path ? `${path}: ${reason}` : reason, options)
    this.path = path
  }
}

/** A type of the protocol: how it is read and written, and its value when every word is zero. */
export interface Xdr<T> {
  readonly empty: T
  /** Throws {@link XdrError}. */
  read(reader: OctetReader): T
  write(value: T, writer: OctetWriter): void
}

/** The values of a type. */
export type Infer<C> = C extends Xdr<infer T> ? T : never

/** `unsigned int` (RFC 4506 §4.2). */
export const word: Xdr<number> = {
  empty: 0,
  read: (reader) => reader.uint32(),
  write: (value, writer) => writer.uint32(value),
}

/** `unsigned hyper` (RFC 4506 §4.5). */
export const hyper: Xdr<bigint> = {
  empty: 0n,
  read: (reader) => reader.uint64(),
  write: (value, writer) => writer.uint64(value),
}

/** `bool` (RFC 4506 §4.4). */
export const bool: Xdr<boolean> = {
  empty: false,
  read(reader) {
    const value = reader.uint32()
    if (value > 1) throw new XdrError(`${value} is no boolean`)
    return value === 1
  },
  write: (value, writer) => writer.uint32(Number(value)),
}

/** `opaque<>`: octets, with zeros up to a whole word (RFC 4506 §4.10). What is read is a view of the input. */
export const opaque: Xdr<Uint8Array> = {
  empty: new Uint8Array(0),
  read(reader) {
    const octets = reader.octets(reader.uint32())
    if (reader.octets(padding(octets.length)).some((octet) => octet !== 0))
      throw new XdrError('the padding is not zero')
    return octets
  },
  write: (value, writer) =>
    writer
      .uint32(value.length)
      .octets(value)
      .octets(new Uint8Array(padding(value.length))),
}

const padding = (size: number): number => (WORD - (size % WORD)) % WORD

/** `enum` by the names of its values (RFC 4506 §4.3). The one that is zero comes first. */
export function enumeration<N extends string>(values: Readonly<Record<N, number>>): Xdr<N> {
  const names = Object.keys(values) as N[]
  return {
    empty: names[0]!,
    read(reader) {
      const value = reader.uint32()
      const name = names.find((name) => values[name] === value)
      if (name === undefined) throw new XdrError(`${value} is none of ${names.join(', ')}`)
      return name
    },
    write: (name, writer) => writer.uint32(values[name]),
  }
}

/** `item<>`: a count, then so many (RFC 4506 §4.13). */
export function list<T>(item: Xdr<T>): Xdr<readonly T[]> {
  return {
    empty: [],
    read(reader) {
      const count = reader.uint32()
      if (count > MAX_ITEMS || count * WORD > reader.remaining)
        throw new XdrError(`${count} items are announced, ${reader.remaining} octets are left`)
      return Array.from({ length: count }, (_, i) => within(`[${i}]`, () => item.read(reader)))
    },
    write(items, writer) {
      writer.uint32(items.length)
      for (const one of items) item.write(one, writer)
    },
  }
}

/** `item *`: there or not (RFC 4506 §4.19). */
export function optional<T>(item: Xdr<T>): Xdr<T | undefined> {
  return {
    empty: undefined,
    read: (reader) => (bool.read(reader) ? item.read(reader) : undefined),
    write(value, writer) {
      bool.write(value !== undefined, writer)
      if (value !== undefined) item.write(value, writer)
    },
  }
}

type Fields = Readonly<Record<string, Xdr<unknown>>>

/** `struct`: its fields, one after the other (RFC 4506 §4.14). */
export function struct<F extends Fields>(fields: F): Xdr<{ readonly [K in keyof F]: Infer<F[K]> }> {
  type Value = { readonly [K in keyof F]: Infer<F[K]> }
  const entries = Object.entries(fields)
  return {
    empty: Object.fromEntries(entries.map(([name, { empty }]) => [name, empty])) as Value,
    read: (reader) =>
      Object.fromEntries(entries.map(([name, field]) => [name, within(`.${name}`, () => field.read(reader))])) as Value,
    write(value, writer) {
      for (const [name, field] of entries) field.write(value[name], writer)
    },
  }
}

/** What begins `octets`, and where it ends: what follows is the caller's to judge. Throws {@link XdrError}. */
export function decode<T>(
  type: Xdr<T>,
  octets: Uint8Array,
  name: string,
): { readonly value: T; readonly size: number } {
  const reader = new OctetReader(octets)
  const value = within(name, () => type.read(reader))
  return { value, size: reader.offset }
}

/** The octets of a value. */
export function encode<T>(type: Xdr<T>, value: T): Uint8Array<ArrayBuffer> {
  const writer = new OctetWriter()
  type.write(value, writer)
  return writer.finish()
}

/** Says in errors where they came up. */
function within<T>(segment: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof BoundsError) throw new XdrError(cause.message, { path: segment, cause })
    if (!(cause instanceof XdrError)) throw cause
    const reason = cause.path ? cause.message.slice(cause.path.length + 2) : cause.message
    throw new XdrError(reason, { path: `${segment}${cause.path}`, cause })
  }
}
