/** Credentials for C programs, for as long as they are needed: each in a file of its own (mod_auth_gssapi's GssapiDelegCcacheUnique). @module */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Credentials } from '../gss/credentials.ts'
import { defaultKerberos } from './gss.ts'
import type { Kerberos } from './kerberos.ts'

/** Where such a file is made. */
export interface TemporaryCcacheOptions {
  /** The folder to make it in, which nobody else may rename in; the system's for such files unless said. */
  readonly folder?: string | undefined
  readonly kerberos?: Pick<Kerberos, 'store' | 'caches'> | undefined
}

/** A ccache that nobody else knows. Disposing of it overwrites and removes it. */
export interface TemporaryCcache extends AsyncDisposable {
  /** `FILE:…`, for KRB5CCNAME. */
  readonly name: string
}

/**
 * Writes credentials, a peer's for instance, into a new ccache that only this user can read: mode 0600, in a new folder of
 * mode 0700. Rejects with GssError for expired ones or none, and StoreError.
 */
export async function temporaryCcache(
  credentials: Credentials,
  { folder = tmpdir(), kerberos = defaultKerberos() }: TemporaryCcacheOptions = {},
): Promise<TemporaryCcache> {
  const own = await mkdtemp(join(folder, 'krb5cc-'))
  const name = `FILE:${join(own, 'ccache')}`
  const remove = () => rm(own, { recursive: true, force: true })
  try {
    await kerberos.store(credentials, { ccache: name })
  } catch (error) {
    await remove()
    throw error
  }
  return {
    name,
    async [Symbol.asyncDispose]() {
      try {
        await (await kerberos.caches.resolve(name)).destroy()
      } finally {
        await remove()
      }
    },
  }
}
