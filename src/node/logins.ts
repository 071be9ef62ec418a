/** Logging in, and what belongs to it, over a machine's Kerberos. @module */

import { Secrets } from '../crypto/secrets.ts'
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
import { type Verification, verifyInitial } from '../krb5/exchanges/verify.ts'
import { formatPrincipal, type Principal, parsePrincipal, samePrincipal, ticketGrantingService } from '../krb5/names.ts'
import type { PasswordResult } from '../krb5/passwordresult.ts'
import { preauthBy } from '../krb5/preauth/list.ts'
import type { KrbExchange, KrbQuestions } from '../krb5/questions.ts'
import { keysSecret, type LongTermSecret, passwordSecret } from '../krb5/secret.ts'
import { seenOfKdcs } from '../store/cacheconfig.ts'
import { credentialOf } from '../store/ccacheentry.ts'
import { configOfRealm } from '../store/config.ts'
import type { KrbConfig } from '../store/options.ts'
import type { CredentialCaches } from './caches/caches.ts'
import { anonymousArmor, isByCertificateAlone, waysOf } from './certificates.ts'
import type { LoginResult } from './login.ts'
import { type Answers, type LoginOptions, requestOf } from './loginoptions.ts'

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
  /**
   * Whether a login that nothing proves will do: `no` unless said, `without-keys` where no key is to be had and
   * verify_ap_req_nofail does not forbid it.
   */
  readonly unverified?: 'no' | 'without-keys' | undefined
  /** Sees what a service of this host was shown as proof, before its keys are wiped. */
  readonly onAccepted?: Verification['onAccepted']
}

/** The old password and the new one; what is left out is asked for. */
export interface ChangeOptions
  extends Omit<Answers, 'newPassword'>,
    Pick<LoginOptions, 'password' | 'preauth' | 'armor' | 'enterprise'> {
  readonly newPassword?: string | undefined
}

/** Versions of a keytab's keys that are tried: a KDC may not know the newest yet. */
const MAX_VERSIONS = 3

