import type { Codec } from './codec.ts'
import { Asn1Error } from './error.ts'
import { universal } from './identifiers.ts'
import { Primitive } from './primitive.ts'
import type { Writer } from './writer.ts'

/** Octets of the longest INTEGER that is looked at: 2^53 needs seven. */
const INTEGER_OCTETS_MAX = 7

/** INTEGER within `[min, max]` (X.690 §8.3), both of them safe integers. */
export function integer(name: string, min: number, max: number): Codec<number> {
  return new Primitive(name, universal.integer, {
    read(octets, start, end) {
      const value = readInteger(octets, start, end, name)
      if (value < min || value > max) throw new Asn1Error(`${value} is not within ${name}, ${min} to ${max}`)
      return value
    },
    write(value, writer) {
      if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(`${name} cannot hold ${value}`)
      writeInteger(value, writer)
    },
  })
}

/** ENUMERATED as one of `names`, each with its number (X.690 §8.4). A number without a name is an Asn1Error. */
export function enumerated<N extends string>(name: string, names: Readonly<Record<N, number>>): Codec<N> {
  const numberOf = new Map(Object.entries<number>(names))
  const nameOf = new Map(Array.from(numberOf, ([text, number]) => [number, text as N]))
  return new Primitive<N>(name, universal.enumerated, {
    read(octets, start, end) {
      const value = readInteger(octets, start, end, name)
      const found = nameOf.get(value)
      if (found === undefined) throw new Asn1Error(`${value} is no ${name}: ${[...numberOf.keys()].join(', ')} are`)
      return found
    },
    write(value, writer) {
      const number = numberOf.get(value)
      if (number === undefined) throw new TypeError(`${name} has no value called ${String(value)}`)
      writeInteger(number, writer)
    },
  })
}

/** BOOLEAN; in DER only 0xff is true (X.690 §11.1). */
export const boolean: Codec<boolean> = new Primitive<boolean>('BOOLEAN', universal.boolean, {
  read(octets, start, end) {
    const octet = octets[start]
    if (end - start !== 1 || (octet !== 0 && octet !== 0xff)) throw new Asn1Error('BOOLEAN is one octet, 0x00 or 0xff')
    return octet === 0xff
  },
  write: (value, writer) => writer.octet(value ? 0xff : 0),
})

function readInteger(octets: Uint8Array, start: number, end: number, name: string): number {
  if (end === start) throw new Asn1Error('INTEGER has no octets')
  if (end - start > INTEGER_OCTETS_MAX) throw new Asn1Error(`an INTEGER of ${end - start} octets is not within ${name}`)
  const first = octets[start]!
  if (end - start > 1 && first === (octets[start + 1]! >= 0x80 ? 0xff : 0)) throw new Asn1Error('INTEGER is padded')
  let value = first < 0x80 ? first : first - 256
  for (let at = start + 1; at < end; at++) value = value * 256 + octets[at]!
  return value
}

function writeInteger(value: number, writer: Writer): void {
  let rest = value
  let octet: number
  do {
    octet = rest & 0xff
    writer.octet(octet)
    rest = Math.floor(rest / 256)
  } while (rest !== (octet < 0x80 ? 0 : -1))
}
