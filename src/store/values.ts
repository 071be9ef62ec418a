/** How krb5.conf writes values: truths, numbers, durations, lists. @module */
import { excerpt } from './error.ts'

/** How a value is written. `parse` throws TypeError that says what would be right. */
export interface Notation<T> {
  parse(text: string): T
  format(value: T): string
}

const truths = new Map(
  Object.entries({
    ...{ y: true, yes: true, true: true, t: true, 1: true, on: true },
    ...{ n: false, no: false, false: false, nil: false, 0: false, off: false },
  }),
)

/** A truth value in any of MIT's spellings. Throws TypeError. */
export function parseBoolean(text: string): boolean {
  const truth = truths.get(text.toLowerCase())
  if (truth === undefined) throw new TypeError(`${quote(text)} is neither true nor false; write one of the two`)
  return truth
}

/** The largest whole number that MIT reads. */
const MAX_INTEGER = 2 ** 31 - 1

/** A whole number, of decimal digits or of hexadecimal ones after `0x`. Throws TypeError. */
export function parseInteger(text: string): number {
  const number = /^(?:-?\d{1,10}|0x[\da-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN
  if (!(Math.abs(number) <= MAX_INTEGER))
    throw new TypeError(`${quote(text)} is not a whole number; write digits, at most ${MAX_INTEGER}`)
  return number
}

/** Seconds that a letter of MIT's stands for, and a word of Heimdal's. */
const units = new Map(
  Object.entries({
    ...{ d: 86_400, h: 3_600, m: 60, s: 1 },
    ...{ second: 1, seconds: 1, minute: 60, minutes: 60, hour: 3_600, hours: 3_600, day: 86_400, days: 86_400 },
    ...{ week: 604_800, weeks: 604_800, month: 2_592_000, months: 2_592_000, year: 31_536_000, years: 31_536_000 },
  }),
)

/**
 * A duration in seconds, in any of MIT's spellings: `36000`, `10h`, `1d 2h 3m 4s` (in this order), `1:30`, `1:30:00`,
 * `2-1:30:00`; or in Heimdal's: `1 week`. Throws TypeError.
 */
export function parseDuration(text: string): number {
  const seconds = durationIn(text.trim())
  if (seconds === undefined || seconds > MAX_INTEGER)
    throw new TypeError(`${quote(text)} is not a duration; write 10h, 1d12h, 1:30 or seconds`)
  return seconds
}

function durationIn(text: string): number | undefined {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  const clock = /^(?:(?:(\d{1,5})-)?(\d{1,6}):(\d\d?):(\d\d?)|(\d{1,6}):(\d\d?))$/.exec(text)
  if (clock) {
    const [days = 0, hours = 0, minutes = 0, seconds = 0, plainHours = 0, plainMinutes = 0] = clock
      .slice(1)
      .map((digits) => Number(digits ?? 0))
    return days * 86_400 + (hours + plainHours) * 3_600 + (minutes + plainMinutes) * 60 + seconds
  }
  const pieces = [...text.matchAll(/\s*(\d{1,10})(?:([dhms])(?![a-z])|\s*([a-z]{2,}))\s*/gy)]
  if (text === '' || pieces.map(([piece]) => piece).join('') !== text) return undefined
  const sizes = pieces.map(([, , letter = '', word = '']) => units.get(letter || word) ?? Number.NaN)
  const falling = sizes.every((size, i) => size < (sizes[i - 1] ?? Number.POSITIVE_INFINITY))
  return falling ? pieces.reduce((sum, [, count], i) => sum + Number(count) * (sizes[i] ?? 0), 0) : undefined
}

/** Any text. */
export const text: Notation<string> = { parse: (text) => text, format: (value) => value }
/** See {@link parseBoolean}. */
export const truth: Notation<boolean> = { parse: parseBoolean, format: String }
/** A truth that MIT writes as a number, of which every one but 0 is true. */
export const numericTruth: Notation<boolean> = {
  parse: (text) => (/^-?\d{1,10}$/.test(text) ? Number(text) !== 0 : parseBoolean(text)),
  format: (value) => (value ? '1' : '0'),
}
/** See {@link parseInteger}. */
export const integer: Notation<number> = { parse: parseInteger, format: String }
/** See {@link parseDuration}. */
export const duration: Notation<number> = { parse: parseDuration, format: (seconds) => `${seconds}s` }

/** Words parted by blanks or commas, each in a notation of its own. */
export const listOf = <T>(item: Notation<T>): Notation<readonly T[]> => ({
  parse: (text) => wordsOf(text).map((word) => item.parse(word)),
  format: (values) => values.map((value) => item.format(value)).join(' '),
})

/** One of these words, in any case of letters. */
export const oneOf = <T extends string>(...words: readonly T[]): Notation<T> => ({
  parse(text) {
    const word = words.find((word) => word.toLowerCase() === text.toLowerCase())
    if (word === undefined) throw new TypeError(`${quote(text)} is none of ${words.join(', ')}; write one of them`)
    return word
  },
  format: (value) => value,
})

/** A truth value or `fallback`. */
export const truthOrFallback: Notation<boolean | 'fallback'> = {
  parse: (text) => truths.get(text.toLowerCase()) ?? (oneOf('true', 'false', 'fallback').parse(text) as 'fallback'),
  format: String,
}

/** The words of a list, which blanks or commas part. */
export const wordsOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean)

/** A piece of a file's text as messages quote it. */
export const quote = (text: string): string => JSON.stringify(excerpt(text))
