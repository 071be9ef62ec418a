/** NTLM messages (MS-NLMP §2.2.1), which peers that have no ticket send inside SPNEGO. @module */
import { BoundsError, OctetReader } from '../bytes/cursor.ts'
import { fileTimeOf } from '../krb5/pac/filetime.ts'
import { formatInstant, formatOctets } from './names.ts'
import type { Outline } from './outline.ts'

const SIGNATURE = 'NTLMSSP\0'
const kinds: ReadonlyMap<number, string> = new Map([
  [1, 'NEGOTIATE'],
  [2, 'CHALLENGE'],
  [3, 'AUTHENTICATE'],
])

/** NEGOTIATE flags (MS-NLMP §2.2.2.5) that tell what kind of session is asked for. */
const flags: readonly (readonly [number, string])[] = [
  [0x0000_0001, 'unicode'],
  [0x0000_0010, 'sign'],
  [0x0000_0020, 'seal'],
  [0x0000_0040, 'datagram'],
  [0x0000_0080, 'lmKey'],
  [0x0000_0200, 'ntlm'],
  [0x0000_0800, 'anonymous'],
  [0x0000_8000, 'alwaysSign'],
  [0x0001_0000, 'targetTypeDomain'],
  [0x0002_0000, 'targetTypeServer'],
  [0x0008_0000, 'extendedSessionSecurity'],
  [0x0080_0000, 'targetInfo'],
  [0x0200_0000, 'version'],
  [0x2000_0000, '128'],
  [0x4000_0000, 'keyExchange'],
  [0x8000_0000, '56'],
]
const UNICODE = 1

/** AV_PAIR (MS-NLMP §2.2.2.1) */
const pairs: ReadonlyMap<number, string> = new Map([
  [1, 'NetBIOS computer name'],
  [2, 'NetBIOS domain name'],
  [3, 'DNS computer name'],
  [4, 'DNS domain name'],
  [5, 'DNS tree name'],
  [7, 'time'],
  [9, 'target name'],
])
const TIME = 7
/** Most pairs of one message. */
const MAX_PAIRS = 32

/** Explains a message of NTLM; false for anything else. What is in it proves nothing, and answers are not shown: they can be guessed from. */
export function explainNtlm(octets: Uint8Array, outline: Outline): boolean {
  if (String.fromCharCode(...octets.subarray(0, SIGNATURE.length)) !== SIGNATURE) return false
  const reader = new OctetReader(octets, { littleEndian: true })
  try {
    reader.octets(SIGNATURE.length)
    const type = reader.uint32()
    const line = outline.add('NTLM message', `${kinds.get(type) ?? `type ${type}`}, ${octets.length} octets`)
    try {
      explainBody(type, reader, octets, line)
    } catch (error) {
      if (!(error instanceof BoundsError)) throw error
      line.fail(error.message)
    }
  } catch (error) {
    if (!(error instanceof BoundsError)) throw error
    outline.add('NTLM message', `${octets.length} octets`).fail(error.message)
  }
  return true
}

function explainBody(type: number, reader: OctetReader, octets: Uint8Array, outline: Outline): void {
  const field = () => fieldOf(reader, octets)
  if (type === 1) {
    const word = flagsOf(reader, outline)
    // Names are in the client's own 8-bit characters here, whatever is negotiated.
    if (word !== undefined && reader.remaining >= 16)
      for (const name of ['domain', 'workstation']) addText(name, field(), false, outline)
  } else if (type === 2) {
    const target = field()
    const word = flagsOf(reader, outline)
    addText('target', target, (word & UNICODE) !== 0, outline)
    outline.add('server challenge', formatOctets(reader.octets(8)))
    reader.octets(8)
    explainPairs(field(), outline.add('target information'))
  } else if (type === 3) {
    const [lm, nt, domain, user, workstation, sessionKey] = [field(), field(), field(), field(), field(), field()]
    const word = flagsOf(reader, outline)
    const isUnicode = (word & UNICODE) !== 0
    addText('domain', domain, isUnicode, outline)
    addText('user', user, isUnicode, outline)
    addText('workstation', workstation, isUnicode, outline)
    for (const [name, answer] of [
      ['LM answer', lm],
      ['NT answer', nt],
      ['session key', sessionKey],
    ] as const)
      outline.add(name, answer.length === 0 ? 'none' : `${answer.length} octets, not shown`)
  }
}

function flagsOf(reader: OctetReader, outline: Outline): number {
  const word = reader.uint32()
  outline.add('flags', flags.flatMap(([bit, name]) => ((word & bit) !== 0 ? [name] : [])).join(', ') || 'none')
  return word
}

/** What a length, the same again or more, and an offset point to. */
function fieldOf(reader: OctetReader, octets: Uint8Array): Uint8Array {
  const size = reader.uint16()
  reader.uint16()
  const offset = reader.uint32()
  if (size === 0) return new Uint8Array()
  if (offset + size > octets.length) throw new BoundsError(`${size} octets at ${offset} of ${octets.length}`)
  return octets.subarray(offset, offset + size)
}

function addText(name: string, octets: Uint8Array, isUnicode: boolean, outline: Outline): void {
  if (octets.length > 0)
    outline.add(name, JSON.stringify(isUnicode ? fromUtf16(octets) : String.fromCharCode(...octets.subarray(0, 1024))))
}

const fromUtf16 = (octets: Uint8Array) => new TextDecoder('utf-16le').decode(octets)

function explainPairs(octets: Uint8Array, outline: Outline): void {
  const reader = new OctetReader(octets, { littleEndian: true })
  for (let i = 0; i < MAX_PAIRS && reader.remaining > 0; i++) {
    const [id, value] = [reader.uint16(), reader.octets(reader.uint16())]
    if (id === 0) return
    const name = pairs.get(id)
    if (id === TIME && value.length === 8) {
      const time = fileTimeOf(new OctetReader(value, { littleEndian: true }).uint64())
      outline.add('time', typeof time === 'number' ? formatInstant(time) : time)
    } else outline.add(name ?? `pair ${id}`, name ? JSON.stringify(fromUtf16(value)) : formatOctets(value))
  }
}
