/** Logging in, and what belongs to it, over a machine's Kerberos. @module */

import type { World } from '../effects/index.ts'
import { run } from '../effects/index.ts'
import type { Credential, ServiceKey } from '../krb5/credential.ts'
import { type Env, shifted } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import type { AsResult } from '../krb5/exchanges/as.ts'
import type { Armor } from '../krb5/exchanges/fast.ts'
import { askNewPassword, changeTicket, loginExchange } from '../krb5/exchanges/login.ts'
import { changePassword, passwordService } from '../krb5/exchanges/password.ts'
import { retryAtPrimary } from '../krb5/exchanges/primary.ts'
import { tgsExchange } from '../krb5/exchanges/tgs.ts'
import { verifyInitial } from '../krb5/exchanges/verify.ts'
import { formatPrincipal, type Principal, parsePrincipal, samePrincipal, ticketGrantingService } from '../krb5/names.ts'
import type { PasswordResult } from '../krb5/passwordresult.ts'
import type { KrbExchange, KrbQuestions } from '../krb5/questions.ts'
import { keysSecret, type LongTermSecret, passwordSecret } from '../krb5/secret.ts'
import { credentialOf } from '../store/ccacheentry.ts'
import { configOfRealm } from '../store/config.ts'
import type { KrbConfig } from '../store/options.ts'
import type { CredentialCaches } from './caches/caches.ts'
import type { LoginResult } from './login.ts'
import { type LoginOptions, requestOf } from './loginoptions.ts'

/** What of a machine's Kerberos a login needs. */
export interface Machine {
  readonly config: KrbConfig
  readonly env: Env
  readonly world: World<KrbQuestions>
  readonly caches: CredentialCaches
  keys(keytab?: string | Uint8Array, principal?: Principal): Promise<readonly ServiceKey[]>
  run<T>(exchange: KrbExchange<T>): Promise<T>
}

/** What a password is checked with besides. */
export interface CheckOptions extends Omit<LoginOptions, 'password' | 'keytab'> {
  /** With the keys of services of this host; the environment's keytab unless said. */
  readonly keytab?: string | Uint8Array | undefined
  /** Whether a login that nothing proves will do: `no` unless said, `without-keys` where no key is to be had. */
  readonly unverified?: 'no' | 'without-keys' | undefined
}

/** The old password and the new one; what is left out is asked for. */
export interface ChangeOptions extends Pick<LoginOptions, 'password' | 'preauth' | 'armor' | 'enterprise'> {
  readonly newPassword?: string | undefined
}

/** Versions of a keytab's keys that are tried: a KDC may not know the newest yet. */
const MAX_VERSIONS = 3

/** Logs `client` in. Throws KrbError and TransportError. */
export async function logIn(machine: Machine, client: Principal, options: LoginOptions): Promise<AsResult> {
  const { password, newPassword, keytab } = options
  const config = configOfRealm(machine.config, client.realm)
  const request = { ...requestOf(client, options, config), armor: await armorOf(machine, options) }
  const env = { ...machine.env, enctypes: config.tktEnctypes }
  const world = answering(machine.world, options)
  const exchange = (secret: LongTermSecret, renewsPassword: boolean) =>
    run<KrbQuestions, AsResult>(
      retryAtPrimary(() => loginExchange({ ...request, secret, renewsPassword }, env)),
      world,
    )
  if (keytab === undefined) {
    const asked = password === undefined
    const known = typeof password === 'function' ? undefined : password
    return exchange(passwordSecret(client, known), asked || newPassword !== undefined)
  }
  const keys = await machine.keys(keytab, client)
  const versions = [...new Set(keys.map(({ kvno }) => kvno))].sort((a, b) => b - a).slice(0, MAX_VERSIONS)
  for (const [i, version] of versions.entries()) {
    const current = keys.filter(({ kvno }) => kvno === version).map(({ key }) => key)
    try {
      return await exchange(keysSecret(client, current), false)
    } catch (error) {
      const wrongKey = error instanceof KrbError && error.code === 'KDC_ERR_PREAUTH_FAILED'
      if (!wrongKey || i === versions.length - 1) throw error
    }
  }
  throw new KrbError('NO_KEY', `no usable key of ${formatPrincipal(client)} in the keytab`)
}

/** The armor, out of the ccache if that is what is named. Throws KrbError NO_TICKET. */
async function armorOf(machine: Machine, { armor }: Pick<LoginOptions, 'armor'>): Promise<Armor | undefined> {
  if (typeof armor !== 'string') return armor
  const { credential, clockOffset } = await ticketIn(machine, armor)
  return { ticket: credential, clockOffset }
}

