/** UTF-16LE as PACs have it, lone surrogates and all. @module */
import type { OctetReader, OctetWriter } from '../../bytes/cursor.ts'
import { PacError } from './error.ts'

/** Code units per call of String.fromCharCode: below every engine's limit on arguments. */
const CHUNK = 8192

/** The text of the next `size` octets. Throws PacError for an odd number of them, BoundsError where they are missing. */
export function readUtf16(reader: OctetReader, size: number): string {
  if (size % 2 !== 0) throw new PacError(`text of ${size} octets`)
  const octets = reader.octets(size)
  let text = ''
  for (let from = 0; from < size; from += 2 * CHUNK) {
    const units: number[] = []
    for (let at = from; at < Math.min(size, from + 2 * CHUNK); at += 2) units.push(octets[at]! | (octets[at + 1]! << 8))
    text += String.fromCharCode(...units)
  }
  return text
}

/** Writes what {@link readUtf16} reads; `writer` is little-endian. */
export function writeUtf16(writer: OctetWriter, text: string): void {
  for (let i = 0; i < text.length; i++) writer.uint16(text.charCodeAt(i))
}
