import type { Codec } from './codec.ts'
import { Asn1Error } from './error.ts'
import { universal } from './identifiers.ts'
import { Primitive } from './primitive.ts'
import type { Writer } from './writer.ts'

/** `YYYYMMDDHHMMSSZ` */
const SIZE = 15
const ZULU = 0x5a
const ZERO = 0x30

const DAY = 86_400
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const daysBeforeMonth = daysInMonth.map((_, month) => daysInMonth.slice(0, month).reduce((sum, days) => sum + days, 0))

/**
 * GeneralizedTime of the one form Kerberos allows, `YYYYMMDDHHMMSSZ` (RFC 4120 §5.2.3), as seconds since the epoch.
 * Only days of the calendar and hours of the day are read; a fraction or another zone is an Asn1Error.
 */
export const generalizedTime: Codec<number> = new Primitive('GeneralizedTime', universal.generalizedTime, {
  read(octets, start, end) {
    if (end - start !== SIZE || octets[end - 1] !== ZULU) throw new Asn1Error('not a time of the form YYYYMMDDHHMMSSZ')
    const year = readPair(octets, start) * 100 + readPair(octets, start + 2)
    const month = readPair(octets, start + 4)
    const day = readPair(octets, start + 6)
    const hour = readPair(octets, start + 8)
    const minute = readPair(octets, start + 10)
    const second = readPair(octets, start + 12)
    const leap = isLeap(year)
    const days = month === 2 && leap ? 29 : (daysInMonth[month - 1] ?? 0)
    if (day < 1 || day > days || hour > 23 || minute > 59 || second > 59) throw new Asn1Error('no such date or hour')
    const leapDay = month > 2 && leap ? 1 : 0
    const date = daysBeforeYear(year) - EPOCH + daysBeforeMonth[month - 1]! + leapDay + day - 1
    return date * DAY + hour * 3600 + minute * 60 + second
  },
  write(seconds, writer) {
    if (!Number.isInteger(seconds) || seconds < FIRST || seconds > LAST)
      throw new RangeError(`${seconds} is not a whole second of the years 0 to 9999`)
    const days = Math.floor(seconds / DAY)
    const second = seconds - days * DAY
    // The year that 400 years of 146 097 days make it, or the one before.
    let year = Math.floor((days + EPOCH) / 365.2425)
    if (daysBeforeYear(year + 1) - EPOCH <= days) year++
    else if (daysBeforeYear(year) - EPOCH > days) year--
    let day = days - (daysBeforeYear(year) - EPOCH)
    const leapDay = isLeap(year) ? 1 : 0
    let month = 11
    while (day < daysBeforeMonth[month]! + (month > 1 ? leapDay : 0)) month--
    day -= daysBeforeMonth[month]! + (month > 1 ? leapDay : 0)
    writer.octet(ZULU)
    writePair(second % 60, writer)
    writePair(Math.floor(second / 60) % 60, writer)
    writePair(Math.floor(second / 3600), writer)
    writePair(day + 1, writer)
    writePair(month + 1, writer)
    writePair(year % 100, writer)
    writePair(Math.floor(year / 100), writer)
  },
})

/** Two decimal digits. */
function readPair(octets: Uint8Array, at: number): number {
  const tens = octets[at]! - ZERO
  const ones = octets[at + 1]! - ZERO
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) throw new Asn1Error('not a time of the form YYYYMMDDHHMMSSZ')
  return tens * 10 + ones
}

function writePair(value: number, writer: Writer): void {
  writer.octet(ZERO + (value % 10))
  writer.octet(ZERO + Math.floor(value / 10))
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Days from 0001-01-01 to the first of January of `year`, plus 365 (`Date.UTC` takes the years 0 to 99 for 1900 on). */
function daysBeforeYear(year: number): number {
  const last = year - 1
  return 365 * year + Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400)
}

const EPOCH = daysBeforeYear(1970)
const FIRST = (daysBeforeYear(0) - EPOCH) * DAY
const LAST = (daysBeforeYear(10_000) - EPOCH) * DAY - 1
