import { fromUtf8, utf8 } from '../bytes/index.ts'
import type { Codec } from './codec.ts'
import { Asn1Error } from './error.ts'
import { universal } from './identifiers.ts'
import { type Contents, Primitive } from './primitive.ts'

/** Longest text that is read and written octet by octet: beyond, the runtime's own UTF-8 is faster. */
const SHORT_TEXT = 64

/** Texts read lately, each where a number made of its octets says: names come again and again. A power of two. */
const MAX_KNOWN = 512
const known: string[] = Array.from({ length: MAX_KNOWN }, () => '')

/** GeneralString carrying UTF-8, as every deployed KDC sends it (cf. RFC 4120 §5.2.1). NUL is refused. */
export const generalString: Codec<string> = new Primitive('GeneralString', universal.generalString, text('UTF-8'))
/** UTF8String. NUL is refused. */
export const utf8String: Codec<string> = new Primitive('UTF8String', universal.utf8String, text('UTF-8'))
/** IA5String: ASCII. NUL is refused. */
export const ia5String: Codec<string> = new Primitive('IA5String', universal.ia5String, text('ASCII'))

/** NUL is refused because what a C program takes for the end of a name must not be the middle of ours. */
function text(repertoire: 'UTF-8' | 'ASCII'): Contents<string> {
  return {
    read(octets, start, end) {
      if (end - start > SHORT_TEXT) return readLong(octets.subarray(start, end), repertoire)
      let place = 0
      for (let at = start; at < end; at++) {
        const octet = octets[at]!
        if (octet === 0 || octet >= 0x80) return readLong(octets.subarray(start, end), repertoire)
        place = (Math.imul(place, 31) + octet) | 0
      }
      place &= MAX_KNOWN - 1
      if (!spells(octets, start, end, known[place]!)) known[place] = readAscii(octets, start, end)
      return known[place]!
    },
    write(value, writer) {
      if (typeof value !== 'string') throw new TypeError(`a text is wanted, not ${typeof value}`)
      for (let at = 0; at < value.length; at++) {
        const unit = value.charCodeAt(at)
        if (unit === 0 || unit >= 0x80 || at === SHORT_TEXT) return writer.write(octetsOf(value, repertoire))
      }
      for (let at = value.length - 1; at >= 0; at--) writer.octet(value.charCodeAt(at))
    },
  }
}

/** Whether the octets are those of `text`, which is ASCII. */
function spells(octets: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== octets[start + i]) return false
  return true
}

function readAscii(octets: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(octets[at]!)
  return text
}

function octetsOf(value: string, repertoire: 'UTF-8' | 'ASCII'): Uint8Array {
  if (/\0|\p{Surrogate}/u.test(value)) throw new TypeError('a text with NUL or half a surrogate pair is not sent')
  const octets = utf8(value)
  if (repertoire === 'ASCII' && octets.length !== value.length) throw new TypeError('IA5String holds ASCII alone')
  return octets
}

function readLong(octets: Uint8Array, repertoire: 'UTF-8' | 'ASCII'): string {
  if (octets.includes(0)) throw new Asn1Error('the text contains NUL')
  if (repertoire === 'ASCII' && octets.some((octet) => octet >= 0x80)) throw new Asn1Error('the text is not ASCII')
  try {
    return fromUtf8(octets)
  } catch {
    throw new Asn1Error('the text is not UTF-8')
  }
}
