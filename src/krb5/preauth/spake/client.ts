import { decode, encode } from '../../../asn1/codec.ts'
import type { Key } from '../../../crypto/key.ts'
import { Secrets } from '../../../crypto/secrets.ts'
import { KrbError } from '../../errors.ts'
import type { PaData } from '../../messages/basics.ts'
import { paTypes } from '../../messages/codes.ts'
import { PaSpake, type SpakeChallenge } from '../../messages/spake.ts'
import { computed, type KrbExchange } from '../../questions.ts'
import { readable } from '../../reading.ts'
import { sealedSpakeFactor } from '../../sealed.ts'
import type { LoginState, Preauth, PreauthRun } from '../mechanism.ts'
import { type SpakeGroup, spakeGroups } from './groups.ts'
import { derivedKey, emptyTranscript, multiplier, SF_NONE, transcribe } from './shared.ts'

/**
 * SPAKE (RFC 9588): proves the password without giving anybody on the way anything to guess it with. `groups` are those
 * to offer and to accept, best first.
 */
export const spake = (groups: readonly SpakeGroup[] = spakeGroups): Preauth => ({
  name: 'SPAKE',
  types: [paTypes.spake],
  begin: (login) => (groups.length > 0 ? new Run(login, groups) : undefined),
})

class Run implements PreauthRun {
  readonly #login: LoginState
  readonly #groups: readonly SpakeGroup[]
  readonly #secrets = new Secrets()
  /** DER of our SPAKESupport, once it was sent. */
  #support: Uint8Array | undefined
  #replyKey: Key | undefined

  constructor(login: LoginState, groups: readonly SpakeGroup[]) {
    this.#login = login
    this.#groups = groups
  }

  *answer(offered: readonly PaData[]): KrbExchange<readonly PaData[] | undefined> {
    const found = offered.find(({ padataType }) => padataType === paTypes.spake)
    if (!found || found.padataValue.length === 0) return this.#offer()
    const message = readable(() => decode(PaSpake, found.padataValue), { step: 'AS-REQ' })
    if (message.kind !== 'challenge')
      throw this.#failure(`the KDC sent a SPAKE ${message.kind} where a challenge should be`)
    const group = this.#groups.find(({ id }) => id === message.value.group)
    if (!group && !this.#support) return this.#offer() // a challenge that nobody asked for (RFC 9588 §4.4)
    if (!group) throw this.#failure(`the KDC chose SPAKE group ${message.value.group}, which was not offered`)
    if (!message.value.factors.some(({ type }) => type === SF_NONE)) return undefined
    return yield* this.#respond(group, message.value, found.padataValue)
  }

  /** What seals the reply, once the KDC's challenge was responded to. */
  *replyKey(): KrbExchange<Key | undefined> {
    yield* []
    return this.#replyKey
  }

  [Symbol.dispose](): void {
    this.#secrets[Symbol.dispose]()
  }

  #offer(): readonly PaData[] | undefined {
    if (this.#support) return undefined
    const groups = this.#groups.map(({ id }) => id)
    this.#support = encode(PaSpake, { kind: 'support', value: { groups } })
    return [{ padataType: paTypes.spake, padataValue: this.#support }]
  }

  *#respond(group: SpakeGroup, { pubkey }: SpakeChallenge, challenge: Uint8Array): KrbExchange<readonly PaData[]> {
    const { body, env } = this.#login
    const initialKey = yield* this.#login.longTermKey()
    const { m, n } = group
    const { pointsOf } = yield* computed('load the curves of SPAKE', () => import('./points.ts'))
    const points = pointsOf(group)
    const factor = multiplier(initialKey, group, points)
    const scalar = points.scalar(env.random)
    const ours = points.blind(scalar, factor, n)
    const shared = this.#shared(() => points.unblind(scalar, factor, m, pubkey))
    scalar.fill(0)
    const said = this.#support ? [this.#support, challenge] : [challenge]
    const transcript = transcribe(transcribe(emptyTranscript(group), group, ...said), group, ours)
    const result = { group, initialKey, multiplier: factor, shared, transcript, body: body.der }
    this.#replyKey = this.#secrets.keep(derivedKey(0, result))
    using factorKey = derivedKey(1, result)
    for (const secret of [factor, shared]) secret.fill(0)
    const value = { pubkey: ours, factor: sealedSpakeFactor.seal(factorKey, { type: SF_NONE }, env) }
    return [{ padataType: paTypes.spake, padataValue: encode(PaSpake, { kind: 'response', value }) }]
  }

  #shared(calculate: () => Uint8Array): Uint8Array {
    try {
      return calculate()
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw this.#failure(`the KDC's SPAKE challenge: ${cause.message}`, cause)
    }
  }

  #failure(what: string, cause?: unknown): KrbError {
    return new KrbError('REPLY_MALFORMED', what, { step: 'AS-REQ', realm: this.#login.client.realm, cause })
  }
}
