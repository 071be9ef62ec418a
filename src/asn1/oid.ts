import type { Codec } from './codec.ts'
import { Asn1Error } from './error.ts'
import { universal } from './identifiers.ts'
import { Primitive } from './primitive.ts'

/** Contents octets of the longest identifier that is read or written: room for several UUIDs. */
const OID_OCTETS_MAX = 128
/** Octets of an arc that a number holds exactly: 7 bits each. */
const NUMBER_ARC_OCTETS = 7

/** Identifiers seen lately, whose two forms are kept: few go round, and each comes with every message. */
const MOST_KEPT = 64
const kept = new Map<string, Uint8Array>()

function keep(dotted: string, contents: Uint8Array): void {
  if (kept.size >= MOST_KEPT) kept.clear()
  kept.set(dotted, contents)
}

/** The dotted form of contents that were kept; undefined for others. */
function recall(octets: Uint8Array, start: number, end: number): string | undefined {
  for (const [dotted, contents] of kept) {
    if (contents.length !== end - start) continue
    let difference = 0
    for (let i = 0; i < contents.length; i++) difference |= contents[i]! ^ octets[start + i]!
    if (difference === 0) return dotted
  }
  return undefined
}

/** OBJECT IDENTIFIER as dotted decimals, `1.2.840.113554.1.2.2` (X.690 §8.19). */
export const objectIdentifier: Codec<string> = new Primitive<string>('OBJECT IDENTIFIER', universal.objectIdentifier, {
  read(octets, start, end) {
    if (end === start) throw new Asn1Error('OBJECT IDENTIFIER has no octets')
    if (end - start > OID_OCTETS_MAX) throw new Asn1Error(`OBJECT IDENTIFIER has more than ${OID_OCTETS_MAX} octets`)
    if (octets[end - 1]! >= 0x80) throw new Asn1Error('OBJECT IDENTIFIER ends inside an arc')
    const known = recall(octets, start, end)
    if (known !== undefined) return known
    let dotted = ''
    for (let at = start, from = start; at < end; at++) {
      if (octets[at]! >= 0x80) continue
      if (octets[from] === 0x80) throw new Asn1Error('OBJECT IDENTIFIER has a padded arc')
      const arc = readArc(octets, from, at + 1)
      dotted += from === start ? firstTwo(arc) : `.${arc}`
      from = at + 1
    }
    keep(dotted, octets.slice(start, end))
    return dotted
  },
  write(value, writer) {
    const known = kept.get(value)
    if (known) return writer.write(known)
    if (typeof value !== 'string' || !/^(?:[01]\.[1-3]?\d|2\.(?:0|[1-9]\d*))(?:\.(?:0|[1-9]\d*))*$/.test(value))
      throw new TypeError(`not an object identifier: ${value}`)
    const [first, second, ...arcs] = value.split('.').map(BigInt) as [bigint, bigint, ...bigint[]]
    const before = writer.written
    for (const arc of [first * 40n + second, ...arcs].reverse()) {
      writer.octet(Number(arc & 0x7fn))
      for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) writer.octet(0x80 | Number(rest & 0x7fn))
      if (writer.written - before > OID_OCTETS_MAX) throw new RangeError(`object identifier is too long: ${value}`)
    }
  },
})

function readArc(octets: Uint8Array, start: number, end: number): number | bigint {
  let arc = 0
  for (let at = start; at < Math.min(end, start + NUMBER_ARC_OCTETS); at++) arc = arc * 128 + (octets[at]! & 0x7f)
  if (end - start <= NUMBER_ARC_OCTETS) return arc
  let large = BigInt(arc)
  for (let at = start + NUMBER_ARC_OCTETS; at < end; at++) large = (large << 7n) | BigInt(octets[at]! & 0x7f)
  return large
}

/** The first two arcs share one number (X.690 §8.19.4). */
function firstTwo(shared: number | bigint): string {
  if (shared < 80) return shared < 40 ? `0.${shared}` : `1.${Number(shared) - 40}`
  return `2.${typeof shared === 'bigint' ? shared - 80n : shared - 80}`
}
