import type { Codec } from './codec.ts'
import { element } from './der.ts'
import { Asn1Error } from './error.ts'

/** A primitive type of universal class, given as a pair of functions over its contents octets. */
export function primitive<T>(
  name: string,
  identifier: number,
  write: (value: T) => Uint8Array,
  read: (contents: Uint8Array) => T,
): Codec<T> {
  return {
    name,
    shape: { kind: 'primitive' },
    starts: (found) => found === identifier,
    write: (value) => element(identifier, write(value)),
    read(found) {
      if (found.identifier !== identifier)
        throw new Asn1Error(`expected ${name}, found tag 0x${found.identifier.toString(16)}`)
      return read(found.contents)
    },
  }
}

/** INTEGER within `[min, max]`, both exactly representable as a number. */
export function integer(name: string, min: number, max: number): Codec<number> {
  return primitive(
    name,
    0x02,
    (value) => {
      if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(`${name} cannot hold ${value}`)
      const octets: number[] = []
      let rest = value
      do {
        octets.unshift(rest & 0xff)
        rest = Math.floor(rest / 256)
      } while (!(rest === 0 && octets[0]! < 0x80) && !(rest === -1 && octets[0]! >= 0x80))
      return Uint8Array.from(octets)
    },
    (contents) => {
      const first = contents[0]
      if (first === undefined) throw new Asn1Error('INTEGER has no octets')
      const second = contents[1]
      if (second !== undefined && first === (second >= 0x80 ? 0xff : 0)) throw new Asn1Error('INTEGER is padded')
      const value = contents.reduce((sum, octet) => sum * 256 + octet, first >= 0x80 ? -1 : 0)
      if (value < min || value > max) throw new Asn1Error(`${value} is not a ${name}`)
      return value
    },
  )
}

/** OCTET STRING. */
export const octetString: Codec<Uint8Array> = primitive(
  'OCTET STRING',
  0x04,
  (value) => value,
  (contents) => contents.slice(),
)

const utf8 = {
  encode: (text: string) => new TextEncoder().encode(text),
  decode: (octets: Uint8Array) => new TextDecoder('utf-8', { fatal: true }).decode(octets),
}

/** GeneralString carrying UTF-8, as every deployed KDC sends it. */
export const generalString: Codec<string> = primitive('GeneralString', 0x1b, utf8.encode, utf8.decode)

/** GeneralizedTime of the one form Kerberos allows, `YYYYMMDDHHMMSSZ`, as seconds since the epoch. */
export const generalizedTime: Codec<number> = primitive(
  'GeneralizedTime',
  0x18,
  (seconds) => utf8.encode(new Date(seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '')),
  (contents) => {
    const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(utf8.decode(contents))
    if (!digits) throw new Asn1Error('not a KerberosTime')
    const [year, month, day, hour, minute, second] = digits.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
  },
)
/** RFC 4120 §5.2.8: bit 0 is the most significant; names the schema does not know survive as `bitN`. */
export function flags<N extends string>(name: string, bits: Readonly<Record<N, number>>) {
  type Flag = N | `bit${number}`
  const nameOf = new Map(Object.entries<number>(bits).map(([flag, bit]) => [bit, flag as Flag]))
  return primitive<ReadonlySet<Flag>>(
    name,
    0x03,
    (set) => {
      const octets = new Uint8Array(5)
      for (const flag of set) {
        const bit = bits[flag as N] ?? Number(flag.slice(3))
        octets[1 + (bit >> 3)]! |= 0x80 >> (bit & 7)
      }
      return octets
    },
    (contents) => {
      const set = new Set<Flag>()
      for (let bit = 0; bit < (contents.length - 1) * 8; bit++)
        if (contents[1 + (bit >> 3)]! & (0x80 >> (bit & 7))) set.add(nameOf.get(bit) ?? `bit${bit}`)
      return set
    },
  )
}