/** Logs `client` in. Throws KrbError and TransportError. */
export async function logIn(machine: Machine, client: Principal, options: LoginOptions): Promise<AsResult> {
  const { password, newPassword, keytab } = options
  const config = configOfRealm(machine.config, client.realm)
  const world = answering(machine.world, options)
  using secrets = new Secrets()
  const armor = await armorOf(machine, { world, client, options, secrets })
  const request = { ...requestOf(client, options, config), ...(await waysOf(config, options, world)), armor }
  const env = { ...machine.env, enctypes: config.tktEnctypes }
  const exchange = (secret: LongTermSecret | undefined, renewsPassword: boolean) =>
    run<KrbQuestions, AsResult>(
      retryAtPrimary(() => loginExchange({ ...request, secret, renewsPassword }, env)),
      world,
    )
  if (keytab === undefined && isByCertificateAlone(options)) return await exchange(undefined, false)
  if (keytab === undefined) {
    const asked = password === undefined
    const known = typeof password === 'function' ? undefined : password
    return await exchange(passwordSecret(client, known), asked || newPassword !== undefined)
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

/** What a login is got in armor by. */
interface Arming {
  readonly world: World<KrbQuestions>
  readonly client: Principal
  readonly options: Pick<LoginOptions, 'armor' | 'anchors'>
  /** Keeps the armor's key, unless it is the caller's. */
  readonly secrets: Secrets
}

/** The armor, out of the ccache or from the KDC if need be. Throws KrbError NO_TICKET, and what an anonymous login throws. */
async function armorOf(
  machine: Machine,
  { world, client: { realm }, options: { armor, anchors }, secrets }: Arming,
): Promise<Armor | undefined> {
  if (armor === undefined || (typeof armor === 'object' && 'ticket' in armor)) return armor
  const config = configOfRealm(machine.config, realm)
  const got =
    typeof armor === 'string'
      ? await armorIn(machine, armor)
      : await anonymousArmor({ env: machine.env, world }, config, realm, { anchors })
  secrets.keep(got.ticket.key)
  return typeof armor === 'string' ? got : { ...got, policy: armor.policy, hideClientName: armor.hideClientName }
}

async function armorIn(machine: Machine, name: string): Promise<Armor> {
  const { credential: ticket, clockOffset } = await ticketIn(machine, name)
  return { ticket, clockOffset }
}

/** The world, in which the callbacks of `options` answer for the user. */
function answering(
  world: World<KrbQuestions>,
  { password, newPassword, ...others }: Answers & Pick<LoginOptions, 'password'>,
): World<KrbQuestions> {
  let chosen: string | Promise<string> | undefined
  return {
    ...world,
    prompt: (question) => {
      const { kind, text } = question
      if (kind === 'password' && typeof password === 'function') return password()
      if (kind !== 'password' && kind !== 'newPassword') return others[kind]?.(text) ?? world.prompt(question)
      if (kind !== 'newPassword' || !newPassword) return world.prompt(question)
      // Asked twice, a callback need not make the same up again.
      const [why, ...more] = text.split('\n')
      if (more.length > 0 || chosen === undefined) chosen = newPassword(why!)
      return chosen
    },
  }
}

/** The ticket of a ccache that a login stands on: the ticket-granting one, or the one for `service`. Throws KrbError NO_TICKET. */
export async function ticketIn(
  machine: Pick<Machine, 'caches' | 'env'>,
  name?: string,
  service?: string,
): Promise<LoginResult> {
  const cache = await machine.caches.resolve(name)
  const contents = await cache.read()
  const { entries, clockOffset } = contents
  const { startRealm: realm, ...seen } = seenOfKdcs(contents)
  const wanted = service === undefined ? ticketGrantingService(realm) : parsePrincipal(service, { realm })
  const credential = entries
    .filter(({ server }) => samePrincipal(server, wanted))
    .flatMap((entry) => credentialOf(entry, machine.env.enctypes) ?? [])[0]
  for (const { key } of entries) key[Symbol.dispose]()
  if (!credential) throw new KrbError('NO_TICKET', `${cache.name} holds no ticket for ${formatPrincipal(wanted)}`)
  return { credential, clockOffset, ...seen }
}

/** Holds a login against the keys of this host. Throws KrbError NO_KEY when they prove nothing and that is not allowed. */
export async function verify(
  machine: Machine,
  { ticket, clockOffset }: { readonly ticket: Credential; readonly clockOffset: number },
  { keytab, unverified = 'no', onAccepted }: CheckOptions,
): Promise<void> {
  const lenient = unverified === 'without-keys' && !machine.config.verifyApReqNofail
  const keys = await machine.keys(keytab).catch((error: unknown) => {
    if (lenient && error instanceof KrbError && error.code === 'NO_KEY') return []
    throw error
  })
  if (await machine.run(verifyInitial({ credential: ticket, clockOffset, keys, onAccepted }, machine.env))) return
  if (lenient) return
  throw new KrbError('NO_KEY', `the KDC of ${ticket.client.realm} knows none of the services in the keytab`, {
    hint: 'a KDC proves itself by a key that this host shares with it: add one to the keytab',
  })
}

/** Changes the password of `client`. Throws KrbError and TransportError. */
export async function changeOwnPassword(
  machine: Machine,
  client: Principal,
  { newPassword, ...options }: ChangeOptions,
): Promise<PasswordResult> {
  const { password } = options
  const config = configOfRealm(machine.config, client.realm)
  const { followClock } = config
  const secret = passwordSecret(client, typeof password === 'function' ? undefined : password)
  const world = answering(machine.world, options)
  using secrets = new Secrets()
  const armor = await armorOf(machine, { world, client, options, secrets })
  function* change(): KrbExchange<PasswordResult> {
    const asked = { client, secret, preauth: options.preauth ?? preauthBy(config), armor, followClock }
    const { credential, clockOffset } = yield* changeTicket(asked, machine.env)
    using key = credential.key
    const chosen = newPassword ?? (yield* askNewPassword())
    if (chosen === undefined)
      throw new KrbError('KRB5_KPASSWD_SOFTERROR', 'the two new passwords differ', { hint: 'type the same one twice' })
    const env = shifted(machine.env, clockOffset)
    return yield* changePassword({ credential: { ...credential, key }, newPassword: chosen }, env)
  }
  return await run<KrbQuestions, PasswordResult>(change(), world)
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
