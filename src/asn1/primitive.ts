import { Codec } from './codec.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** How the contents octets of a primitive type are read in place and written back to front; neither looks at `this`. */
export interface Contents<T> {
  /** The value that `octets` hold from `start` to `end`. Throws Asn1Error. */
  read(octets: Uint8Array, start: number, end: number): T
  /** Throws RangeError or TypeError when the type cannot hold `value`. */
  write(value: T, writer: Writer): void
}

/** A type of one tag whose contents are not elements. */
export class Primitive<T> extends Codec<T> {
  readonly #identifier: number
  readonly #contents: Contents<T>
  // beside their object: a call through it has to find its layout first, and there is one for each type
  readonly #read: Contents<T>['read']
  readonly #write: Contents<T>['write']

  constructor(name: string, identifier: number, contents: Contents<T>) {
    super(name, [identifier], { kind: 'primitive' })
    this.#identifier = identifier
    this.#contents = contents
    this.#read = contents.read
    this.#write = contents.write
  }

  override read(reader: Reader, end: number): T {
    const stop = reader.enter(this.#identifier, this.name, end)
    const value = this.#read(reader.octets, reader.at, stop)
    reader.at = stop
    return value
  }

  override write(value: T, writer: Writer): void {
    const before = writer.written
    this.#write(value, writer)
    writer.header(this.#identifier, writer.written - before)
  }

  override retagged(identifier: number): Codec<T> {
    return new Primitive(this.name, identifier, this.#contents)
  }
}
