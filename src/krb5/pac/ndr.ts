/**
 * Network Data Representation as far as a PAC uses it: NDR32 in type serialization version 1 (MS-RPCE §2.2.6; C706
 * chapter 14). A type is declared once, for reading and writing. What a pointer points to stands behind the structure
 * that has the pointer, so `read` and `write` handle the structure itself and return what does the rest.
 * @module
 */
import { OctetReader, OctetWriter } from '../../bytes/cursor.ts'
import { outward, PacError } from './error.ts'

/** Most elements that an array is believed to have. */
const MAX_COUNT = 65_536
/** Most octets of one serialized type. */
const MAX_OBJECT = 1 << 20
/** Identifiers of referents count from here in fours, as Windows has them; readers only ask whether one is zero. */
const FIRST_REFERENT = 0x0002_0000

/** A type of NDR. */
export interface Ndr<T> {
  /** The boundary it begins at, in octets. */
  readonly align: number
  /** Fewest octets that one takes, what it points to left out. */
  readonly least: number
  /** Absent from the structures it is in. */
  readonly hidden?: boolean
  /** Reads all but what pointers point to; the function that comes back reads that. Throws PacError and BoundsError. */
  read(reader: NdrReader): () => T
  /** Writes all but what pointers point to; the function that comes back writes that. Throws TypeError and RangeError. */
  write(writer: NdrWriter, value: T): () => void
}

/** The value of a type. */
export type NdrValue<N> = N extends Ndr<infer T> ? T : never

/** Little-endian octets with NDR's alignment. */
export class NdrReader extends OctetReader {
  constructor(octets: Uint8Array) {
    super(octets, { littleEndian: true })
  }

  /** Moves on to a multiple of `boundary`. */
  align(boundary: number): void {
    this.octets(-this.offset & (boundary - 1))
  }

  /** A count of elements of at least `least` octets each, which must be there. Throws PacError when they cannot be. */
  count(least: number): number {
    this.align(4)
    const count = this.uint32()
    if (count > MAX_COUNT || count * least > this.remaining)
      throw new PacError(`${count} elements announced, ${this.remaining} octets left`)
    return count
  }
}

/** Writes what {@link NdrReader} reads. */
export class NdrWriter extends OctetWriter {
  #referents = 0

  constructor() {
    super({ littleEndian: true })
  }

  /** Moves on to a multiple of `boundary`, with zeros. */
  align(boundary: number): this {
    while (this.length % boundary !== 0) this.uint8(0)
    return this
  }

  /** The identifier of one more thing that is pointed to. */
  referent(): number {
    return FIRST_REFERENT + 4 * this.#referents++
  }
}

/** A type without pointers, of `size` octets. */
export const scalar = <T>(
  size: number,
  read: (reader: NdrReader) => T,
  write: (writer: NdrWriter, value: T) => void,
  align = size,
): Ndr<T> => ({
  align,
  least: size,
  read(reader) {
    reader.align(align)
    const value = read(reader)
    return () => value
  },
  write(writer, value) {
    write(writer.align(align), value)
    return nothing
  },
})

const nothing = () => undefined

type Fields = Readonly<Record<string, Ndr<unknown>>>
/** The value of a structure: hidden members left out. */
export type StructValue<F> = {
  readonly [K in keyof F as F[K] extends Ndr<never> ? never : K]: F[K] extends Ndr<infer T> ? T : never
}

/** A structure: its members in order, then what they point to in the same order. */
export function struct<const F extends Fields>(fields: F): Ndr<StructValue<F>> {
  const names = Object.keys(fields)
  const types: readonly Ndr<unknown>[] = Object.values(fields)
  const align = Math.max(...types.map((type) => type.align))
  return {
    align,
    least: types.reduce((sum, type) => sum + type.least, 0),
    read(reader) {
      reader.align(align)
      const later: (() => unknown)[] = []
      let at = 0
      const failed = (error: unknown) => outward(names[at]!, error, reader.offset)
      try {
        for (; at < types.length; at++) later.push(types[at]!.read(reader))
      } catch (error) {
        throw failed(error)
      }
      return () => {
        const value: Record<string, unknown> = {}
        try {
          for (at = 0; at < types.length; at++) {
            const member = later[at]!()
            if (!types[at]!.hidden) value[names[at]!] = member
          }
        } catch (error) {
          throw failed(error)
        }
        return value as StructValue<F>
      }
    },
    write(writer, value) {
      writer.align(align)
      const later = types.map((type, i) => type.write(writer, (value as Record<string, unknown>)[names[i]!]))
      return () => {
        for (const write of later) write()
      }
    },
  }
}

