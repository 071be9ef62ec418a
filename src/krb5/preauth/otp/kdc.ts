import { decode, encode } from '../../../asn1/codec.ts'
import { equal, fromUtf8 } from '../../../bytes/index.ts'
import { KrbError } from '../../errors.ts'
import { paTypes } from '../../messages/codes.ts'
import { type OtpTokenInfo, PaOtpChallenge, PaOtpRequest } from '../../messages/otp.ts'
import type { Principal } from '../../names.ts'
import { answered } from '../../questions.ts'
import { sealedOtpRequest } from '../../sealed.ts'
import type { KdcPreauth } from '../kdc.ts'

/** Octets of a nonce. */
const NONCE_SIZE = 16

/** What the KDC knows of tokens. */
export interface OtpTokens {
  /** What the client's tokens are like, best first; undefined for a client that has none. */
  tokens(client: Principal): readonly OtpTokenInfo[] | undefined
  /** Whether what the client typed is right, here and now; `pin` only where a token keeps it apart. */
  verify(client: Principal, value: string, pin: string | undefined): boolean
}

/** One-time passwords (RFC 6560), sent as they are: inside FAST only. The cookie remembers the nonce. */
export const otpKdc = ({ tokens, verify }: OtpTokens): KdcPreauth => ({
  name: 'OTP',
  types: [paTypes.otpRequest],
  hint({ armorKey, client, env }) {
    const tokenInfo = armorKey && tokens(client)
    if (!tokenInfo || tokenInfo.length === 0) return undefined
    const nonce = env.random(NONCE_SIZE)
    const padataValue = encode(PaOtpChallenge, { nonce, tokenInfo })
    return { padata: [{ padataType: paTypes.otpChallenge, padataValue }], cookie: nonce }
  },
  check: ({ padataValue }, { armorKey, client, cookie }) =>
    answered(() => {
      if (!armorKey || !tokens(client)) throw failure('a one-time password came from a client that has none')
      const { encData, value, pin } = decode(PaOtpRequest, padataValue)
      const { nonce } = sealedOtpRequest.open(armorKey, encData, 'KDC_ERR_PREAUTH_FAILED')
      if (!cookie || !equal(nonce, cookie)) throw failure('another nonce than the one sent')
      if (!value || !verify(client, text(value), pin)) throw failure('the one-time password is wrong')
      return { kind: 'verified', key: armorKey, hardware: true }
    }),
})

function text(octets: Uint8Array): string {
  try {
    return fromUtf8(octets)
  } catch (cause) {
    throw failure('the one-time password is no text', cause)
  }
}

const failure = (what: string, cause?: unknown) => new KrbError('KDC_ERR_PREAUTH_FAILED', what, { cause })
