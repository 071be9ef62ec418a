/** Every encryption type this library speaks, one row each. @module */
import { fastest } from '../primitives/fastest.ts'
import type { HashName, Primitives } from '../primitives/primitives.ts'
import { aesSha1, aesSha2 } from './aes.ts'
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

/** The rows over these primitives, in order of preference. */
export function makeEnctypes(primitives: Primitives): { readonly current: readonly Enctype[]; readonly deprecated: readonly Enctype[] } {
  return { current: current.map((row) => row(primitives)), deprecated: [] }
}

const made = makeEnctypes(fastest)

/** What is offered and accepted unless the caller says otherwise, in order of preference. */
export const enctypes: readonly Enctype[] = made.current
/** What is spoken only when asked for by name. */
export const deprecatedEnctypes: readonly Enctype[] = made.deprecated

const all = [...enctypes, ...deprecatedEnctypes]

/** Encryption types that have a name but are not spoken, refused on purpose or not yet there. */
const unspoken: Readonly<Record<number, string>> = {
  1: 'des-cbc-crc', 2: 'des-cbc-md4', 3: 'des-cbc-md5', 16: 'des3-cbc-sha1-kd', 23: 'rc4-hmac', 24: 'rc4-hmac-exp', 25: 'camellia128-cts-cmac', 26: 'camellia256-cts-cmac',
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
  return enctypeById(id)?.name ?? (unspoken[id] ? `${unspoken[id]} (${id})` : `etype ${id}`)
}
