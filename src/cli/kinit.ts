import { createReadStream } from 'node:fs'
import { userInfo } from 'node:os'
import { KrbError } from '../krb5/errors.ts'
import { formatPrincipal } from '../krb5/names.ts'
import { filePath } from '../node/environment.ts'
import { readCcache } from '../node/files.ts'
import { Kerberos } from '../node/kerberos.ts'
import { firstLine } from '../node/prompt.ts'

/** What `kerb kinit` was told. */
export interface KinitOptions {
  readonly cache?: string
  readonly k?: boolean
  readonly keytab?: string
  readonly passwordFile?: string
  readonly lifetime?: number
  readonly renewable?: number
  readonly forwardable?: boolean
  readonly service?: string
}

/** Logs in and writes the ticket to the credential cache. */
export async function kinit(principal: string | undefined, options: KinitOptions): Promise<void> {
  const kerberos = new Kerberos()
  const cache = kerberos.ccacheName(options.cache)
  const name = principal ?? (await ownerOf(cache)) ?? userInfo().username
  const keytab = options.keytab ?? (options.k ? kerberos.keytabName() : undefined)
  const password = options.passwordFile === undefined ? undefined : await passwordFrom(options.passwordFile)
  using login = await kerberos.login(name, {
    ...{ keytab, password, service: options.service, lifetime: options.lifetime, renewLifetime: options.renewable },
    ...(options.forwardable ? { forwardable: true } : {}),
  })
  await login.save(cache)
}

async function ownerOf(cache: string): Promise<string | undefined> {
  try {
    return formatPrincipal((await readCcache(filePath(cache, 'ccache'))).principal)
  } catch (error) {
    if (error instanceof KrbError) return undefined
    throw error
  }
}

function passwordFrom(path: string): Promise<string> {
  return firstLine(path === '-' ? process.stdin : createReadStream(path))
}
