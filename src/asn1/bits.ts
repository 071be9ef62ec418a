import type { Codec } from './codec.ts'
import { Asn1Error } from './error.ts'
import { universal } from './identifiers.ts'
import { Primitive } from './primitive.ts'

/** The longest flags that are read or written. */
const FLAG_OCTETS_MAX = 32

/** A BIT STRING: its octets and how many of the last one's low bits do not count (0 to 7). */
export interface BitString {
  readonly octets: Uint8Array
  readonly unusedBits: number
}

/** BIT STRING (X.690 §8.6, §11.2). The octets are a view of the input. */
export const bitString: Codec<BitString> = new Primitive<BitString>('BIT STRING', universal.bitString, {
  read(octets, start, end) {
    const unusedBits = readUnusedBits(octets, start, end)
    return { octets: octets.subarray(start + 1, end), unusedBits }
  },
  write({ octets, unusedBits }, writer) {
    const last = octets[octets.length - 1]
    if (!Number.isInteger(unusedBits) || unusedBits < 0 || unusedBits > (last === undefined ? 0 : 7))
      throw new RangeError(`${octets.length} octets cannot have ${unusedBits} unused bits`)
    if (last !== undefined && last & ((1 << unusedBits) - 1)) throw new RangeError('the unused bits are not zero')
    writer.write(octets)
    writer.octet(unusedBits)
  },
})

/**
 * KerberosFlags as the set of names whose bits are on (RFC 4120 §5.2.8). Bit 0 is the most significant of the first
 * octet; a bit that `bits` does not name is `bitN`, both ways. Any length is read, a multiple of 32 bits is written.
 */
export function flags<N extends string>(
  name: string,
  bits: Readonly<Record<N, number>>,
): Codec<ReadonlySet<N | `bit${number}`>> {
  type Flag = N | `bit${number}`
  const named = Object.entries<number>(bits)
  const bitOf = new Map<string, number>()
  const names = Array.from({ length: FLAG_OCTETS_MAX * 8 }, (_, bit) => `bit${bit}` as Flag)
  for (const bit of names.keys()) bitOf.set(`bit${bit}`, bit)
  for (const [flag, bit] of named) {
    bitOf.set(flag, bit)
    names[bit] = flag as N
  }
  return new Primitive<ReadonlySet<Flag>>(name, universal.bitString, {
    read(octets, start, end) {
      readUnusedBits(octets, start, end)
      if (end - start - 1 > FLAG_OCTETS_MAX) throw new Asn1Error(`${name} has more than ${FLAG_OCTETS_MAX} octets`)
      const set = new Set<Flag>()
      for (let at = start + 1, first = 0; at < end; at++, first += 8)
        // Math.clz32 finds the most significant bit, which is the lowest-numbered flag.
        for (let rest = octets[at]! << 24; rest !== 0; ) {
          const bit = Math.clz32(rest)
          set.add(names[first + bit]!)
          rest &= ~(0x8000_0000 >>> bit)
        }
      return set
    },
    write(set, writer) {
      const words: number[] = [0]
      for (const flag of set) {
        const bit = bitOf.get(flag)
        if (bit === undefined) throw new TypeError(`${name} has no flag called ${String(flag)}`)
        while (words.length <= bit >> 5) words.push(0)
        words[bit >> 5]! |= 0x8000_0000 >>> (bit & 31)
      }
      for (let i = words.length - 1; i >= 0; i--)
        for (let shift = 0; shift < 32; shift += 8) writer.octet(words[i]! >>> shift)
      writer.octet(0)
    },
  })
}

function readUnusedBits(octets: Uint8Array, start: number, end: number): number {
  const unused = octets[start]
  if (start === end || unused === undefined) throw new Asn1Error('BIT STRING has no octets')
  if (unused > (end - start === 1 ? 0 : 7))
    throw new Asn1Error(`BIT STRING of ${end - start - 1} octets has ${unused} unused bits`)
  if (octets[end - 1]! & ((1 << unused) - 1) && end - start > 1)
    throw new Asn1Error('the unused bits of the BIT STRING are not zero')
  return unused
}
