/** Octets as people have them: in a file, as hexadecimal, as a dump, as base64, behind `Negotiate`. @module */
import { concat, fromBase64, fromHex, fromUtf8 } from '../bytes/index.ts'

/** Largest input that is looked at. */
const MAX_INPUT = 16 << 20
/** Shortest text that is taken for hexadecimal or base64, in octets that it stands for. */
const MIN_OCTETS = 2
/** Longest line that hexadecimal is broken at: every line is as long, but the last. */
const MAX_WRAPPED = 160

/** A line of a dump: an offset, octets in groups, and mostly their text behind two spaces or more. */
const dumpLine =
  /^\s*(?:0x)?[0-9a-f]{4,8}:?\s{1,3}((?:[0-9a-f]{2}){1,8}(?: {1,2}(?:[0-9a-f]{2}){1,8})*)(?:\s{2,}.*|\s+\|.*|\s*)$/i
const hexLine = /^(?:0x)?(?:[0-9a-f]{2}[\s:]*)+$/i

/** A header that carries a token (RFC 4559 §4), as it is, as curl -v prints it, or from its scheme on. */
const headerLine =
  /^[<>\s]{0,8}(?:(?:WWW-Authenticate|Authorization|Proxy-Authenticate|Proxy-Authorization|Authentication-Info): {0,8})?(?:Negotiate|Kerberos|NTLM) {1,8}([A-Za-z0-9+/_=-]+)\s*$/i

/**
 * What a file or a text stands for, one array for each message: lines of hexadecimal of different lengths, as
 * `tshark -T fields` prints them, are one each. Throws TypeError for more than {@link MAX_INPUT} octets.
 */
export function octetsOf(input: Uint8Array | string): readonly Uint8Array[] {
  if (input.length > MAX_INPUT) throw new TypeError(`${input.length} octets; at most ${MAX_INPUT} are inspected`)
  if (typeof input !== 'string') {
    const text = textOf(input)
    return (text === undefined ? undefined : parse(text)) ?? [input]
  }
  const octets = parse(input)
  if (!octets) throw new TypeError('neither hexadecimal nor base64, nor a dump of octets')
  return octets
}

function parse(text: string): readonly Uint8Array[] | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const found = parseHex(lines) ?? parseDump(lines) ?? parseHeaders(lines) ?? parseBase64(text)
  return found?.some(({ length }) => length >= MIN_OCTETS) ? found : undefined
}

function parseHex(lines: readonly string[]): readonly Uint8Array[] | undefined {
  const plain = lines.map((line) => line.trim())
  if (plain.length === 0 || !plain.every((line) => hexLine.test(line))) return undefined
  const octets = plain.map((line) => fromHex(line.replace(/^0x/i, '').replaceAll(':', '')))
  const [first] = plain
  const isWrapped =
    first!.length <= MAX_WRAPPED &&
    plain.every((line, i) => line.length === first!.length || (i === plain.length - 1 && line.length < first!.length))
  return isWrapped ? [concat(...octets)] : octets
}

/** As xxd, hexdump -C, od, tcpdump -X and tshark -x print it; an offset of zero begins another message. */
function parseDump(lines: readonly string[]): readonly Uint8Array[] | undefined {
  const found: Uint8Array[][] = []
  for (const line of lines) {
    const octets = dumpLine.exec(line)?.[1]
    if (octets === undefined) {
      if (/^\s*[0-9a-f]{8}\s*$/i.test(line) || found.length === 0 || !/^\s/.test(line)) continue
      return undefined
    }
    if (/^\s*(?:0x)?0+[:\s]/.test(line)) found.push([])
    if (found.length === 0) return undefined
    found.at(-1)!.push(fromHex(octets))
  }
  return found.length > 0 ? found.map((parts) => concat(...parts)) : undefined
}

/** The tokens of headers, among whatever other lines a request, a reply or a log of curl has. */
function parseHeaders(lines: readonly string[]): readonly Uint8Array[] | undefined {
  const tokens = lines.flatMap((line) => headerLine.exec(line)?.[1] ?? [])
  const found = tokens.flatMap((token) => parseBase64(token) ?? [])
  return found.length > 0 ? found : undefined
}

/** Also in the alphabet of URLs. */
function parseBase64(text: string): readonly Uint8Array[] | undefined {
  // White space goes first: a pattern that has to share it out takes cubic time over a file of spaces.
  const digits = text.replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(digits)) return undefined
  try {
    return [fromBase64(digits.replaceAll('-', '+').replaceAll('_', '/'))]
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** The text that a file is made of; undefined for any other. */
function textOf(octets: Uint8Array): string | undefined {
  if (octets.subarray(0, 512).some((octet) => octet < 0x09 || (octet > 0x0d && octet < 0x20))) return undefined
  try {
    return fromUtf8(octets)
  } catch {
    return undefined
  }
}
