import type { Env } from '../env.ts'
import { shifted } from '../env.ts'
import { KrbError } from '../errors.ts'
import { formatPrincipal } from '../names.ts'
import { askKrb, type KrbExchange } from '../questions.ts'
import { passwordSecret } from '../secret.ts'
import { type AsRequest, type AsResult, asExchange } from './as.ts'
import { changePassword, passwordService } from './password.ts'

/** What the caller wants of a login. */
export interface LoginRequest extends AsRequest {
  /** Whether an expired password is to be changed on the way, the new one being asked for. */
  readonly renewsPassword: boolean
}

/** Seconds that a ticket for changing a password is asked for, as MIT does. */
const CHANGE_LIFE = 300
/** New passwords that are asked for before the change is given up. */
const MAX_TRIES = 3

/**
 * The AS exchange; where the KDC answers that the password has expired, a new one is asked for, put in its place with a
 * ticket got for that, and logged in with. Throws KrbError.
 */
export function* loginExchange(request: LoginRequest, env: Env): KrbExchange<AsResult> {
  try {
    return yield* asExchange(request, env)
  } catch (error) {
    const expired = error instanceof KrbError && error.code === 'KDC_ERR_KEY_EXPIRED' && error.origin === 'peer'
    if (!expired || !request.renewsPassword) throw error
  }
  const newPassword = yield* renewPassword(request, env)
  return yield* asExchange({ ...request, secret: passwordSecret(request.client, newPassword) }, env)
}

/** Gets a ticket for the password service with the old password, and has it put a new one in place; gives that. */
function* renewPassword(request: LoginRequest, env: Env): KrbExchange<string> {
  const { client } = request
  const whose = formatPrincipal(client)
  const { credential, clockOffset } = yield* changeTicket(request, env)
  using key = credential.key
  let why = `The password of ${whose} has expired.`
  for (let tries = 1; ; tries++) {
    const newPassword = yield* askNewPassword(why)
    try {
      if (newPassword === undefined)
        throw new KrbError('KRB5_KPASSWD_SOFTERROR', 'the two new passwords differ', { step: 'change password' })
      yield* changePassword({ credential: { ...credential, key }, newPassword }, shifted(env, clockOffset))
      return newPassword
    } catch (error) {
      if (!(error instanceof KrbError) || error.code !== 'KRB5_KPASSWD_SOFTERROR' || tries === MAX_TRIES) throw error
      why = error.result?.text || 'The two new passwords differ.'
    }
  }
}

/**
 * A ticket for the password service of the client's realm, got with the password: what {@link changePassword} wants. An
 * expired password will do. Throws KrbError.
 */
export function changeTicket(request: Omit<AsRequest, 'lifetime'>, env: Env): KrbExchange<AsResult> {
  const { client, secret, preauth, armor, followClock } = request
  const service = passwordService(client.realm)
  return asExchange({ client, secret, service, lifetime: CHANGE_LIFE, preauth, armor, followClock }, env)
}

/** Asks for a new password twice; undefined when the two differ. `why` is shown before. */
export function* askNewPassword(why = ''): KrbExchange<string | undefined> {
  const first = yield* askKrb('prompt', { kind: 'newPassword', text: `${why ? `${why}\n` : ''}Enter new password: ` })
  const second = yield* askKrb('prompt', { kind: 'newPassword', text: 'Enter it again: ' })
  return first === second ? first : undefined
}
