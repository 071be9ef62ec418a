import type { Credential, ServiceKey } from '../credential.ts'
import { type Env, shifted } from '../env.ts'
import { KrbError } from '../errors.ts'
import { formatPrincipal, samePrincipal } from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import { type Accepted, acceptAp } from './accept.ts'
import { initiateAp } from './ap.ts'
import { tgsExchange } from './tgs.ts'

/** Initial credentials, and what they are held against. */
export interface Verification {
  readonly credential: Credential
  /** The KDC's clock less ours, in microseconds, as the login learnt it. */
  readonly clockOffset?: number | undefined
  /** Of services of this host: keys that the KDC has as well, and an impostor has not. */
  readonly keys: readonly ServiceKey[]
  /** Sees what the service was shown, before its keys are wiped: what the KDC says of the client is in the ticket. */
  readonly onAccepted?: ((accepted: Accepted) => void) | undefined
}

/** Services that are tried before verification is given up. */
const MAX_SERVICES = 10

/**
 * Whether initial credentials come from the KDC that we share keys with (krb5_verify_init_creds): whoever knows the
 * password, or makes one up, can play the KDC that checks it. A ticket is bought for a service of ours, and opened with
 * its key. Gives false when no ticket for any of the services is to be had; throws KrbError when one does not open.
 */
export function* verifyInitial(
  { credential, clockOffset = 0, keys, onAccepted }: Verification,
  given: Env,
): KrbExchange<boolean> {
  const env = shifted(given, clockOffset)
  const services = keys
    .map(({ principal }) => principal)
    .filter((principal, i, all) => all.findIndex((other) => samePrincipal(other, principal)) === i)
  for (const service of services.slice(0, MAX_SERVICES)) {
    const own = samePrincipal(credential.server, service)
    const ticket = own ? credential : yield* buy(credential, service, clockOffset, given)
    if (!ticket) continue
    using initiator = initiateAp({ credential: ticket, mutual: false }, env)
    if (!own) ticket.key[Symbol.dispose]()
    using accepted = yield* acceptAp(initiator.message, { keys, principal: service }, env)
    if (!samePrincipal(accepted.client, credential.client))
      throw new KrbError('REPLY_MODIFIED', `the KDC took us for ${formatPrincipal(accepted.client)}`, {
        step: 'verify',
      })
    onAccepted?.(accepted)
    return true
  }
  return false
}

/** A ticket for the service; undefined when the KDC knows none, as where its keys are another realm's. */
function* buy(
  tgt: Credential,
  service: Credential['server'],
  clockOffset: number,
  env: Env,
): KrbExchange<Credential | undefined> {
  try {
    return (yield* tgsExchange({ tgt, service, clockOffset }, env)).credential
  } catch (error) {
    if (error instanceof KrbError && error.code === 'KDC_ERR_S_PRINCIPAL_UNKNOWN') return undefined
    throw error
  }
}
