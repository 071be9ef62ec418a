/** Credential caches and keytabs as files: whole files, replaced at one stroke, for their owner alone. @module */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import type { Credential } from '../krb5/credential.ts'
import { KrbError } from '../krb5/errors.ts'
import { samePrincipal } from '../krb5/names.ts'
import { type Ccache, entryOf, formatCcache, parseCcache } from '../store/ccache.ts'
import { formatKeytab, type Keytab, type KeytabEntry, parseKeytab } from '../store/keytab.ts'

/** The largest file that is read: far more than any cache or keytab has. */
const MAX_FILE = 64 * 1024 * 1024
const OWNER_ONLY = 0o600

/** Reads a credential cache. Throws KrbError NO_TICKET when there is none, StoreError when it is not one. */
export async function readCcache(path: string): Promise<Ccache> {
  const octets = await read(path, (reason) => new KrbError('NO_TICKET', `no credential cache ${path} (${reason})`))
  return parseCcache(octets)
}

/** Writes a credential cache (version 4) in place of what is there. */
export const writeCcache = (path: string, ccache: Omit<Ccache, 'version'>): Promise<void> =>
  replace(path, formatCcache(ccache))

/**
 * Adds a ticket to a cache that may have changed meanwhile. Two processes that do so at the same moment leave a whole
 * cache, though perhaps without one of the two tickets, which costs no more than asking for it again.
 */
export async function addToCcache(path: string, credential: Credential): Promise<void> {
  const ccache = await readCcache(path)
  if (!samePrincipal(ccache.principal, credential.client)) return
  const entries = ccache.entries.filter(({ server }) => !samePrincipal(server, credential.server))
  await writeCcache(path, { ...ccache, entries: [...entries, entryOf(credential)] })
}

/** Overwrites a credential cache and takes it away. Throws KrbError NO_TICKET when there is none. */
export async function destroyCcache(path: string): Promise<void> {
  const { size } = await stat(path).catch((cause) => {
    throw new KrbError('NO_TICKET', `no credential cache ${path} (${cause.code})`, { cause })
  })
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    await file.write(new Uint8Array(Math.min(size, MAX_FILE)), 0, null, 0)
  } finally {
    await file.close()
  }
  await rm(path)
}

/** Reads a keytab. Throws KrbError NO_KEY when there is none, StoreError when it is not one. */
export async function readKeytab(path: string): Promise<Keytab> {
  return parseKeytab(await read(path, (reason) => new KrbError('NO_KEY', `no keytab ${path} (${reason})`)))
}

/** Writes a keytab in place of what is there. */
export const writeKeytab = (path: string, entries: readonly KeytabEntry[]): Promise<void> =>
  replace(path, formatKeytab(entries))

async function read(path: string, absent: (reason: string) => KrbError): Promise<Uint8Array> {
  try {
    const { size } = await stat(path)
    if (size > MAX_FILE) throw absent(`${size} octets, which is more than ${MAX_FILE}`)
    return new Uint8Array(await readFile(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof KrbError || code === undefined) throw error
    const words: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EACCES: 'its mode forbids it to this user',
      EISDIR: 'it is a folder',
    }
    throw Object.assign(absent(words[code] ?? code), { cause: error })
  }
}

/** A new file beside the old one, then renamed over it: whoever reads sees the old or the new, never half of one. */
async function replace(path: string, octets: Uint8Array): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, OWNER_ONLY)
  try {
    await file.writeFile(octets)
    await file.close()
    await rename(fresh, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(fresh, { force: true })
    throw error
  }
}
