/** Every encryption type this library speaks, one row each. @module */
import { fastest } from '../primitives/fastest.ts'
import type { HashName, Primitives } from '../primitives/primitives.ts'
import { aesSha1, aesSha2 } from './aes.ts'
import { arcfour } from './arcfour.ts'
import { camellia } from './camellia.ts'
import { des3 } from './des3.ts'
import type { Enctype } from './profile.ts'

const sha1 = (id: number, name: string, aliases: string[], keySize: 16 | 32, checksumId: number) => (primitives: Primitives) =>
  aesSha1({ id, name, aliases, keySize, checksumId, checksumSize: 12, hash: 'sha1' }, primitives)

const sha2 = (id: number, name: string, aliases: string[], keySize: 16 | 32, checksumId: number, hash: HashName, checksumSize: number) =>
  (primitives: Primitives) => aesSha2({ id, name, aliases, keySize, checksumId, checksumSize, hash }, primitives)

const current = [
  sha1(18, 'aes256-cts-hmac-sha1-96',    ['aes256-cts', 'aes256-sha1'], 32, 16),
  sha1(17, 'aes128-cts-hmac-sha1-96',    ['aes128-cts', 'aes128-sha1'], 16, 15),
  sha2(20, 'aes256-cts-hmac-sha384-192', ['aes256-sha2'],               32, 20, 'sha384', 24),
  sha2(19, 'aes128-cts-hmac-sha256-128', ['aes128-sha2'],               16, 19, 'sha256', 16),
]

const deprecated = [
  (primitives: Primitives) => camellia({ id: 26, name: 'camellia256-cts-cmac', aliases: ['camellia256-cts'],                               keySize: 32, checksumId: 18 }, primitives),
  (primitives: Primitives) => camellia({ id: 25, name: 'camellia128-cts-cmac', aliases: ['camellia128-cts'],                               keySize: 16, checksumId: 17 }, primitives),
  (primitives: Primitives) => des3({     id: 16, name: 'des3-cbc-sha1-kd',     aliases: ['des3-cbc-sha1', 'des3-hmac-sha1'],                           checksumId: 12 }, primitives),
  (primitives: Primitives) => arcfour({  id: 23, name: 'rc4-hmac',             aliases: ['arcfour-hmac', 'arcfour-hmac-md5', 'rc4-hmac-md5'],          checksumId: -138 }, primitives),
]

/** The rows over these primitives, in order of preference. */
export function makeEnctypes(primitives: Primitives): { readonly current: readonly Enctype[]; readonly deprecated: readonly Enctype[] } {
  return { current: current.map((row) => row(primitives)), deprecated: deprecated.map((row) => row(primitives)) }
}

const made = makeEnctypes(fastest)

/** What is offered and accepted unless the caller says otherwise, in order of preference. */
export const enctypes: readonly Enctype[] = made.current
/** What is spoken only when asked for by name. */
export const deprecatedEnctypes: readonly Enctype[] = made.deprecated

const all = [...enctypes, ...deprecatedEnctypes]

/** Encryption types that have a name and are refused: their keys can be searched for (RFC 6649, RFC 8429). */
const refused: Readonly<Record<number, string>> = {
  1: 'des-cbc-crc', 2: 'des-cbc-md4', 3: 'des-cbc-md5', 4: 'des-cbc-raw', 5: 'des3-cbc-md5', 6: 'des3-cbc-raw', 7: 'des3-cbc-sha1',
  8: 'des-hmac-sha1', 24: 'rc4-hmac-exp', [-128]: 'rc4-md4',
}

/** The row of a number; undefined for what is not among them. */
export function enctypeById(id: number, among: readonly Enctype[] = all): Enctype | undefined {
  return among.find((enctype) => enctype.id === id)
}

/** The row of a name or an alias of krb5.conf, in any case of letters; undefined for what is not among them. */
export function enctypeByName(name: string, among: readonly Enctype[] = all): Enctype | undefined {
  const wanted = name.toLowerCase()
  return among.find((enctype) => enctype.name === wanted || enctype.aliases.includes(wanted))
}

/** What people call a number, spoken or not: `aes256-cts-hmac-sha1-96`, `des-cbc-md5 (3)`, `etype 99`. */
export function enctypeName(id: number): string {
  return enctypeById(id)?.name ?? (refused[id] ? `${refused[id]} (${id})` : `etype ${id}`)
}
