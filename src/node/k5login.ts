/** Who may act as a user of this machine (k5login(5), MIT's krb5_kuserok). @module */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatPrincipal, type Principal } from '../krb5/names.ts'
import { localName } from '../store/localname.ts'
import type { KrbConfig } from '../store/options.ts'
import { type Account, accountOf } from './accounts.ts'

/** Largest k5login file that is read, in octets. */
const MAX_K5LOGIN = 1 << 20

type K5loginConfig = Pick<KrbConfig, 'defaultRealm' | 'realms' | 'k5loginAuthoritative' | 'k5loginDirectory'>

/**
 * Whether `principal` may act as `user`: when the user's k5login file lists it. Where there is no such file, or
 * k5login_authoritative is off, when its local name is the user's. A file that is neither the user's nor root's, or
 * cannot be read, lists nobody, and so do users that /etc/passwd has not. Throws ConfigError for a rule that is none.
 */
export function isAuthorized(config: K5loginConfig, principal: Principal, user: string): boolean {
  const account = accountOf(user)
  const listed = account ? isListed(pathOf(config, user, account), account.uid, formatPrincipal(principal)) : 'refused'
  if (listed === 'yes') return true
  if (listed !== 'no file' && config.k5loginAuthoritative) return false
  return localName(config, principal) === user
}

const pathOf = ({ k5loginDirectory }: K5loginConfig, user: string, { home }: Account): string =>
  k5loginDirectory ? join(k5loginDirectory, user) : join(home, '.k5login')

function isListed(path: string, uid: number, name: string): 'yes' | 'no' | 'no file' | 'refused' {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no file' : 'refused'
  }
  try {
    const found = fstatSync(file)
    const trusted = found.isFile() && found.size <= MAX_K5LOGIN && (found.uid === uid || found.uid === 0)
    if (!trusted) return 'refused'
    return readFileSync(file, 'utf8').split('\n').includes(name) ? 'yes' : 'no'
  } catch {
    return 'refused'
  } finally {
    closeSync(file)
  }
}
