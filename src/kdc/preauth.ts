/** Having the client prove who it is (RFC 4120 §3.1.3, RFC 6113 §5). @module */
import { encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import type { Encoded } from '../asn1/structures.ts'
import type { Key } from '../crypto/key.ts'
import type { Secrets } from '../crypto/secrets.ts'
import { KrbError } from '../krb5/errors.ts'
import type { PaData } from '../krb5/messages/basics.ts'
import { paTypes } from '../krb5/messages/codes.ts'
import type { KdcReqBody } from '../krb5/messages/kdc.ts'
import { EtypeInfo2 } from '../krb5/messages/preauth.ts'
import type { KdcPreauth, KdcPreauthState, KdcRound, Verdict } from '../krb5/preauth/kdc.ts'
import type { KrbExchange } from '../krb5/questions.ts'
import { openCookie, sealCookie } from './cookie.ts'
import type { PrincipalRecord } from './database.ts'
import { type Kdc, RefusalWithData } from './request.ts'

/** An AS-REQ of a client that is known, out of FAST. */
export interface Claim {
  readonly client: PrincipalRecord
  /** The client's keys of the enctypes in the request, in the request's order. */
  readonly keys: readonly Key[]
  readonly padata: readonly PaData[]
  readonly body: Encoded<KdcReqBody>
  /** The AS-REQ as it arrived. */
  readonly request: Uint8Array
  readonly armorKey: Key | undefined
  readonly secrets: Secrets
}

/** A proof that holds. */
export type Verified = Extract<Verdict, { kind: 'verified' }>

/**
 * What the client proved; undefined when it proved nothing and need not. Throws RefusalWithData with what to do instead,
 * and KrbError.
 */
export function* preauthenticate(claim: Claim, kdc: Kdc): KrbExchange<Verified | undefined> {
  const { client, padata } = claim
  const mechanism = kdc.preauth.find((candidate) => proofFor(candidate, padata))
  const proof = mechanism && proofFor(mechanism, padata)
  if (!proof) {
    if (!client.requiresPreauth) return undefined
    const required = new KrbError('KDC_ERR_PREAUTH_REQUIRED', 'prove who you are first')
    throw new RefusalWithData(required, offers(claim, kdc))
  }
  const remembered = openCookie(padata, client.principal, cookieKey(kdc), kdc.env)
  try {
    const verdict = yield* mechanism.check(proof, stateOf(mechanism, claim, kdc, remembered))
    if (verdict.kind === 'verified') {
      const more = kdc.indicators[mechanism.name]
      return more ? { ...verdict, indicators: [...(verdict.indicators ?? []), ...more] } : verdict
    }
    if (verdict.kind === 'refused') throw new RefusalWithData(verdict.error, [], verdict.typedData)
    const more = new KrbError('KDC_ERR_MORE_PREAUTH_DATA_REQUIRED', `${mechanism.name} takes another round`)
    throw new RefusalWithData(more, [...verdict.padata, ...reminders([[mechanism, verdict]], claim, kdc)])
  } catch (error) {
    if (error instanceof Asn1Error)
      throw new KrbError('KDC_ERR_PREAUTH_FAILED', `the proof cannot be read`, { cause: error })
    if (error instanceof KrbError && error.code === 'KDC_ERR_PREAUTH_FAILED')
      throw new RefusalWithData(error, offers(claim, kdc))
    throw error
  }
}

const proofFor = ({ types }: KdcPreauth, padata: readonly PaData[]): PaData | undefined =>
  padata.find(({ padataType }) => types.includes(padataType))

/** ETYPE-INFO2 alone: every enctype here is newer than the RFC that made ETYPE-INFO obsolete (RFC 4120 §5.2.7.5). */
export function keyInfo({ salt }: Pick<PrincipalRecord, 'salt'>, keys: readonly Key[]): PaData {
  const entries = keys.map(({ enctype }) => ({ etype: enctype.id, ...(salt ? { salt } : {}) }))
  return { padataType: paTypes.etypeInfo2, padataValue: encode(EtypeInfo2, entries) }
}

/** METHOD-DATA: the client's keys, every mechanism that is for it, and what they want to be reminded of. */
function offers(claim: Claim, kdc: Kdc): readonly PaData[] {
  const rounds = kdc.preauth.flatMap((mechanism) => {
    const round = mechanism.hint(stateOf(mechanism, claim, kdc, []))
    return round ? [[mechanism, round] as const] : []
  })
  return [
    ...(claim.keys.length > 0 ? [keyInfo(claim.client, claim.keys)] : []),
    ...rounds.flatMap(([, { padata }]) => padata),
    { padataType: paTypes.fxFast, padataValue: new Uint8Array(0) },
    ...reminders(rounds, claim, kdc),
  ]
}

function stateOf(
  { types }: KdcPreauth,
  { client, keys, body, request, armorKey, secrets }: Claim,
  { env }: Kdc,
  remembered: readonly PaData[],
): KdcPreauthState {
  const cookie = remembered.find(({ padataType }) => padataType === types[0])?.padataValue
  return { env, client: client.principal, keys, body, request, armorKey, secrets, cookie }
}

function reminders(
  rounds: readonly (readonly [KdcPreauth, KdcRound])[],
  { client, armorKey }: Claim,
  kdc: Kdc,
): readonly PaData[] {
  const entries = rounds.flatMap(([{ types }, { cookie }]) =>
    cookie ? [{ padataType: types[0]!, padataValue: cookie }] : [],
  )
  // inside FAST there is one whenever the client should come back (RFC 6113 §5.4.3)
  return entries.length > 0 || armorKey ? [sealCookie(entries, client.principal, cookieKey(kdc), kdc.env)] : []
}

/** The ticket-granting service's: every KDC of the realm has it. */
function cookieKey({ grantingKeys: [key] }: Kdc): Key {
  if (!key) throw new KrbError('KRB_ERR_GENERIC', 'the ticket-granting service has no key')
  return key
}
