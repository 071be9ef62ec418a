/** `kerb keytab`: keytabs shown, filled and merged, as ktutil does. @module */
import { fromHex, toHex, utf8 } from '../bytes/index.ts'
import { enctypeByName } from '../crypto/enctypes/table.ts'
import { seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { formatPrincipal, type Principal, samePrincipal } from '../krb5/names.ts'
import { Kerberos } from '../node/kerberos.ts'
import type { KeytabStore } from '../node/keytabs.ts'
import { promptSecret } from '../node/prompt.ts'
import { entriesFromPassword, type KeytabEntry } from '../store/keytab.ts'
import { StoredKey } from '../store/storedkey.ts'
import { passwordFrom } from './kinit.ts'
import { formatEnctype, formatStamp } from './text.ts'

/** How a keytab is shown. */
export interface KeytabListOptions {
  readonly enctypes?: boolean
  readonly timestamps?: boolean
  /** Show the keys themselves: whoever sees them has them. */
  readonly keys?: boolean
}

/** What `kerb keytab` and its commands were told. */
export interface KeytabOptions extends KeytabListOptions {
  readonly keytab?: string
  readonly kvno?: number
  readonly enctype: readonly string[]
  readonly salt?: string
  readonly key?: string
  readonly passwordFile?: string
  /** Take away all versions but the newest. */
  readonly old?: boolean
}

/** Shows a keytab. */
export async function listKeytab(name: string | undefined, options: KeytabOptions): Promise<void> {
  const { keytabs, keytabName } = opened(name ?? options.keytab)
  process.stdout.write(`${(await keytabLines(keytabs.resolve(keytabName), options)).join('\n')}\n`)
}

/** Adds keys of a principal: those of a password, or the one that `--key` gives. */
export async function addToKeytab(name: string, options: KeytabOptions): Promise<void> {
  const { kerberos, keytabs, keytabName } = opened(options.keytab)
  const principal = kerberos.principal(name)
  const { kvno = 1, salt, key } = options
  const enctypes = options.enctype.length ? options.enctype.map(enctypeNamed) : kerberos.env.enctypes
  const timestamp = seconds(kerberos.env.now())
  const store = keytabs.resolve(keytabName)
  if (key !== undefined) {
    const [enctype, ...others] = enctypes
    const octets = fromHex(key)
    if (!enctype || others.length > 0) throw new TypeError('--key wants one -e, the enctype of the key')
    if (octets.length !== enctype.keySize)
      throw new TypeError(`a key of ${enctype.name} has ${enctype.keySize} octets, not ${octets.length}`)
    return store.add({ principal, kvno, timestamp, key: new StoredKey(enctype.id, octets) })
  }
  const password =
    options.passwordFile === undefined
      ? await promptSecret(`Password for ${formatPrincipal(principal)}: `)
      : await passwordFrom(options.passwordFile)
  const parameters = { kvno, timestamp, enctypes, salt: salt === undefined ? undefined : utf8(salt) }
  await store.add(...entriesFromPassword(principal, password, parameters))
}

/** Removes keys of a principal: all of them, those of a version, of enctypes, or the old ones. */
export async function removeFromKeytab(name: string, options: KeytabOptions): Promise<void> {
  const { kerberos, keytabs, keytabName } = opened(options.keytab)
  const principal = kerberos.principal(name)
  const store = keytabs.resolve(keytabName)
  const newest = newestOf((await store.read()).entries, principal)
  const ids = options.enctype.map((enctype) => enctypeNamed(enctype).id)
  const removed = await store.remove(
    (entry) =>
      samePrincipal(entry.principal, principal) &&
      (options.kvno === undefined || entry.kvno === options.kvno) &&
      (ids.length === 0 || ids.includes(entry.key.keytype)) &&
      (!options.old || entry.kvno !== newest),
  )
  if (removed === 0) throw new KrbError('NO_KEY', `no such key of ${formatPrincipal(principal)} in ${store.name}`)
}

/** Adds the keys of other keytabs. */
export async function mergeKeytabs(names: readonly string[], options: KeytabOptions): Promise<void> {
  const { keytabs, keytabName } = opened(options.keytab)
  for (const name of names) await keytabs.resolve(keytabName).add(...(await keytabs.resolve(name).read()).entries)
}

/** A keytab in klist's layout. */
export async function keytabLines(keytab: KeytabStore, options: KeytabListOptions): Promise<string[]> {
  const { enctypes, timestamps, keys } = options
  const { entries } = await keytab.read()
  const width = formatStamp(0).length
  const line = ({ kvno, timestamp, principal, key }: KeytabEntry) =>
    [
      `${String(kvno).padStart(4)} `,
      timestamps ? `${formatStamp(timestamp)} ` : '',
      formatPrincipal(principal),
      enctypes ? ` (${formatEnctype(key.keytype)}) ` : '',
      keys ? ` (0x${toHex(key.octets())})` : '',
    ].join('')
  return [
    `Keytab name: ${keytab.name}`,
    `KVNO ${timestamps ? `${'Timestamp'.padEnd(width)} ` : ''}Principal`,
    timestamps ? `---- ${'-'.repeat(width)} ${'-'.repeat(73 - width)}` : `---- ${'-'.repeat(74)}`,
    ...entries.map(line),
  ]
}

function opened(name: string | undefined) {
  const kerberos = new Kerberos()
  return { kerberos, keytabs: kerberos.keytabs, keytabName: kerberos.keytabName(name) }
}

function enctypeNamed(name: string) {
  const enctype = enctypeByName(name)
  if (!enctype) throw new TypeError(`not an encryption type: ${name}; aes256-cts-hmac-sha1-96 is one`)
  return enctype
}

const newestOf = (entries: readonly KeytabEntry[], principal: Principal): number =>
  Math.max(...entries.filter((entry) => samePrincipal(entry.principal, principal)).map(({ kvno }) => kvno))
