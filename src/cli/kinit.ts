import { createReadStream } from 'node:fs'
import { userInfo } from 'node:os'
import { formatPrincipal } from '../krb5/names.ts'
import { ownerOf } from '../node/caches/caches.ts'
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
  const owner = principal === undefined ? await ownerOf(await kerberos.caches.resolve(options.cache)) : undefined
  const name = principal ?? (owner ? formatPrincipal(owner) : userInfo().username)
  const keytab = options.keytab ?? (options.k ? kerberos.keytabName() : undefined)
  const password = options.passwordFile === undefined ? undefined : await passwordFrom(options.passwordFile)
  using login = await kerberos.login(name, {
    ...{ keytab, password, service: options.service, lifetime: options.lifetime, renewLifetime: options.renewable },
    ...(options.forwardable ? { forwardable: true } : {}),
  })
  await kerberos.caches.login(login.principal, options.cache, (cache) => login.save(cache.name))
}

/** The first line of a file; of standard input for `-`. Throws PromptError. */
export function passwordFrom(path: string): Promise<string> {
  return firstLine(path === '-' ? process.stdin : createReadStream(path))
}
