/** The decompressors of MS-XCA that claims may need. Output never grows past the size that was announced. @module */
import { BoundsError, OctetReader } from '../../bytes/cursor.ts'
import { PacError } from './error.ts'
import { unpackHuffman } from './huffman.ts'
import { Unpacked } from './unpacked.ts'

/** COMPRESSION_FORMAT (MS-ADTS §2.2.18.4) */
export const compressions = { none: 0, lznt1: 2, xpress: 3, xpressHuffman: 4 } as const
/** The name of a format. */
export type Compression = keyof typeof compressions

/** The `size` octets that `packed` stands for. Throws PacError when they are fewer, more, or cannot be had. */
export function decompress(format: Compression, packed: Uint8Array, size: number): Uint8Array {
  if (format === 'none') {
    if (packed.length !== size) throw new PacError(`${packed.length} octets where ${size} were announced`)
    return packed
  }
  const output = new Unpacked(size)
  const input = new OctetReader(packed, { littleEndian: true })
  try {
    unpackers[format](input, output)
  } catch (error) {
    if (!(error instanceof BoundsError)) throw error
    throw new PacError(`${format} data ends after ${output.length} of ${size} octets`, { cause: error })
  }
  return output.finish()
}

const unpackers: { readonly [F in Exclude<Compression, 'none'>]: (input: OctetReader, output: Unpacked) => void } = {
  lznt1: unpackLznt1,
  xpress: unpackXpress,
  xpressHuffman: unpackHuffman,
}

const CHUNK = 4096

/** MS-XCA §2.5.3: chunks of at most 4096 octets, which refer to nothing outside themselves. */
function unpackLznt1(input: OctetReader, output: Unpacked): void {
  while (input.remaining > 0 && !output.full) {
    const header = input.uint16()
    if (header === 0) return
    const chunk = new OctetReader(input.octets((header & 0xfff) + 1), { littleEndian: true })
    const start = output.length
    if ((header & 0x8000) === 0) output.octets(chunk.rest())
    else unpackLznt1Chunk(chunk, output, start)
    if (output.length - start > CHUNK) throw new PacError(`LZNT1 chunk of ${output.length - start} octets`)
  }
}

function unpackLznt1Chunk(chunk: OctetReader, output: Unpacked, start: number): void {
  while (chunk.remaining > 0) {
    const flags = chunk.uint8()
    for (let bit = 0; bit < 8 && chunk.remaining > 0; bit++) {
      if ((flags >> bit) % 2 === 0) {
        output.octet(chunk.uint8())
        continue
      }
      const token = chunk.uint16()
      // The further into the chunk, the more bits a distance needs, and the fewer are left for the length.
      let lengthBits = 12
      for (let reach = output.length - start - 1; reach >= 16; reach >>= 1) lengthBits--
      const distance = (token >> lengthBits) + 1
      if (distance > output.length - start)
        throw new PacError(`LZNT1 refers to ${distance} octets before a chunk's place`)
      output.copy(distance, (token & ((1 << lengthBits) - 1)) + 3)
    }
  }
}

/** MS-XCA §2.4.4, plain LZ77. */
function unpackXpress(input: OctetReader, output: Unpacked): void {
  let flags = 0
  let left = 0
  let half: number | undefined
  while (!output.full) {
    if (left === 0) {
      flags = input.uint32()
      left = 32
    }
    left--
    if (((flags >>> left) & 1) === 0) {
      output.octet(input.uint8())
      continue
    }
    const match = input.uint16()
    let length = match & 7
    if (length === 7) {
      // Two lengths share an octet: the first takes the low half of it.
      const shared: number = half ?? input.uint8()
      length = half === undefined ? shared & 15 : shared >> 4
      half = half === undefined ? shared : undefined
      length = length === 15 ? longLength(input, 15 + 7) : length + 7
    }
    output.copy((match >> 3) + 1, length + 3)
  }
}

/** A length that did not fit: in one octet beyond `base`, or whole in two or four. */
function longLength(input: OctetReader, base: number): number {
  const octet = input.uint8()
  if (octet !== 255) return octet + base
  const length = input.uint16() || input.uint32()
  if (length < base) throw new PacError(`compressed length ${length} is written longer than it need be`)
  return length
}
