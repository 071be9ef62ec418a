/** Where credentials come from besides a ccache, and where they go. @module */
import type { Credentials } from '../gss/credentials.ts'
import { GssError } from '../gss/error.ts'
import { type InitiatorParts, Krb5Credential } from '../gss/krb5/credential.ts'
import type { Name } from '../gss/name.ts'
import { mechanismOids, nameTypeOids } from '../gss/oids.ts'
import type { ServiceKey } from '../krb5/credential.ts'
import { KrbError } from '../krb5/errors.ts'
import type { Acceptor } from '../krb5/exchanges/accept.ts'
import { formatPrincipal, type Principal } from '../krb5/names.ts'
import { entryOf } from '../store/ccacheentry.ts'
import type { KrbConfig } from '../store/options.ts'
import type { CredentialCaches } from './caches/caches.ts'
import type { Login } from './login.ts'
import type { LoginOptions } from './loginoptions.ts'

/** Where credentials come from (python-gssapi's `store`); the environment's defaults where nothing is said. */
export interface CredentialStore {
  /** The name of a ccache, to initiate with. */
  readonly ccache?: string | undefined
  /** The name of a keytab or its octets, to log in with where the ccache has no ticket; the environment's unless said. */
  readonly clientKeytab?: string | Uint8Array | undefined
  /** The password to log in with, in place of a ccache; the credentials' `name` says who. */
  readonly password?: string | undefined
  /** The name of a keytab or its octets, to accept with. */
  readonly keytab?: string | Uint8Array | undefined
  /** The name of a keytab or its octets, by which the KDC that took the password has to prove itself. */
  readonly verify?: string | Uint8Array | undefined
}

/** What it takes to acquire credentials: a Kerberos object. */
export interface Host {
  readonly caches: CredentialCaches
  login(name: string, options: LoginOptions): Promise<Login>
  checkPassword(name: string, password: string, options: Pick<LoginOptions, 'lifetime' | 'keytab'>): Promise<Login>
  keys(keytab?: string | Uint8Array, principal?: Principal): Promise<readonly ServiceKey[]>
  readonly config: Pick<KrbConfig, 'ignoreAcceptorHostname'>
}

/** As whom to accept. */
interface Accepting {
  readonly name: Name | undefined
  /** The one of `name`. */
  readonly principal: Principal | undefined
  /** Whether user-to-user tickets will do, without a keytab. */
  readonly userToUser: boolean | undefined
}

/**
 * Who accepts with the keys of a keytab: for any host's key of the service that is named, where ignore_acceptor_hostname
 * says so. Throws KrbError NO_KEY.
 */
export async function acceptorFor(
  kerberos: Host,
  keytab: string | Uint8Array | undefined,
  { name, principal, userToUser }: Accepting,
): Promise<Acceptor> {
  if (userToUser) return { keys: [], principal }
  if (!principal || !kerberos.config.ignoreAcceptorHostname || name?.type !== nameTypeOids.hostbased)
    return { keys: await kerberos.keys(keytab, principal), principal }
  const [service] = principal.components
  const keys = (await kerberos.keys(keytab)).filter(({ principal: { components } }) => components[0] === service)
  if (keys.length === 0) throw new KrbError('NO_KEY', `no key of a service ${service} in the keytab`)
  return { keys }
}

/** Logs in with a password, and has the KDC prove itself where `verify` says by which keytab. Throws KrbError, GssError. */
export async function loginFor(
  kerberos: Host,
  principal: Principal | undefined,
  { password, verify: keytab }: CredentialStore & { readonly password: string },
  lifetime: number | undefined,
): Promise<InitiatorParts> {
  if (!principal) throw new GssError('GSS_S_NO_CRED', 'a password needs the name that it is of')
  const name = formatPrincipal(principal)
  return keytab === undefined
    ? partsOf(await kerberos.login(name, { password, lifetime }))
    : partsOf(await kerberos.checkPassword(name, password, { lifetime, keytab }))
}

/** Logs in with the octets of a client keytab, whose tickets go into no ccache. Throws KrbError. */
export async function loginWithKeys(
  kerberos: Host,
  principal: Principal | undefined,
  keytab: Uint8Array,
  lifetime: number | undefined,
): Promise<InitiatorParts> {
  const keys = await kerberos.keys(keytab, principal)
  const name = formatPrincipal(principal ?? keys[0]!.principal)
  for (const { key } of keys) key[Symbol.dispose]()
  return partsOf(await kerberos.login(name, { keytab, lifetime }))
}

const partsOf = ({ principal, ticket, clockOffset }: Login): InitiatorParts => ({
  client: principal,
  tickets: [ticket],
  clockOffset,
})

/** Writes the tickets of credentials, delegated ones for instance, into the ccache of this name, in place of what is there. */
export async function storeInto(kerberos: Host, credentials: Credentials, name: string | undefined): Promise<void> {
  const element = credentials.element(mechanismOids.krb5)
  if (!(element instanceof Krb5Credential) || !element.client)
    throw new GssError('GSS_S_NO_CRED', 'there are no tickets in these credentials to be stored')
  const cache = await kerberos.caches.resolve(name)
  const { client: principal, clockOffset, tickets } = element
  await cache.replace({ principal, clockOffset, entries: tickets.map(entryOf) })
}
