/** A second try at the primary KDC, where a replica may not know yet what was changed. @module */
import type { Effect } from '../../effects/index.ts'
import type { KrbErrorCode } from '../errorcodes.ts'
import { KrbError, TransportError } from '../errors.ts'
import type { KrbExchange, KrbQuestions } from '../questions.ts'

/** What a replica may say, or the key of an old password lead to, where the primary would know better. */
const stale: readonly KrbErrorCode[] = [
  ...(['KDC_ERR_C_PRINCIPAL_UNKNOWN', 'KDC_ERR_CLIENT_REVOKED', 'KDC_ERR_KEY_EXPIRED'] as const),
  ...(['KDC_ERR_PREAUTH_FAILED', 'KRB_AP_ERR_BAD_INTEGRITY'] as const),
]

/**
 * What the exchange comes to; once more, with the primary KDC alone, where it fails as if the password had been changed
 * a moment ago. The first failure stands where no primary is known or reached, or where it was the one that said so.
 */
export function* retryAtPrimary<T>(exchange: () => KrbExchange<T>): KrbExchange<T> {
  try {
    return yield* exchange()
  } catch (error) {
    if (!(error instanceof KrbError) || !stale.includes(error.code)) throw error
    return yield* atPrimary(exchange(), error)
  }
}

/** Runs an exchange whose every question to a KDC goes to the primary. */
function* atPrimary<T>(exchange: KrbExchange<T>, first: KrbError): KrbExchange<T> {
  try {
    let step = exchange.next()
    while (!step.done) {
      let answer: unknown
      try {
        answer = yield redirected(step.value)
      } catch (error) {
        if (error instanceof TransportError) throw first
        step = exchange.throw(error)
        continue
      }
      if (step.value.kind === 'send' && hostOf((answer as Answer).kdc) === hostOf(first.kdc)) throw first
      step = exchange.next(answer)
    }
    return step.value
  } finally {
    exchange.return(undefined as never)
  }
}

type Answer = KrbQuestions['send']['answer']

const redirected = (effect: Effect<KrbQuestions>): Effect<KrbQuestions> =>
  effect.kind === 'send' && (effect.ask.service ?? 'kdc') === 'kdc'
    ? { kind: 'send', ask: { ...effect.ask, service: 'primary' } }
    : effect

/** `host:port` of `host:port (TCP)`. */
const hostOf = (kdc: string | undefined): string | undefined => kdc?.replace(/ .*$/, '')
