/** Where credentials come from. @module */
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { type CredentialElement, Credentials, type Usage } from '../gss/credentials.ts'
import { GssError } from '../gss/error.ts'
import { initiatorParts } from '../gss/krb5/cachedtickets.ts'
import { Krb5Credential } from '../gss/krb5/credential.ts'
import { IakerbCredential } from '../gss/krb5/iakerbcredential.ts'
import type { AcceptorParts, InitiatorParts } from '../gss/krb5/parts.ts'
import type { Name } from '../gss/name.ts'
import { mechanismOids, nameTypeOids, type Oid } from '../gss/oids.ts'
import { seconds } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { formatPrincipal, type Principal, samePrincipal } from '../krb5/names.ts'
import { passwordSecret } from '../krb5/secret.ts'
import type { CredentialCache } from './caches/cache.ts'
import { ownerOf } from './caches/caches.ts'
import { isToRefresh, logInByKeytab, refreshByKeytab } from './clientkeytab.ts'
import type { Keytabs } from './keytabs.ts'
import type { Login } from './login.ts'
import type { LoginOptions } from './loginoptions.ts'
import type { Machine } from './logins.ts'
import { replayCacheNamed } from './replay/named.ts'

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
  /** The name of the replay cache of what these credentials accept, as KRB5RCACHENAME has it; the Kerberos object's unless said. */
  readonly rcache?: string | undefined
  /** The name of a keytab or its octets, by which the KDC that took the password has to prove itself. */
  readonly verify?: string | Uint8Array | undefined
}

/** What credentials are acquired for (RFC 2743 §2.1.1). */
export interface AcquireOptions {
  readonly usage?: Usage | undefined
  readonly name?: Name | undefined
  readonly store?: CredentialStore | undefined
  /** The mechanisms that are to use them; krb5 alone unless said. */
  readonly mechs?: readonly Oid[] | undefined
  /** Whether to accept user-to-user tickets by the session key of one's own, without a keytab (RFC 4120 §2.9.2). */
  readonly userToUser?: boolean | undefined
  /** The ticket-granting ticket of the user to reach (the `ticket` of a Credential): contexts are begun user-to-user then. */
  readonly peerTicket?: Uint8Array | undefined
  /** Seconds that tickets are to live, where a login gets them. */
  readonly lifetime?: number | undefined
  /** The only enctypes that contexts use, best first (MIT's gss_krb5_set_allowable_enctypes); the configuration's unless said. */
  readonly enctypes?: readonly Enctype[] | undefined
  /**
   * Whether contexts have confidentiality and integrity only where they are asked for (MIT's GSS_KRB5_CRED_NO_CI_FLAGS_X):
   * Active Directory's LDAP takes none that does within TLS. False unless said.
   */
  readonly noCiFlags?: boolean | undefined
}

/** What it takes to acquire credentials: a Kerberos object. */
export interface Host extends Machine {
  readonly keytabs: Keytabs
  login(name: string, options: LoginOptions): Promise<Login>
  checkPassword(name: string, password: string, options: Pick<LoginOptions, 'lifetime' | 'keytab'>): Promise<Login>
  principalOf(name: Name): Principal
  keytabName(name?: string): string
  clientKeytabName(): string
}

/** Acquires them: what {@link Kerberos.acquire} does. */
export async function acquire(host: Host, options: AcquireOptions): Promise<Credentials> {
  const { mechs = [mechanismOids.krb5], store = {}, name } = options
  if (store.rcache !== undefined) replayCacheNamed(store.rcache)
  const principal = name && host.principalOf(name)
  const elements: CredentialElement[] = []
  try {
    for (const mech of new Set(mechs.map(elementOf))) {
      const byPassword = mech === mechanismOids.iakerb && options.usage !== 'accept'
      elements.push(
        byPassword ? iakerbElement(principal, store, options.lifetime) : await krb5Element(host, principal, options),
      )
    }
    return new Credentials(elements)
  } catch (error) {
    for (const element of elements) element[Symbol.dispose]()
    throw error
  }
}

/** Whose element does for a mechanism: SPNEGO negotiates krb5, and an acceptor of IAKERB needs krb5's keys. */
function elementOf(mech: Oid): Oid {
  if (mech === mechanismOids.krb5 || mech === mechanismOids.iakerb) return mech
  if (mech === mechanismOids.spnego) return mechanismOids.krb5
  throw new GssError('GSS_S_BAD_MECH', `there are no credentials of the mechanism ${mech} here`)
}

/** Who will log in by an acceptor of IAKERB, and so reaches no KDC now. */
function iakerbElement(
  principal: Principal | undefined,
  { password }: CredentialStore,
  lifetime: number | undefined,
): IakerbCredential {
  if (!principal || password === undefined)
    throw new GssError('GSS_S_NO_CRED', 'IAKERB logs in later: it needs a name and a password (store.password)')
  return new IakerbCredential(principal, passwordSecret(principal, password), lifetime)
}

