/** The paved path: log in, protect a fetch, accept requests, start a realm to try it on. @module */

export { KrbError, TransportError } from './krb5/errors.ts'
export { Credentials, GssError, Name, SecurityContext } from './node/gss.ts'
export {
  createNegotiateAcceptor,
  createNegotiateFetch,
  MutualAuthenticationError,
  negotiateListener,
} from './node/http.ts'
export { Kerberos, type KerberosOptions } from './node/kerberos.ts'
export { Login } from './node/login.ts'
export type { LoginOptions } from './node/loginoptions.ts'
export type { ChangeOptions, CheckOptions } from './node/logins.ts'
export { type Realm, type RealmOptions, startRealm } from './node/realm.ts'

import { Kerberos, type KerberosOptions } from './node/kerberos.ts'
import type { Login } from './node/login.ts'
import type { LoginOptions } from './node/loginoptions.ts'

/** Logs in at the KDC that krb5.conf names: `using alice = await login('alice@LAB.TEST', { password })`. Throws KrbError and TransportError. */
export function login(
  name: string,
  { password, keytab, ...options }: LoginOptions & KerberosOptions = {},
): Promise<Login> {
  return new Kerberos(options).login(name, { ...options, password, keytab })
}
