/** The types that are not made of others; each kind of contents has a file of its own. @module */
import { Codec } from './codec.ts'
import { anyIdentifier, universal } from './identifiers.ts'
import { Primitive } from './primitive.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export { type BitString, bitString, flags } from './bits.ts'
export { boolean, enumerated, integer } from './numbers.ts'
export { objectIdentifier } from './oid.ts'
export { generalString, ia5String, utf8String } from './text.ts'
export { generalizedTime } from './time.ts'

/**
 * A primitive type given as a pair of functions over its contents octets; `identifier` is the whole identifier octet.
 * `read` gets a view of the input and refuses by throwing Asn1Error.
 */
export function primitive<T>(
  name: string,
  identifier: number,
  write: (value: T) => Uint8Array,
  read: (contents: Uint8Array) => T,
): Codec<T> {
  return new Primitive<T>(name, identifier, {
    read: (octets, start, end) => read(octets.subarray(start, end)),
    write: (value, writer) => writer.write(write(value)),
  })
}

/** OCTET STRING, as a view of the input: nothing is copied, and whoever wipes the input wipes the value. */
export const octetString: Codec<Uint8Array> = new Primitive<Uint8Array>('OCTET STRING', universal.octetString, {
  read: (octets, start, end) => octets.subarray(start, end),
  write: (value, writer) => writer.write(value),
})

class AnyValue extends Codec<Uint8Array> {
  override read(reader: Reader, end: number): Uint8Array {
    const start = reader.at
    reader.skip(end)
    return reader.octets.subarray(start, reader.at)
  }

  override write(value: Uint8Array, writer: Writer): void {
    writer.write(value)
  }
}

/**
 * One element of any type, header and all, as a view of the input. Its length is checked, its contents are not looked
 * at; what is written is taken as it is.
 */
export const anyValue: Codec<Uint8Array> = new AnyValue('ANY', anyIdentifier, { kind: 'any' })
