import type { TicketFlags } from '../krb5/messages/basics.ts'

/** klist's letters for ticket flags, in the order MIT prints them. */
const flagLetters: readonly (readonly [TicketFlags extends ReadonlySet<infer Flag> ? Flag : never, string])[] = [
  ['forwardable', 'F'],
  ['forwarded', 'f'],
  ['proxiable', 'P'],
  ['proxy', 'p'],
  ['mayPostdate', 'D'],
  ['postdated', 'd'],
  ['renewable', 'R'],
  ['initial', 'I'],
  ['invalid', 'i'],
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

/** Milliseconds for people: `4.2 ms`, `1.30 s`. */
export const formatMilliseconds = (ms: number): string =>
  ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`
