import { Asn1Error, within } from './error.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** An ASN.1 type: its name, the identifiers it may start with, and how T is read and written. */
export abstract class Codec<T> {
  /** As the RFC spells it; starts every error path. */
  readonly name: string
  /** Every identifier octet that an element of the type may start with. */
  readonly identifiers: readonly number[]
  /** The declaration as data, for whoever walks it: inspector, documentation, fuzzing. */
  readonly shape: Shape

  constructor(name: string, identifiers: readonly number[], shape: Shape) {
    this.name = name
    this.identifiers = identifiers
    this.shape = shape
  }

  /** Whether an element with this identifier octet could be of the type. */
  starts(identifier: number): boolean {
    return this.identifiers.includes(identifier)
  }

  /** The value of the element at the cursor, which must end by `end`; leaves the cursor behind it. Throws Asn1Error. */
  abstract read(reader: Reader, end: number): T

  /** Puts the element in front of what is written. Throws RangeError or TypeError when T cannot hold `value`. */
  abstract write(value: T, writer: Writer): void

  /** The same type under another identifier octet, as IMPLICIT asks (X.690 §8.14.3). */
  retagged(_identifier: number): Codec<T> {
    throw new TypeError(`${this.name} has no tag of its own to replace (X.680 §31.2); use an explicit tag`)
  }
}

/** What a type is made of; members are listed with their tags on. */
export type Shape =
  | { readonly kind: 'primitive' | 'any' }
  | { readonly kind: 'sequence'; readonly members: Readonly<Record<string, Codec<unknown>>> }
  | { readonly kind: 'sequenceOf' | 'explicit'; readonly of: Codec<unknown> }
  | { readonly kind: 'choice'; readonly alternatives: Readonly<Record<string, Codec<unknown>>> }

/** The TypeScript type that a codec reads and writes. */
export type Infer<C> = C extends Codec<infer T> ? T : never

/** Kept between calls, always cleared; taken while in use, so that a nested call starts one of its own. */
let spare: Writer | undefined

/** Lends a writer to `use`, which is empty before and overwritten afterwards. */
export function withWriter<R>(use: (writer: Writer) => R): R {
  const writer = spare ?? new Writer()
  spare = undefined
  try {
    return use(writer)
  } finally {
    writer.clear()
    spare = writer
  }
}

/** DER of `value`, in an array of its own. Throws RangeError or TypeError when the type cannot hold `value`. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  return withWriter((writer) => {
    codec.write(value, writer)
    return writer.finish()
  })
}

/** As {@link encode}, for a message on its way: what is short is a view of a buffer that holds others, too. */
export function encodeShort<T>(codec: Codec<T>, value: T): Uint8Array {
  return withWriter((writer) => {
    codec.write(value, writer)
    return writer.finishShort()
  })
}

/**
 * Shows `use` the DER of `value`, which is overwritten as soon as that returns: for what holds keys. Throws RangeError or
 * TypeError when the type cannot hold `value`, and what `use` throws.
 */
export function withEncoding<T, R>(codec: Codec<T>, value: T, use: (der: Uint8Array) => R): R {
  return withWriter((writer) => {
    codec.write(value, writer)
    return use(writer.view())
  })
}

/**
 * Reads `der` as exactly one `codec` value, whose octet strings are views of `der`.
 * Throws {@link Asn1Error} for anything but DER (X.690 §10, §11) of that type.
 */
export function decode<T>(codec: Codec<T>, der: Uint8Array): T {
  return within(codec.name, () => {
    const reader = new Reader(der)
    const value = codec.read(reader, der.length)
    if (reader.at !== der.length) throw new Asn1Error(`${der.length - reader.at} octets follow the value`)
    return value
  })
}

/** Reads a `codec` value from the front of `octets`; `rest` is a view of what follows it. Throws {@link Asn1Error}. */
export function decodePrefix<T>(codec: Codec<T>, octets: Uint8Array): { readonly value: T; readonly rest: Uint8Array } {
  return within(codec.name, () => {
    const reader = new Reader(octets)
    const value = codec.read(reader, octets.length)
    return { value, rest: octets.subarray(reader.at) }
  })
}
