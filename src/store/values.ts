/** How krb5.conf writes values: truths, durations, lists of enctypes, KDCs. @module */
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { deprecatedEnctypes, enctypeByName, enctypes } from '../crypto/enctypes/table.ts'

const truths: Readonly<Record<string, boolean>> = {
  ...{ y: true, yes: true, true: true, t: true, 1: true, on: true },
  ...{ n: false, no: false, false: false, nil: false, 0: false, off: false },
}

/** A truth value in any of MIT's spellings. Throws TypeError. */
export function parseBoolean(text: string): boolean {
  const truth = truths[text.toLowerCase()]
  if (truth === undefined) throw new TypeError(`${text} is neither true nor false`)
  return truth
}

/** A whole number. Throws TypeError. */
export function parseInteger(text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) throw new TypeError(`${text} is not a whole number`)
  return Number(text)
}

const units: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1 }

/** A duration in seconds, in any of MIT's spellings: `36000`, `10h`, `1d 2h 3m 4s`, `1:30`, `1:30:00`. Throws TypeError. */
export function parseDuration(text: string): number {
  const trimmed = text.trim()
  if (/^\d{1,10}$/.test(trimmed)) return Number(trimmed)
  const clock = /^(\d{1,6}):(\d\d)(?::(\d\d))?$/.exec(trimmed)
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0)
  if (!/^(?:\d{1,8}\s*[dhms]\s*)+$/.test(trimmed))
    throw new TypeError(`${text} is not a duration; write 10h, 1d12h, 1:30 or seconds`)
  return [...trimmed.matchAll(/(\d+)\s*([dhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * units[unit!]!,
    0,
  )
}

/** Families of enctypes that a list may name at once. */
const families: Readonly<Record<string, (name: string) => boolean>> = {
  des3: (name) => name.startsWith('des3'),
  aes: (name) => name.startsWith('aes'),
  rc4: (name) => name.startsWith('rc4') || name.startsWith('arcfour'),
  camellia: (name) => name.startsWith('camellia'),
}

/**
 * A list of enctypes as krb5.conf writes it: names, families, `DEFAULT`, `-name` to take one out. Names that are not
 * spoken here are left out, as MIT does.
 */
export function parseEnctypes(
  text: string,
  allowed: readonly Enctype[] = [...enctypes, ...deprecatedEnctypes],
): Enctype[] {
  const list: Enctype[] = []
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const removing = word.startsWith('-')
    for (const enctype of meant(word.replace(/^[+-]/, ''), allowed)) {
      const at = list.indexOf(enctype)
      if (removing && at >= 0) list.splice(at, 1)
      if (!removing && at < 0) list.push(enctype)
    }
  }
  return list
}

function meant(word: string, allowed: readonly Enctype[]): readonly Enctype[] {
  if (word.toUpperCase() === 'DEFAULT') return enctypes.filter((enctype) => allowed.includes(enctype))
  const family = families[word.toLowerCase()]
  if (family) return allowed.filter(({ name }) => family(name))
  const enctype = enctypeByName(word, allowed)
  return enctype ? [enctype] : []
}

/** Where a KDC listens. */
export interface KdcAddress {
  readonly host: string
  readonly port: number
  /** The only transport to use; undefined for both. */
  readonly transport?: 'udp' | 'tcp' | undefined
}

/** The port of a KDC that names none (RFC 4120 §7.2.1). */
const KDC_PORT = 88

/** `udp/` or `tcp/`, then a v6 address in brackets or bare, or a name or v4 address; then a port. */
const KDC =
  /^(?:(udp|tcp)\/)?(?:(?:\[([\da-f:.]+(?:%\w+)?)\]|([^:/[\]\s]+))(?::(\d{1,5}))?|([\da-f]{0,4}(?::[\da-f]{0,4}){2,7}))$/i

/** `host`, `host:port`, `[v6]:port`, with `udp/` or `tcp/` in front. Throws TypeError. */
export function parseKdcAddress(text: string): KdcAddress {
  const [, transport, bracketed, name, port, bare] = KDC.exec(text.trim()) ?? []
  const host = bracketed ?? name ?? bare
  const number = port === undefined ? KDC_PORT : Number(port)
  if (!host || number < 1 || number > 65_535)
    throw new TypeError(`${text} is not a KDC; write host, host:port or [v6 address]:port`)
  return { host, port: number, ...(transport ? { transport: transport.toLowerCase() as 'udp' | 'tcp' } : {}) }
}

/** The inverse of {@link parseKdcAddress}. */
export function formatKdcAddress({ host, port, transport }: KdcAddress): string {
  return `${transport ? `${transport}/` : ''}${host.includes(':') ? `[${host}]` : host}:${port}`
}
