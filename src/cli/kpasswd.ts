import { userInfo } from 'node:os'
import { formatPrincipal } from '../krb5/names.ts'
import { ownerOf } from '../node/caches/caches.ts'
import { Kerberos } from '../node/kerberos.ts'
import { secretPrompter } from '../node/prompt.ts'

/** Changes a password: the one of `principal`, of whom the cache belongs to, or of this user. */
export async function kpasswd(principal: string | undefined): Promise<void> {
  const kerberos = new Kerberos({ prompt: secretPrompter() })
  const owner = principal === undefined ? await ownerOf(await kerberos.caches.resolve()) : undefined
  const name = principal ?? (owner ? formatPrincipal(owner) : userInfo().username)
  const { text } = await kerberos.changePassword(name)
  process.stdout.write(`Password changed.${text && !/^password changed/i.test(text) ? ` ${text}` : ''}\n`)
}
