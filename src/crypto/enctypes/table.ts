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

const DES = 'single DES has keys of 56 bits, which can be searched for (RFC 6649)'
const OLD_DES3 = 'it was given up before RFC 3961 and signs with a hash that has no key'

/** Encryption types that have a name and are spoken by nobody who asks here, whatever the list: the name and why. */
const refused: Readonly<Record<number, readonly [name: string, why: string]>> = {
  1:      ['des-cbc-crc', DES],
  2:      ['des-cbc-md4', DES],
  3:      ['des-cbc-md5', DES],
  4:      ['des-cbc-raw', DES],
  5:      ['des3-cbc-md5', OLD_DES3],
  6:      ['des3-cbc-raw', 'it signs nothing'],
  7:      ['des3-cbc-sha1', OLD_DES3],
  8:      ['des-hmac-sha1', DES],
  24:     ['rc4-hmac-exp', 'its keys have 40 bits that are secret, which can be searched for (RFC 6649)'],
  [-128]: ['rc4-md4', 'it is RC4 with MD4, which Windows gave up and no RFC describes'],
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
  return enctypeById(id)?.name ?? (refused[id] ? `${refused[id][0]} (${id})` : `etype ${id}`)
}

/**
 * Why a number that is not among the rows at hand is refused, to stand behind its name in a message: `single DES has
 * keys of 56 bits, which can be searched for (RFC 6649)`.
 */
export function enctypeRefusal(id: number): string {
  if (refused[id]) return refused[id][1]
  const known = enctypeById(id)
  if (!known) return 'it is not spoken here'
  return known.standing === 'deprecated'
    ? 'it is deprecated, and spoken only when the list of enctypes names it'
    : 'the list of enctypes does not name it'
}