/** The world, in which the callbacks of `options` answer for the user. */
function answering(world: World<KrbQuestions>, { password, newPassword }: LoginOptions): World<KrbQuestions> {
  let chosen: string | Promise<string> | undefined
  return {
    ...world,
    prompt: (question) => {
      if (question.kind === 'password' && typeof password === 'function') return password()
      if (question.kind !== 'newPassword' || !newPassword) return world.prompt(question)
      // Asked twice, a callback need not make the same up again.
      const [why, ...more] = question.text.split('\n')
      if (more.length > 0 || chosen === undefined) chosen = newPassword(why!)
      return chosen
    },
  }
}

/** The ticket of a ccache that a login stands on: the ticket-granting one, or the one for `service`. Throws KrbError NO_TICKET. */
export async function ticketIn(machine: Machine, name?: string, service?: string): Promise<LoginResult> {
  const cache = await machine.caches.resolve(name)
  const { principal, entries, clockOffset } = await cache.read()
  const { realm } = principal
  const wanted = service === undefined ? ticketGrantingService(realm) : parsePrincipal(service, { realm })
  const credential = entries
    .filter(({ server }) => samePrincipal(server, wanted))
    .flatMap((entry) => credentialOf(entry, machine.env.enctypes) ?? [])[0]
  for (const { key } of entries) key[Symbol.dispose]()
  if (!credential) throw new KrbError('NO_TICKET', `${cache.name} holds no ticket for ${formatPrincipal(wanted)}`)
  return { credential, clockOffset }
}

/** Holds a login against the keys of this host. Throws KrbError NO_KEY when they prove nothing and that is not allowed. */
export async function verify(
  machine: Machine,
  { ticket, clockOffset }: { readonly ticket: Credential; readonly clockOffset: number },
  { keytab, unverified = 'no' }: CheckOptions,
): Promise<void> {
  const keys = await machine.keys(keytab).catch((error: unknown) => {
    if (unverified === 'without-keys' && error instanceof KrbError && error.code === 'NO_KEY') return []
    throw error
  })
  if (await machine.run(verifyInitial({ credential: ticket, clockOffset, keys }, machine.env))) return
  if (unverified === 'without-keys') return
  throw new KrbError('NO_KEY', `the KDC of ${ticket.client.realm} knows none of the services in the keytab`, {
    hint: 'a KDC proves itself by a key that this host shares with it: add one to the keytab',
  })
}

/** Changes the password of `client`. Throws KrbError and TransportError. */
export async function changeOwnPassword(
  machine: Machine,
  client: Principal,
  { password, preauth, newPassword, armor: named }: ChangeOptions,
): Promise<PasswordResult> {
  const { followClock } = configOfRealm(machine.config, client.realm)
  const secret = passwordSecret(client, typeof password === 'function' ? undefined : password)
  const armor = await armorOf(machine, { armor: named })
  function* change(): KrbExchange<PasswordResult> {
    const asked = { client, secret, preauth, armor, followClock }
    const { credential, clockOffset } = yield* changeTicket(asked, machine.env)
    using key = credential.key
    const chosen = newPassword ?? (yield* askNewPassword())
    if (chosen === undefined)
      throw new KrbError('KRB5_KPASSWD_SOFTERROR', 'the two new passwords differ', { hint: 'type the same one twice' })
    const env = shifted(machine.env, clockOffset)
    return yield* changePassword({ credential: { ...credential, key }, newPassword: chosen }, env)
  }
  return run<KrbQuestions, PasswordResult>(change(), answering(machine.world, { password }))
}

/**
 * Sets the password of `target` with an administrator's ticket for the password service, or one bought with theirs for
 * others. Throws KrbError and TransportError.
 */
export function setOtherPassword(
  machine: Machine,
  { tgt, clockOffset }: { readonly tgt: Credential; readonly clockOffset: number },
  target: Principal,
  newPassword: string,
): Promise<PasswordResult> {
  function* set(): KrbExchange<PasswordResult> {
    const service = passwordService(target.realm)
    const env = shifted(machine.env, clockOffset)
    if (samePrincipal(tgt.server, service)) return yield* changePassword({ credential: tgt, newPassword, target }, env)
    const { credential } = yield* tgsExchange({ tgt, service, clockOffset }, machine.env)
    using key = credential.key
    return yield* changePassword({ credential: { ...credential, key }, newPassword, target }, env)
  }
  return machine.run(set())
}
