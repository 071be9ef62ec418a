import { decode, encode } from '../../asn1/codec.ts'
import type { Env } from '../env.ts'
import { KrbPriv } from '../messages/session.ts'
import type { KrbExchange } from '../questions.ts'
import { sealedPriv } from '../sealed.ts'
import {
  checkSession,
  type SessionMessage,
  type SessionReader,
  type SessionSender,
  sessionBody,
  wellFormed,
} from './session.ts'

/** Encrypts `userData` for the other side of a session: a KRB-PRIV (RFC 4120 §3.5.1). Throws TypeError without any order. */
export function makePriv(userData: Uint8Array, sender: SessionSender, env: Pick<Env, 'now' | 'random'>): Uint8Array {
  return encode(KrbPriv, { encPart: sealedPriv.seal(sender.key, sessionBody(userData, sender, env), env) })
}

/**
 * Decrypts a KRB-PRIV and checks that it is the one to come (RFC 4120 §3.5.2). Throws KrbError KRB_AP_ERR_MSG_TYPE,
 * MODIFIED, BADADDR, SKEW, BADORDER or REPEAT.
 */
export function* readPriv(
  message: Uint8Array,
  reader: SessionReader,
  env: Pick<Env, 'now' | 'clockSkew'>,
): KrbExchange<SessionMessage> {
  const { encPart } = wellFormed('KRB-PRIV', () => decode(KrbPriv, message))
  const part = wellFormed('KRB-PRIV', () => sealedPriv.open(reader.key, encPart))
  const tag = encPart.cipher.slice(-reader.key.enctype.checksumSize)
  const time = yield* checkSession('KRB-PRIV', part, tag, reader, env)
  return { userData: part.userData, sequenceNumber: part.seqNumber, time }
}