async function krb5Element(
  host: Host,
  principal: Principal | undefined,
  { usage = 'both', name, store = {}, lifetime, userToUser, peerTicket, enctypes, noCiFlags }: AcquireOptions,
): Promise<Krb5Credential> {
  const held = usage === 'accept' ? undefined : await initiatorFor(host, store, principal, lifetime)
  const whose = { name, principal, userToUser: userToUser && store.keytab === undefined }
  const accept = usage === 'initiate' ? undefined : await acceptorFor(host, store, whose)
  const initiate = held && { ...held, userToUser, peerTicket }
  return new Krb5Credential({ initiate, accept, enctypes, noCiFlags })
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
async function acceptorFor(
  host: Host,
  { keytab, rcache: replayCache }: CredentialStore,
  { name, principal, userToUser }: Accepting,
): Promise<AcceptorParts> {
  if (userToUser) return { keys: [], principal, replayCache }
  const source = { replayCache, keytab: keytab instanceof Uint8Array ? undefined : host.keytabName(keytab) }
  if (!principal || !host.config.ignoreAcceptorHostname || name?.type !== nameTypeOids.hostbased)
    return { keys: await host.keys(keytab, principal), principal, ...source }
  const [service] = principal.components
  const keys = (await host.keys(keytab)).filter(({ principal: { components } }) => components[0] === service)
  if (keys.length === 0) throw new KrbError('NO_KEY', `no key of a service ${service} in the keytab`)
  return { keys, ...source }
}

/** Tickets to initiate with: those of a password, of the ccache, or those that the client keytab gets. */
async function initiatorFor(
  host: Host,
  store: CredentialStore,
  principal: Principal | undefined,
  lifetime: number | undefined,
): Promise<InitiatorParts> {
  const { ccache, password, clientKeytab: keytab = host.clientKeytabName() } = store
  if (password !== undefined) return loginFor(host, principal, { ...store, password }, lifetime)
  const cache = await cacheFor(host, ccache, principal)
  try {
    const { toRefresh, ...held } = await ticketsIn(host, cache, principal)
    const named = typeof keytab === 'string' && toRefresh
    if (!named || !(await refreshByKeytab(host, { cache, keytab, client: held.client }))) return held
    for (const { key } of held.tickets) key[Symbol.dispose]()
  } catch (error) {
    if (!(error instanceof KrbError) || error.code !== 'NO_TICKET') throw error
    if (typeof keytab !== 'string') return loginWithKeys(host, principal, keytab, lifetime)
    const client = principal ?? (await ownerOf(cache))
    if (!(await logInByKeytab(host, { cache, keytab, client }))) throw error
  }
  const { toRefresh: _, ...held } = await ticketsIn(host, cache, principal)
  return held
}

/**
 * The tickets of a ccache that are good, and whether it is time for new ones. Throws KrbError NO_TICKET, StoreError, and
 * {@link GssError} GSS_S_NO_CRED when they are not the ones of `principal`.
 */
export async function ticketsIn(
  { env }: Pick<Host, 'env'>,
  cache: CredentialCache,
  principal: Principal | undefined,
): Promise<InitiatorParts & { readonly toRefresh: boolean }> {
  const contents = await cache.read()
  const { principal: client, entries, clockOffset } = contents
  if (principal && !samePrincipal(principal, client))
    throw new GssError(
      'GSS_S_NO_CRED',
      `${cache.name} holds tickets of ${formatPrincipal(client)}, not of ${formatPrincipal(principal)}`,
    )
  const now = seconds(env.now() + clockOffset)
  const held = initiatorParts(contents, env.enctypes, now)
  for (const { key } of entries) key[Symbol.dispose]()
  if (held.tickets.length === 0)
    throw new KrbError('NO_TICKET', `${cache.name} holds no valid ticket of ${formatPrincipal(client)}`)
  return { ...held, cache: cache.name, toRefresh: isToRefresh(contents, now) }
}

/** The cache of this name; of a collection the one of `principal`, where that is said and there is one. */
const cacheFor = async ({ caches }: Host, name: string | undefined, principal: Principal | undefined) =>
  (principal && (await caches.find(principal, name))) ?? caches.resolve(name)

/** Logs in with a password, and has the KDC prove itself where `verify` says by which keytab. Throws KrbError, GssError. */
async function loginFor(
  host: Host,
  principal: Principal | undefined,
  { password, verify: keytab }: CredentialStore & { readonly password: string },
  lifetime: number | undefined,
): Promise<InitiatorParts> {
  if (!principal) throw new GssError('GSS_S_NO_CRED', 'a password needs the name that it is of')
  const name = formatPrincipal(principal)
  return keytab === undefined
    ? partsOf(await host.login(name, { password, lifetime }))
    : partsOf(await host.checkPassword(name, password, { lifetime, keytab }))
}

/** Logs in with the octets of a client keytab, whose tickets go into no ccache. Throws KrbError. */
async function loginWithKeys(
  host: Host,
  principal: Principal | undefined,
  keytab: Uint8Array,
  lifetime: number | undefined,
): Promise<InitiatorParts> {
  const keys = await host.keys(keytab, principal)
  const name = formatPrincipal(principal ?? keys[0]!.principal)
  for (const { key } of keys) key[Symbol.dispose]()
  return partsOf(await host.login(name, { keytab, lifetime }))
}

const partsOf = ({ principal, ticket, clockOffset }: Login): InitiatorParts => ({
  client: principal,
  tickets: [ticket],
  clockOffset,
})
