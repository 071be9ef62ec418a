import { enctypeName } from '../crypto/enctypes/table.ts'
import type { TicketFlags } from '../krb5/messages/basics.ts'
import { parseDuration } from '../store/values.ts'

/** klist's letters for ticket flags, in the order MIT prints them. */
const flagLetters: readonly (readonly [TicketFlags extends ReadonlySet<infer Flag> ? Flag : never, string])[] = [
  ['forwardable', 'F'],
  ['forwarded', 'f'],
  ['proxiable', 'P'],
  ['proxy', 'p'],
  ['mayPostdate', 'D'],
  ['postdated', 'd'],
  ['invalid', 'i'],
  ['renewable', 'R'],
  ['initial', 'I'],
  ['hwAuthent', 'H'],
  ['preAuthent', 'A'],
  ['transitedPolicyChecked', 'T'],
  ['okAsDelegate', 'O'],
  ['anonymous', 'a'],
]

/** Ticket flags as klist writes them: `FRIA`. */
export const formatFlags = (flags: TicketFlags): string =>
  flagLetters.map(([flag, letter]) => (flags.has(flag) ? letter : '')).join('')

/** A time in seconds since the epoch as local date and time: `2026-11-24 16:00:14`. */
export function formatTime(time: number): string {
  const date = new Date(time * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

/** A time as klist writes it in the C locale: `11/24/26 16:00:14`. */
export function formatStamp(time: number): string {
  const [day = '', clock] = formatTime(time).split(' ')
  const [year = '', month, date] = day.split('-')
  return `${month}/${date}/${year.slice(-2)} ${clock}`
}

/** MIT's names, where they are not ours. */
const mitNames: Readonly<Record<number, string>> = { 16: 'des3-cbc-sha1', 23: 'arcfour-hmac', 24: 'arcfour-hmac-exp' }

/** An enctype as klist names it, with what MIT thinks of it in front. */
export function formatEnctype(id: number): string {
  const name = mitNames[id]
  return name === undefined ? enctypeName(id) : `DEPRECATED:${name}`
}

/** Milliseconds for people: `4.2 ms`, `1.30 s`. */
export const formatMilliseconds = (ms: number): string =>
  ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`

/**
 * A time to come as kinit takes it: a duration from now on, or a local date and time as `YYYYMMDDhhmmss` or `yymmddhhmm`;
 * seconds since the epoch. Throws TypeError.
 */
export function parseStartTime(text: string): number {
  const [, year, month, day, hours, minutes, seconds = '0'] =
    /^(20\d\d|\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?$/.exec(text.replaceAll('.', '')) ?? []
  if (year === undefined || text.length < 10) return Math.floor(Date.now() / 1000) + parseDuration(text)
  const full = year.length === 2 ? 2000 + Number(year) : Number(year)
  const date = new Date(full, Number(month) - 1, Number(day), Number(hours), Number(minutes), Number(seconds))
  if (date.getMonth() !== Number(month) - 1 || date.getDate() !== Number(day))
    throw new TypeError(`${text} is no date; write YYYYMMDDhhmmss, or a duration from now on`)
  return date.getTime() / 1000
}
