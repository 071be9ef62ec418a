import { decode, encode } from '../../asn1/codec.ts'
import type { Key } from '../../crypto/key.ts'
import type { Credential } from '../credential.ts'
import { credentialOfInfo, credInfoOf } from '../credinfo.ts'
import type { Env } from '../env.ts'
import { KrbError } from '../errors.ts'
import type { EncryptedData, HostAddress } from '../messages/basics.ts'
import { EncKrbCredPart, KrbCred } from '../messages/session.ts'
import type { KrbExchange } from '../questions.ts'
import { sealedCred } from '../sealed.ts'
import { ticketOf } from './ap.ts'
import { checkSession, type SessionReader, sendingTime, wellFormed } from './session.ts'

/** How tickets are sent to the other side of a session. */
export interface CredSender {
  /** Undefined leaves them in the clear (enctype 0): only for a channel that seals them itself, or a file. */
  readonly key: Key | undefined
  readonly address?: HostAddress | undefined
  readonly peerAddress?: HostAddress | undefined
  /** To be repeated from the other side's request; left out unless said. */
  readonly nonce?: number | undefined
  /** Whether to send the time: true unless said. */
  readonly timestamps?: boolean | undefined
}

/** What a KRB-CRED must agree with to be read. */
export interface CredReader extends Pick<SessionReader, 'peerAddress' | 'addresses' | 'replay'> {
  /** Tried in order: the subkey and the session key, as senders differ on which to use. */
  readonly keys: readonly Key[]
  /** Whether tickets in the clear are taken; false unless said. */
  readonly plain?: boolean | undefined
  /** The one that must be repeated; any or none unless said. */
  readonly nonce?: number | undefined
  /** Whether the time must be there and of now: true unless said. */
  readonly timestamps?: boolean | undefined
}

/** More tickets than anybody forwards at once. */
const MAX_TICKETS = 100

/** The enctype that encrypts nothing (RFC 3961 §6.3). */
const NULL_ENCTYPE = 0

/** Hands tickets and their session keys on: a KRB-CRED (RFC 4120 §3.6.1). Throws TypeError for none. */
export function makeCred(
  credentials: readonly Credential[],
  sender: CredSender,
  env: Pick<Env, 'now' | 'random'>,
): Uint8Array {
  if (credentials.length === 0) throw new TypeError('a KRB-CRED without any ticket is of no use')
  const { key, address, peerAddress, nonce, timestamps = true } = sender
  const part: EncKrbCredPart = {
    ticketInfo: credentials.map(credInfoOf),
    ...(nonce === undefined ? {} : { nonce }),
    ...(timestamps ? sendingTime(env) : {}),
    ...(address ? { sAddress: address } : {}),
    ...(peerAddress ? { rAddress: peerAddress } : {}),
  }
  const encPart = key ? sealedCred.seal(key, part, env) : { etype: NULL_ENCTYPE, cipher: encode(EncKrbCredPart, part) }
  return encode(KrbCred, { tickets: credentials.map(({ ticket }) => ticketOf(ticket)), encPart })
}

/**
 * The tickets of a KRB-CRED (RFC 4120 §3.6.2), their keys the caller's to dispose of. Throws KrbError
 * KRB_AP_ERR_MSG_TYPE, MODIFIED, BADADDR, SKEW, REPEAT or ENCTYPE_REFUSED.
 */
export function* readCred(
  message: Uint8Array,
  reader: CredReader,
  env: Pick<Env, 'now' | 'enctypes'>,
): KrbExchange<readonly Credential[]> {
  const { tickets, encPart } = wellFormed('KRB-CRED', () => decode(KrbCred, message))
  const part = wellFormed('KRB-CRED', () => open(encPart, reader))
  const { ticketInfo, nonce } = part
  if (tickets.length === 0 || tickets.length > MAX_TICKETS || tickets.length !== ticketInfo.length)
    throw refuse(
      'KRB_AP_ERR_MSG_TYPE',
      `the KRB-CRED tells of ${ticketInfo.length} tickets and holds ${tickets.length}`,
    )
  if (reader.nonce !== undefined && reader.nonce !== nonce)
    throw refuse('KRB_AP_ERR_MODIFIED', 'the KRB-CRED repeats another nonce than ours')
  const { timestamps = true } = reader
  yield* checkSession('KRB-CRED', part, encPart.cipher.slice(-TAG), { ...reader, timestamps }, env)
  return tickets.map((ticket, i) => credentialOfInfo(ticketInfo[i]!, ticket, env))
}

/** Octets at the end of a ciphertext that tell it from all others. */
const TAG = 24

const refuse = (code: 'KRB_AP_ERR_MSG_TYPE' | 'KRB_AP_ERR_MODIFIED', what: string) =>
  new KrbError(code, what, { step: 'KRB-CRED' })

function open(encPart: EncryptedData, { keys, plain = false }: CredReader): EncKrbCredPart {
  if (encPart.etype === NULL_ENCTYPE) {
    if (!plain) throw refuse('KRB_AP_ERR_MODIFIED', 'the KRB-CRED is not encrypted, which is not allowed here')
    return decode(EncKrbCredPart, encPart.cipher)
  }
  let failure: KrbError | undefined
  for (const key of keys) {
    try {
      return sealedCred.open(key, encPart)
    } catch (error) {
      if (!(error instanceof KrbError)) throw error
      failure = error
    }
  }
  throw failure ?? refuse('KRB_AP_ERR_MODIFIED', 'there is no key to open the KRB-CRED with')
}
