import type { Credential } from '../credential.ts'
import type { Env } from '../env.ts'
import { KrbError } from '../errors.ts'
import { paTypes } from '../messages/codes.ts'
import { AsAnswer, type EncKdcRepPart } from '../messages/kdc.ts'
import { formatPrincipal } from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import type { ReplyOrigin } from '../reading.ts'
import { type Opened, openAsReply } from './asreply.ts'
import type { AsRequest } from './asrequest.ts'
import { Conversation } from './conversation.ts'
import { askKdc } from './kdc.ts'

export type { AsRequest }

/** Requests sent for one login before the KDC is taken to be asking in circles. */
const MAX_ROUNDS = 16
/** Realms that a client's name may be referred through (RFC 6806 §7). */
export const MAX_REALMS = 10

/** What a login gives. */
export interface AsResult {
  readonly credential: Credential
  /** The KDC's clock less ours, in microseconds; 0 when they agree. */
  readonly clockOffset: number
  /** When the password expires, in seconds since the epoch; undefined when the KDC does not tell. */
  readonly keyExpiration: number | undefined
  readonly kdc: string
  /** The PA-DATA type of the mechanism that proved the client; undefined when the KDC wanted no proof (X-CACHECONF pa_type). */
  readonly preauthType: number | undefined
  /** Whether the realm's KDCs speak FAST, as the sealed part of the reply tells (X-CACHECONF fast_avail). */
  readonly fastAvailable: boolean
  /** Whether the login went through FAST. */
  readonly armored: boolean
}

/**
 * Gets an initial ticket, proving who the client is in whichever way the KDC calls for (RFC 4120 §3.1), in whichever
 * realm it says the client lives, if `canonicalize` or an enterprise name lets it (RFC 6806 §7). Throws KrbError.
 */
export function* asExchange(request: AsRequest, given: Env): KrbExchange<AsResult> {
  const realms = new Set<string>()
  let asked = request
  while (realms.size < MAX_REALMS && !realms.has(asked.client.realm)) {
    realms.add(asked.client.realm)
    const outcome = yield* logIn(asked, given)
    if (typeof outcome !== 'string') return outcome
    given.trace?.({ kind: 'referral', realm: outcome, server: formatPrincipal(request.client) })
    asked = { ...asked, client: { ...asked.client, realm: outcome } }
  }
  throw new KrbError('REFERRAL_LOOP', `no end to the realms of ${formatPrincipal(request.client)}`, { step: 'AS-REQ' })
}

/** The login at one realm's KDC; the name of another realm when that is where the client lives. */
function* logIn(request: AsRequest, given: Env): KrbExchange<AsResult | string> {
  using login = new Conversation(request, given)
  const { realm } = request.client
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const outgoing = yield* login.nextRequest()
    if (!outgoing) break
    const { message, env, body } = outgoing
    const { answer, kdc } = yield* askKdc('AS-REQ', AsAnswer, realm, message, env)
    const origin: ReplyOrigin = { step: 'AS-REQ', realm, kdc }
    if (answer.kind === 'error') {
      const next = login.refused(answer.value, origin)
      if (next !== undefined) return next
      continue
    }
    const { reply, key } = yield* login.open(answer.value, message, origin)
    const { run } = login.negotiation
    let result: Opened
    try {
      result = openAsReply(request, reply, { key, body, message, origin, offset: login.offset }, given)
    } catch (error) {
      if (!run?.doubtful || !(error instanceof KrbError) || error.code !== 'KRB_AP_ERR_BAD_INTEGRITY') throw error
      login.refusal = error
      continue
    }
    const { part, ...opened } = result
    run?.confirm?.(reply, opened.credential.key)
    const fastAvailable = speaksFast(part)
    const armored = login.armorKey !== undefined
    if (fastAvailable && request.armor && !armored && login.fastOffered === false)
      throw new KrbError('FAST_REQUIRED', 'somebody removed the offer of FAST from what the KDC said', origin)
    return { ...opened, kdc, preauthType: login.negotiation.mechanism?.types[0], fastAvailable, armored }
  }
  if (login.refusal) throw login.refusal
  throw new KrbError('KDC_ERR_PREAUTH_FAILED', `no agreement on pre-authentication after ${MAX_ROUNDS} rounds`, {
    step: 'AS-REQ',
    realm,
  })
}

/** RFC 6806 §11: what the sealed padata says of FAST counts only where the request arrived as it was sent. */
const speaksFast = ({ flags, encryptedPaData = [] }: EncKdcRepPart): boolean =>
  flags.has('encPaRep') && encryptedPaData.some(({ padataType }) => padataType === paTypes.fxFast)
