import { KrbError } from '../krb5/errors.ts'
import type { CredentialCache } from '../node/caches/cache.ts'
import { Kerberos } from '../node/kerberos.ts'

/** Which cache is meant. */
export interface CacheChoice {
  readonly cache?: string
  readonly principal?: string
}

/** Makes a cache of the collection its primary. */
export async function kswitch(choice: CacheChoice): Promise<void> {
  if ((choice.cache === undefined) === (choice.principal === undefined))
    throw new TypeError('one of -c and -p has to be given: the cache to switch to, or whose it is')
  const kerberos = new Kerberos()
  await kerberos.caches.switchTo(await chosen(kerberos, choice))
}

/** Takes a cache away, or with `all` every cache of the collection. */
export async function kdestroy({
  all,
  quiet,
  ...choice
}: CacheChoice & { readonly all?: boolean; readonly quiet?: boolean }): Promise<void> {
  const kerberos = new Kerberos()
  if (all) {
    for (const cache of await kerberos.caches.collection(choice.cache).list()) await cache.destroy()
    return
  }
  await (await chosen(kerberos, choice)).destroy()
  const left = choice.cache === undefined ? await kerberos.caches.collection().list() : []
  if (left.length > 0 && !quiet) process.stderr.write('Other credential caches present, use -A to destroy all\n')
}

async function chosen(kerberos: Kerberos, { cache, principal }: CacheChoice): Promise<CredentialCache> {
  if (principal === undefined) return kerberos.caches.resolve(cache)
  const found = await kerberos.caches.find(kerberos.principal(principal), cache)
  if (found) return found
  throw new KrbError('NO_TICKET', `no credential cache of ${principal} in ${cache ?? kerberos.caches.defaultName}`)
}
