/** Certificates of CAs, where krb5.conf says they are. @module */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../store/error.ts'

/** Characters of certificates that are read in all, and files of a folder. */
const MAX_CHARACTERS = 8 * 1024 * 1024
const MAX_FILES = 1_000

/**
 * The certificates that `FILE:path`, `DIR:path` and `ENV:variable` lead to (krb5.conf(5), http_anchors), as one text of
 * PEM; undefined when nothing is named. Throws ConfigError for a place that cannot be read or holds none.
 */
export function readAnchors(places: readonly string[]): string | undefined {
  if (places.length === 0) return undefined
  const text = places.map(anchorsAt).join('\n')
  if (text.length > MAX_CHARACTERS) throw new ConfigError(places[0]!, undefined, 'too many certificates')
  return text
}

function anchorsAt(place: string): string {
  const [, kind = 'FILE', path = place] = /^(FILE|DIR|ENV):(.*)$/s.exec(place) ?? []
  const named = kind === 'ENV' ? (process.env[path] ?? '') : ''
  if (kind === 'ENV' && (named === '' || named.startsWith('ENV:')))
    throw new ConfigError(place, undefined, 'the variable names no place; set it to FILE:path or DIR:path')
  if (kind === 'ENV') return anchorsAt(named)
  try {
    const files =
      kind === 'DIR'
        ? readdirSync(path)
            .slice(0, MAX_FILES)
            .map((name) => join(path, name))
        : [path]
    const texts = files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, 'latin1'))
    const certificates = texts.filter((text) => text.includes('-----BEGIN CERTIFICATE-----'))
    if (certificates.length > 0) return certificates.join('\n')
  } catch (cause) {
    throw new ConfigError(place, undefined, `cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
  throw new ConfigError(place, undefined, 'there is no certificate in PEM')
}
