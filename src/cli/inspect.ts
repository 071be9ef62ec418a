/** `kerb inspect`: whatever octets of Kerberos, explained line by line. @module */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { deprecatedEnctypes, enctypes } from '../crypto/enctypes/table.ts'
import { Secrets } from '../crypto/secrets.ts'
import { inspect as explain, formatItems } from '../inspect/index.ts'
import type { ServiceKey } from '../krb5/credential.ts'
import { Kerberos } from '../node/kerberos.ts'
import { keysOf } from '../store/keytab.ts'
import { passwordFrom } from './kinit.ts'

/** What `kerb inspect` was told. */
export interface InspectOptions {
  readonly keytab?: string
  readonly passwordFile?: string
  readonly keys?: boolean
}

/** Explains a file, or octets written as text; with the keys of a keytab, or a password, also what is sealed. */
export async function inspect(input: string | undefined, options: InspectOptions): Promise<void> {
  const { keytab, passwordFile, keys: showKeys = false } = options
  using secrets = new Secrets()
  const keys = keytab === undefined ? [] : await keytabKeys(keytab)
  for (const { key } of keys) secrets.keep(key)
  const password = passwordFile === undefined ? undefined : await passwordFrom(passwordFile)
  const items = explain(await octetsOf(input), { keys, password, showKeys })
  process.stdout.write(`${formatItems(items).join('\n')}\n`)
}

/** The keys of a keytab, whichever enctypes they have. */
export async function keytabKeys(name: string): Promise<readonly ServiceKey[]> {
  const kerberos = new Kerberos()
  const keytab = await kerberos.keytabs.resolve(kerberos.keytabName(name)).read()
  return keysOf(keytab, [...enctypes, ...deprecatedEnctypes])
}

/** A file where there is one, else the argument itself. */
async function octetsOf(input: string | undefined): Promise<Uint8Array | string> {
  if (input === undefined || input === '-') {
    const parts: Buffer[] = []
    for await (const part of process.stdin) parts.push(part as Buffer)
    return new Uint8Array(Buffer.concat(parts))
  }
  const path = input.replace(/^FILE:/, '')
  if (existsSync(path)) return new Uint8Array(await readFile(path))
  return input
}
