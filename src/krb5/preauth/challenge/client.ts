import { decode, encode } from '../../../asn1/codec.ts'
import type { Key } from '../../../crypto/key.ts'
import { timestamp } from '../../env.ts'
import { KrbError } from '../../errors.ts'
import { EncryptedData } from '../../messages/basics.ts'
import { paTypes } from '../../messages/codes.ts'
import { readable } from '../../reading.ts'
import { sealedClientChallenge, sealedKdcChallenge } from '../../sealed.ts'
import type { LoginState, Preauth, PreauthRun } from '../mechanism.ts'
import { challengeKey } from './shared.ts'

/**
 * Encrypted challenge: the time of day, sealed with the long-term key and the armor key together, and the KDC's in
 * return (RFC 6113 §5.4.6). Inside FAST only.
 */
export const encryptedChallenge: Preauth = {
  name: 'encrypted challenge',
  types: [paTypes.encryptedChallenge],
  begin: (login) => (login.armorKey ? new Run(login) : undefined),
}

class Run implements PreauthRun {
  readonly #login: LoginState

  constructor(login: LoginState) {
    this.#login = login
  }

  *answer() {
    const { armorKey, env } = this.#login
    if (!armorKey) return undefined
    using key = challengeKey('client', armorKey, yield* this.#login.longTermKey())
    const { time, micros } = timestamp(env)
    const sealed = sealedClientChallenge.seal(key, { patimestamp: time, pausec: micros }, env)
    return [{ padataType: paTypes.encryptedChallenge, padataValue: encode(EncryptedData, sealed) }]
  }

  /** The reply is sealed with the long-term key; only the KDC's proof is looked at here. */
  *replyKey({ padata = [] }: Parameters<NonNullable<PreauthRun['replyKey']>>[0]) {
    const { armorKey, client } = this.#login
    const origin = { step: 'AS-REQ', realm: client.realm }
    const proof = padata.find(({ padataType }) => padataType === paTypes.encryptedChallenge)
    if (!armorKey || !proof) throw new KrbError('REPLY_MODIFIED', 'the KDC did not prove to have our key', origin)
    const longTermKey = yield* this.#login.longTermKey()
    using key = challengeKey('kdc', armorKey, longTermKey)
    // Heimdal 7 seals its challenge with the client's key. The key usage is the KDC's, so that it cannot be ours sent back.
    using heimdal = challengeKey('client', armorKey, longTermKey)
    const sealed = readable(() => decode(EncryptedData, proof.padataValue), origin)
    readable(() => openWith([key, heimdal], sealed), origin)
    return undefined
  }

  [Symbol.dispose](): void {
    // the keys are the login's
  }
}

function openWith([key, ...others]: readonly Key[], sealed: EncryptedData): void {
  try {
    sealedKdcChallenge.open(key!, sealed)
  } catch (error) {
    if (!(error instanceof KrbError) || others.length === 0) throw error
    openWith(others, sealed)
  }
}
