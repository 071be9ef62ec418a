import { decode, encode } from '../../../asn1/codec.ts'
import { concat } from '../../../bytes/index.ts'
import type { Key } from '../../../crypto/key.ts'
import { KrbError } from '../../errors.ts'
import type { PaData } from '../../messages/basics.ts'
import { paTypes } from '../../messages/codes.ts'
import { PaSpake, type SpakeResponse } from '../../messages/spake.ts'
import { answered } from '../../questions.ts'
import { sealedSpakeFactor } from '../../sealed.ts'
import type { KdcPreauth, KdcPreauthState, KdcRound, Verdict } from '../kdc.ts'
import { type SpakeGroup, spakeGroups } from './groups.ts'
import { pointsOf } from './points.ts'
import { derivedKey, emptyTranscript, multiplier, SF_NONE, transcribe } from './shared.ts'

/** What a KDC does with SPAKE. */
export interface SpakeKdcOptions {
  /** Those to accept, best first; all unless said. */
  readonly groups?: readonly SpakeGroup[] | undefined
  /** The group of a challenge that goes out before the client said what it knows (RFC 9588 §4.4); none unless said. */
  readonly challengeGroup?: SpakeGroup | undefined
}

/** SPAKE (RFC 9588) without a second factor. Its state between rounds is in the cookie. */
export const spakeKdc = ({ groups = spakeGroups, challengeGroup }: SpakeKdcOptions = {}): KdcPreauth => ({
  name: 'SPAKE',
  types: [paTypes.spake],
  hint(state) {
    const [key] = state.keys
    if (!key) return undefined
    if (challengeGroup) return challenge(challengeGroup, key, new Uint8Array(0), state)
    return { padata: [{ padataType: paTypes.spake, padataValue: new Uint8Array(0) }] }
  },
  check: ({ padataValue }, state) =>
    answered((): Verdict => {
      const message = decode(PaSpake, padataValue)
      const [key] = state.keys
      if (!key) throw failure('the client has no key of an enctype in the request')
      if (message.kind === 'support') {
        const group = groups.find(({ id }) => message.value.groups.includes(id))
        if (!group) throw failure('no SPAKE group in common')
        return { kind: 'more', ...challenge(group, key, padataValue, state) }
      }
      if (message.kind !== 'response') throw failure(`a SPAKE ${message.kind} is nothing that a client sends first`)
      return verify(message.value, remembered(state.cookie, groups, state.keys), state)
    }),
})

/** What is in the cookie: group and enctype, the scalar, and the transcript up to the challenge. */
interface Remembered {
  readonly group: SpakeGroup
  readonly key: Key
  readonly scalar: Uint8Array
  readonly transcript: Uint8Array
}

function challenge(group: SpakeGroup, key: Key, support: Uint8Array, { env }: KdcPreauthState): KdcRound {
  const points = pointsOf(group)
  const factor = multiplier(key, group, points)
  const scalar = points.scalar(env.random)
  const value = { group: group.id, pubkey: points.blind(scalar, factor, group.m), factors: [{ type: SF_NONE }] }
  factor.fill(0)
  const padataValue = encode(PaSpake, { kind: 'challenge', value })
  const transcript = transcribe(emptyTranscript(group), group, support, padataValue)
  const cookie = concat(Uint8Array.of(group.id, key.enctype.id), scalar, transcript)
  const padata: PaData[] = [{ padataType: paTypes.spake, padataValue }]
  return { padata, cookie }
}

function remembered(cookie: Uint8Array | undefined, groups: readonly SpakeGroup[], keys: readonly Key[]): Remembered {
  const group = groups.find(({ id }) => id === cookie?.[0])
  const key = keys.find(({ enctype }) => enctype.id === cookie?.[1])
  if (!cookie || !group || !key) throw failure('a SPAKE response to no challenge of ours')
  const transcriptAt = 2 + pointsOf(group).size
  return { group, key, scalar: cookie.subarray(2, transcriptAt), transcript: cookie.subarray(transcriptAt) }
}

function verify(
  { pubkey, factor }: SpakeResponse,
  { group, key: initialKey, scalar, transcript }: Remembered,
  { body, secrets }: KdcPreauthState,
): Verdict {
  const points = pointsOf(group)
  const factorOf = multiplier(initialKey, group, points)
  let shared: Uint8Array
  try {
    shared = points.unblind(scalar, factorOf, group.n, pubkey)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw failure(cause.message, cause)
  }
  const result = {
    ...{ group, initialKey, shared },
    multiplier: factorOf,
    transcript: transcribe(transcript, group, pubkey),
    body: body.der,
  }
  using factorKey = derivedKey(1, result)
  const { type } = sealedSpakeFactor.open(factorKey, factor, 'KDC_ERR_PREAUTH_FAILED')
  if (type !== SF_NONE) throw failure(`second factor ${type} was not offered`)
  const key = secrets.keep(derivedKey(0, result))
  for (const secret of [factorOf, shared]) secret.fill(0)
  return { kind: 'verified', key }
}

const failure = (what: string, cause?: unknown) => new KrbError('KDC_ERR_PREAUTH_FAILED', what, { cause })