/** A pointer that may point to nothing, which is undefined (C706 §14.3.10, "unique"). */
export const pointer = <T>(target: Ndr<T>): Ndr<T | undefined> => ({
  align: 4,
  least: 4,
  read(reader) {
    reader.align(4)
    return reader.uint32() === 0 ? nothing : () => target.read(reader)()
  },
  write(writer, value) {
    writer.align(4).uint32(value === undefined ? 0 : writer.referent())
    return value === undefined ? nothing : () => target.write(writer, value)()
  },
})

/** A pointer that must point to something. */
export const reference = <T>(target: Ndr<T>): Ndr<T> => {
  const optional = pointer(target)
  return {
    ...optional,
    read(reader) {
      const read = optional.read(reader)
      return () => {
        const value = read()
        if (value === undefined) throw new PacError('pointer to nothing')
        return value
      }
    },
  }
}

/** A conformant array (C706 §14.3.3.2) of as many elements as are announced twice; `count` is the other announcement. */
function readArray<T>(reader: NdrReader, item: Ndr<T>, count: number): readonly T[] {
  const size = reader.count(item.least)
  if (size !== count) throw new PacError(`array of ${size} elements where ${count} were announced`)
  const later: (() => T)[] = []
  const values: T[] = []
  let at = 0
  try {
    for (; at < size; at++) later.push(item.read(reader))
    for (at = 0; at < size; at++) values.push(later[at]!())
  } catch (error) {
    throw outward(`[${at}]`, error, reader.offset)
  }
  return values
}

/** A count and the pointer to an array of that many: two members of a structure that are one value. */
export const counted = <T>(item: Ndr<T>): Ndr<readonly T[]> => ({
  align: 4,
  least: 8,
  read(reader) {
    reader.align(4)
    const count = reader.uint32()
    if (reader.uint32() !== 0) return () => readArray(reader, item, count)
    if (count !== 0) throw new PacError(`${count} elements announced, pointer to nothing`)
    return () => []
  },
  write(writer, values) {
    writer.align(4).uint32(values.length)
    writer.uint32(values.length === 0 ? 0 : writer.referent())
    return () => {
      if (values.length === 0) return
      writer.align(4).uint32(values.length)
      for (const write of values.map((value) => item.write(writer, value))) write()
    }
  },
})

/** The same for octets. */
export const countedOctets: Ndr<Uint8Array> = {
  align: 4,
  least: 8,
  read(reader) {
    reader.align(4)
    const count = reader.uint32()
    const there = reader.uint32() !== 0
    if (!there && count !== 0) throw new PacError(`${count} octets announced, pointer to nothing`)
    return () => {
      if (!there) return new Uint8Array(0)
      reader.align(4)
      const size = reader.uint32()
      if (size !== count) throw new PacError(`array of ${size} octets where ${count} were announced`)
      return reader.octets(size)
    }
  },
  write(writer, octets) {
    writer.align(4).uint32(octets.length)
    writer.uint32(octets.length === 0 ? 0 : writer.referent())
    return () => {
      if (octets.length > 0) writer.align(4).uint32(octets.length).octets(octets)
    }
  },
}

const VERSION = 1
const LITTLE_ENDIAN = 0x10
const COMMON_HEADER = 8
const FILLER = 0xcccc_cccc
const BOUNDARY = 8

/** Reads what {@link serialize} writes; what fills the object behind the value is not looked at. Throws PacError. */
export function deserialize<T>(type: Ndr<T>, octets: Uint8Array): T {
  const header = new NdrReader(octets)
  try {
    const [version, endianness, size] = [header.uint8(), header.uint8(), header.uint16()]
    if (version !== VERSION || endianness !== LITTLE_ENDIAN || size !== COMMON_HEADER)
      throw new PacError('not little-endian NDR of serialization version 1')
    header.uint32()
    const length = header.uint32()
    header.uint32()
    if (length > MAX_OBJECT) throw new PacError(`object of ${length} octets; at most ${MAX_OBJECT} are read`)
    const start = header.offset
    // Offsets in errors count from the header; it is a multiple of every boundary, so alignment stays what it was.
    const reader = new NdrReader(octets.subarray(0, start + header.octets(length).length))
    reader.octets(start)
    return readWhole(reference(type), reader)
  } catch (error) {
    throw outward('', error, header.offset)
  }
}

function readWhole<T>(type: Ndr<T>, reader: NdrReader): T {
  try {
    return type.read(reader)()
  } catch (error) {
    throw outward('', error, reader.offset)
  }
}

/** A value as one object of type serialization version 1 (MS-RPCE §2.2.6), behind a pointer, filled up to 8 octets. */
export function serialize<T>(type: Ndr<T>, value: T): Uint8Array<ArrayBuffer> {
  const body = new NdrWriter()
  reference(type).write(body, value)()
  const object = body.align(BOUNDARY).finish()
  return new NdrWriter()
    .uint8(VERSION)
    .uint8(LITTLE_ENDIAN)
    .uint16(COMMON_HEADER)
    .uint32(FILLER)
    .uint32(object.length)
    .uint32(0)
    .octets(object)
    .finish()
}
