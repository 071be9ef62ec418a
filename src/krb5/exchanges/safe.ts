import { decode, encode } from '../../asn1/codec.ts'
import type { Encoded } from '../../asn1/structures.ts'
import type { Env } from '../env.ts'
import { KrbError } from '../errors.ts'
import { KrbSafe, KrbSafeBody } from '../messages/session.ts'
import type { KrbExchange } from '../questions.ts'
import { keyUsages } from '../usages.ts'
import {
  checkSession,
  type SessionMessage,
  type SessionReader,
  type SessionSender,
  sessionBody,
  wellFormed,
} from './session.ts'

/** Signs `userData` for the other side of a session: a KRB-SAFE (RFC 4120 §3.4.1). Throws TypeError without any order. */
export function makeSafe(userData: Uint8Array, sender: SessionSender, env: Pick<Env, 'now'>): Uint8Array {
  const value = sessionBody(userData, sender, env)
  const safeBody = { value, der: encode(KrbSafeBody, value) }
  const { key } = sender
  const checksum = key.checksum(keyUsages.safe, unsigned(safeBody))
  return encode(KrbSafe, { safeBody, cksum: { cksumtype: key.enctype.checksumId, checksum } })
}

/**
 * Checks the signature of a KRB-SAFE and that it is the one to come (RFC 4120 §3.4.2). Throws KrbError
 * KRB_AP_ERR_MSG_TYPE, INAPP_CKSUM, MODIFIED, BADADDR, SKEW, BADORDER or REPEAT.
 */
export function* readSafe(
  message: Uint8Array,
  reader: SessionReader,
  env: Pick<Env, 'now' | 'clockSkew'>,
): KrbExchange<SessionMessage> {
  const { safeBody, cksum } = wellFormed('KRB-SAFE', () => decode(KrbSafe, message))
  const { key } = reader
  if (cksum.cksumtype !== key.enctype.checksumId)
    throw new KrbError(
      'KRB_AP_ERR_INAPP_CKSUM',
      `the KRB-SAFE has a checksum of type ${cksum.cksumtype}, ${key.enctype.name} makes ${key.enctype.checksumId}`,
      { step: 'KRB-SAFE' },
    )
  // RFC 1510 signed the body alone, and old peers still do (RFC 4120 §5.6.1).
  const signed = [unsigned(safeBody), safeBody.der].some((octets) => key.verify(keyUsages.safe, octets, cksum.checksum))
  if (!signed) throw new KrbError('KRB_AP_ERR_MODIFIED', 'the KRB-SAFE is not what was signed', { step: 'KRB-SAFE' })
  const { userData, seqNumber } = safeBody.value
  const time = yield* checkSession('KRB-SAFE', safeBody.value, cksum.checksum, reader, env)
  return { userData, sequenceNumber: seqNumber, time }
}

/** What the signature covers: the message with a checksum of type and length zero (RFC 4120 §5.6.1). */
const unsigned = (safeBody: Encoded<KrbSafeBody>): Uint8Array =>
  encode(KrbSafe, { safeBody, cksum: { cksumtype: 0, checksum: new Uint8Array(0) } })
