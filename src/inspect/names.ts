/** Values in words: numbers by the names that the RFCs give them, times, octets. @module */
import { fromUtf8, toHex } from '../bytes/index.ts'
import { checksumTypeName } from '../crypto/checksums.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { mechanismOids } from '../gss/oids.ts'
import { errorCode, errorCodeOf } from '../krb5/errorcodes.ts'
import {
  addressTypes,
  adTypes,
  GSS_CHECKSUM_TYPE,
  lastReqTypes,
  messageTypes,
  nameTypes,
  paTypes,
  transitedTypes,
} from '../krb5/messages/codes.ts'
import { pkinitKdfs, typedDataTypes } from '../krb5/messages/pkinit.ts'

/** Octets that are shown of a string of them. */
const SHOWN_OCTETS = 48
/** Seconds of the last day that Date knows. */
const MAX_DATE = 8.64e12

const named =
  (names: Readonly<Record<string, number>>) =>
  (value: number): string => {
    const name = Object.keys(names).find((name) => names[name] === value)
    return name === undefined ? String(value) : `${value} (${name})`
  }

const enctype = (value: number) => `${value} (${enctypeName(value)})`

/** How the number of a member is told, by the member's name, which the RFCs use for one thing alone. */
const numbers: Readonly<Record<string, (value: number) => string>> = {
  msgType: named(messageTypes),
  nameType: named(nameTypes),
  padataType: named(paTypes),
  adType: named(adTypes),
  addrType: named(addressTypes),
  lrType: named(lastReqTypes),
  trType: named(transitedTypes),
  dataType: named(typedDataTypes),
  etype: enctype,
  keytype: enctype,
  enctype,
  cksumtype: (value) => `${value} (${value === GSS_CHECKSUM_TYPE ? 'GSS-API' : checksumTypeName(value)})`,
  errorCode: (value) => {
    const code = errorCodeOf(value)
    return errorCode(code).number === value ? `${value} (${code}: ${errorCode(code).meaning})` : String(value)
  },
}

/** A mechanism or another object identifier, with its name. */
export function nameOid(oid: string): string {
  const all = { ...mechanismOids, ...pkinitKdfs }
  const name = Object.entries(all).find(([, known]) => known === oid)?.[0]
  return name === undefined ? oid : `${oid} (${name})`
}

/** The name of a type of names. */
export const nameNameType: (value: number) => string = named(nameTypes)

/** Seconds since the epoch as `2026-11-24T16:00:14Z`; 0, which files have for none, as `none` where `noneIsZero`. */
export function formatInstant(seconds: number, noneIsZero = false): string {
  if (noneIsZero && seconds === 0) return 'none'
  if (Math.abs(seconds) > MAX_DATE) return `${seconds} s`
  return new Date(seconds * 1000).toISOString().replace('.000', '')
}

/** Octets in hexadecimal, the first of them where they are many; as text beside where they are text. */
export function formatOctets(octets: Uint8Array): string {
  if (octets.length === 0) return 'empty'
  const hex = toHex(octets.subarray(0, SHOWN_OCTETS))
  const text = textOf(octets.subarray(0, SHOWN_OCTETS))
  const more = octets.length > SHOWN_OCTETS ? `… (${octets.length} octets)` : ''
  return `${hex}${more}${text === undefined ? '' : ` ${JSON.stringify(text)}`}`
}

function textOf(octets: Uint8Array): string | undefined {
  try {
    const text = fromUtf8(octets)
    return /^[\P{C}\n\t]+$/u.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** Any value that a codec gives for a type without members; `member` and `type` say what it means. */
export function formatValue(member: string, type: string, value: unknown): string {
  if (value instanceof Uint8Array) return formatOctets(value)
  if (value instanceof Set) return value.size === 0 ? 'none' : [...value].join(', ')
  if (typeof value === 'number') {
    if (type === 'GeneralizedTime') return formatInstant(value)
    return (numbers[member] ?? String)(value)
  }
  if (typeof value === 'string')
    return type === 'OBJECT IDENTIFIER' ? nameOid(value) : type.endsWith('String') ? JSON.stringify(value) : value
  if (typeof value === 'bigint') return value.toString()
  if (isBitString(value)) return `${formatOctets(value.octets)}, ${value.unusedBits} bits unused`
  return String(value)
}

const isBitString = (value: unknown): value is { readonly octets: Uint8Array; readonly unusedBits: number } =>
  typeof value === 'object' && value !== null && 'octets' in value && 'unusedBits' in value
