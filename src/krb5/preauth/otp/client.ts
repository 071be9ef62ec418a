import { decode, encode } from '../../../asn1/codec.ts'
import { fromUtf8, utf8 } from '../../../bytes/index.ts'
import type { Key } from '../../../crypto/key.ts'
import type { PaData } from '../../messages/basics.ts'
import { paTypes } from '../../messages/codes.ts'
import { type OtpTokenInfo, PaOtpChallenge, PaOtpRequest } from '../../messages/otp.ts'
import { formatPrincipal } from '../../names.ts'
import { askKrb, type KrbExchange } from '../../questions.ts'
import { readable } from '../../reading.ts'
import { sealedOtpRequest } from '../../sealed.ts'
import type { LoginState, Preauth, PreauthRun } from '../mechanism.ts'

/** Most kinds of token that are looked at. */
const MAX_TOKENS = 32

/** A one-time password that the user is asked for (RFC 6560). Inside FAST only; the armor key seals the reply. */
export const otp: Preauth = {
  name: 'OTP',
  types: [paTypes.otpChallenge],
  begin: (login) => (login.armorKey ? new Run(login) : undefined),
}

class Run implements PreauthRun {
  readonly #login: LoginState
  #asked = false

  constructor(login: LoginState) {
    this.#login = login
  }

  *answer(offered: readonly PaData[]): KrbExchange<readonly PaData[] | undefined> {
    const { armorKey, env } = this.#login
    const found = offered.find(({ padataType }) => padataType === paTypes.otpChallenge)
    if (!armorKey || !found || this.#asked) return undefined
    const challenge = readable(() => decode(PaOtpChallenge, found.padataValue), { step: 'AS-REQ' })
    const token = challenge.tokenInfo.slice(0, MAX_TOKENS).find(canBeTyped)
    if (!token) return undefined
    this.#asked = true
    const { pin, value } = yield* this.#ask(challenge, token)
    const request: PaOtpRequest = {
      flags: token.flags.has('nextOtp') ? new Set(['nextOtp']) : new Set(),
      encData: sealedOtpRequest.seal(armorKey, { nonce: challenge.nonce }, env),
      value: utf8(value),
      ...(pin === undefined ? {} : { pin }),
      ...(token.challenge ? { challenge: token.challenge } : {}),
      ...(token.format === undefined ? {} : { format: token.format }),
      ...(token.tokenId ? { tokenId: token.tokenId } : {}),
      ...(token.algId ? { algId: token.algId } : {}),
      ...(token.vendor === undefined ? {} : { vendor: token.vendor }),
    }
    return [{ padataType: paTypes.otpRequest, padataValue: encode(PaOtpRequest, request) }]
  }

  /** RFC 6560 §3.6: with the value sent, the armor key. */
  *replyKey(): KrbExchange<Key | undefined> {
    yield* []
    return this.#asked ? this.#login.armorKey : undefined
  }

  [Symbol.dispose](): void {
    // the armor key is the login's
  }

  /** The PIN when the token has one, then the value: joined, unless the KDC wants them apart (RFC 6560 §4.1). */
  *#ask({ service }: PaOtpChallenge, { flags, vendor, challenge }: OtpTokenInfo) {
    const who = formatPrincipal(this.#login.client)
    const where = [vendor, service]
      .filter(Boolean)
      .map((name) => printable(name!))
      .join(', ')
    const source = where ? ` (${where})` : ''
    const asked = challenge ? `, challenge "${printable(lossy(challenge))}"` : ''
    const wantsPin = flags.has('collectPin') && !flags.has('doNotCollectPin')
    const pin = wantsPin ? yield* askKrb('prompt', { kind: 'pin', text: `PIN of ${who}${source}: ` }) : undefined
    const value = yield* askKrb('prompt', { kind: 'otp', text: `One-time password of ${who}${source}${asked}: ` })
    const apart = flags.has('separatePinRequired')
    return pin !== undefined && !apart ? { pin: undefined, value: pin + value } : { pin, value }
  }
}

/** Whether a token's value can be typed and sent: it is neither calculated with here nor turned into a key. */
const canBeTyped = ({ flags, format }: OtpTokenInfo): boolean => !flags.has('mustEncryptNonce') && format !== 3

/** Longest text of the KDC's that goes into a prompt. */
const MAX_TEXT = 100
const printable = (text: string): string => text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?').slice(0, MAX_TEXT)

function lossy(octets: Uint8Array): string {
  try {
    return fromUtf8(octets)
  } catch {
    return '?'
  }
}
