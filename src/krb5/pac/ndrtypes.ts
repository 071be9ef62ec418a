/** The types that the structures of a PAC share (MS-PAC §2.2, MS-DTYP). @module */
import { PacError } from './error.ts'
import { type FileTime, fileTimeOf, ticksOf } from './filetime.ts'
import { type Ndr, pointer, scalar, struct } from './ndr.ts'
import { parseSid, readSid, writeSid } from './sid.ts'
import { readUtf16, writeUtf16 } from './utf16.ts'

/** USHORT, and every enumeration (C706 §14.2.5). */
export const uint16: Ndr<number> = scalar(
  2,
  (reader) => reader.uint16(),
  (writer, value) => writer.uint16(value),
)
/** ULONG */
export const uint32: Ndr<number> = scalar(
  4,
  (reader) => reader.uint32(),
  (writer, value) => writer.uint32(value),
)
/** ULONG64 */
export const uint64: Ndr<bigint> = scalar(
  8,
  (reader) => reader.uint64(),
  (writer, value) => writer.uint64(BigInt.asUintN(64, value)),
)
/** LONG64 */
export const int64: Ndr<bigint> = scalar(
  8,
  (reader) => BigInt.asIntN(64, reader.uint64()),
  (writer, value) => writer.uint64(BigInt.asUintN(64, value)),
)

/** FILETIME (MS-DTYP §2.3.3): two halves, hence aligned to four octets. */
export const fileTime: Ndr<FileTime> = scalar(
  8,
  (reader) => fileTimeOf(reader.uint64()),
  (writer, time) => writer.uint64(ticksOf(time)),
  4,
)

/** Words that are sent as zero and ignored. */
export const reserved = (words: number): Ndr<never> => ({
  align: 4,
  least: 4 * words,
  hidden: true,
  read(reader) {
    reader.align(4)
    reader.octets(4 * words)
    return () => undefined as never
  },
  write(writer) {
    writer.align(4).octets(new Uint8Array(4 * words))
    return () => undefined
  },
})

/** RPC_SID (MS-DTYP §2.4.2.3) as text: its array is its end, so the number of elements comes first (C706 §14.3.7.1). */
export const rpcSid: Ndr<string> = {
  align: 4,
  least: 12,
  read(reader) {
    const count = reader.count(4)
    const sid = readSid(reader, count)
    return () => sid
  },
  write(writer, sid) {
    writer.align(4).uint32(parseSid(sid).subauthorities.length)
    writeSid(writer, sid)
    return () => undefined
  },
}

/** The characters of a conformant and varying array (C706 §14.3.3.4). */
const characters: Ndr<string> = {
  align: 4,
  least: 12,
  read(reader) {
    reader.align(4)
    const [room, offset] = [reader.uint32(), reader.uint32()]
    const actual = reader.count(2)
    if (offset !== 0 || actual > room)
      throw new PacError(`${actual} characters from ${offset} on in an array of ${room}`)
    const text = readUtf16(reader, 2 * actual)
    return () => text
  },
  write(writer, text) {
    writer.align(4).uint32(text.length).uint32(0).uint32(text.length)
    writeUtf16(writer, text)
    return () => undefined
  },
}

const toCharacters = pointer(characters)
/** What the two lengths of an RPC_UNICODE_STRING can say. */
const MAX_STRING = 0xfffe

/** RPC_UNICODE_STRING (MS-DTYP §2.3.10); lone surrogates survive. */
export const unicodeString: Ndr<string> = {
  align: 4,
  least: 8,
  read(reader) {
    reader.align(4)
    const [length, room] = [reader.uint16(), reader.uint16()]
    if (length % 2 !== 0 || length > room) throw new PacError(`string of ${length} octets in ${room}`)
    const read = toCharacters.read(reader)
    return () => {
      const text = read() ?? ''
      if (2 * text.length !== length)
        throw new PacError(`string of ${2 * text.length} octets where ${length} were announced`)
      return text
    }
  },
  write(writer, text) {
    if (2 * text.length > MAX_STRING)
      throw new RangeError(`a string of ${text.length} characters is too long for a PAC`)
    writer
      .align(4)
      .uint16(2 * text.length)
      .uint16(2 * text.length)
    return toCharacters.write(writer, text)
  },
}

/** `[string] wchar_t*`: text that ends in a NUL, which is not part of the value. */
export const wideString: Ndr<string> = {
  align: 4,
  least: 4,
  read(reader) {
    const read = toCharacters.read(reader)
    return () => {
      const text = read()
      if (!text?.endsWith('\0')) throw new PacError('a string without an end')
      return text.slice(0, -1)
    }
  },
  write: (writer, text) => toCharacters.write(writer, `${text}\0`),
}

/** GROUP_MEMBERSHIP (MS-PAC §2.2.2): a group of the domain that the structure around it names. */
export const groupMembership = struct({ rid: uint32, attributes: uint32 })
