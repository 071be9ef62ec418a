/** What KRB-SAFE, KRB-PRIV and KRB-CRED share: times, sequence numbers and addresses (RFC 4120 §3.4.2, §3.5.2, §3.6.2). @module */
import { Asn1Error } from '../../asn1/error.ts'
import type { Key } from '../../crypto/key.ts'
import { sameAddress } from '../addresses.ts'
import { type Env, skewOf, timestamp } from '../env.ts'
import type { KrbErrorCode } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import type { HostAddress } from '../messages/basics.ts'
import type { KrbSafeBody } from '../messages/session.ts'
import { askKrb, type KrbExchange } from '../questions.ts'

/** How one side of a session sends. Of time and sequence number, at least one must be there. */
export interface SessionSender {
  /** The session key, or the subkey that was agreed on. */
  readonly key: Key
  /** Ours (`s-address`). */
  readonly address: HostAddress
  /** The recipient's (`r-address`); left out unless said. */
  readonly peerAddress?: HostAddress | undefined
  /** Of this message; left out unless said. */
  readonly sequenceNumber?: number | undefined
  /** Whether to send the time: unless said, when there is no sequence number. */
  readonly timestamps?: boolean | undefined
}

/** What a message must agree with to be read. */
export interface SessionReader {
  readonly key: Key
  /** The sender's, as the network tells it; not compared unless said. */
  readonly peerAddress?: HostAddress | undefined
  /** Ours: an `r-address` must be among them. Not compared unless said. */
  readonly addresses?: readonly HostAddress[] | undefined
  /** The one that this message must have; any or none unless said. */
  readonly sequenceNumber?: number | undefined
  /** Whether the time must be there and of now: unless said, when no sequence number is expected. */
  readonly timestamps?: boolean | undefined
  /** Sender and recipient, to look for replays under; replays are not looked for unless said. */
  readonly replay?: { readonly client: string; readonly server: string } | undefined
}

/** A message that was read. */
export interface SessionMessage {
  readonly userData: Uint8Array
  readonly sequenceNumber: number | undefined
  /** Microseconds since the epoch, by the sender's clock. */
  readonly time: number | undefined
}

/** The message, by its name in RFC 4120. */
export type SessionStep = 'KRB-SAFE' | 'KRB-PRIV' | 'KRB-CRED'

/** The fields of a message that say when, in which order and between whom. Throws TypeError without any order. */
export function sessionBody(userData: Uint8Array, sender: SessionSender, env: Pick<Env, 'now'>): KrbSafeBody {
  const { address, peerAddress, sequenceNumber, timestamps = sequenceNumber === undefined } = sender
  if (!timestamps && sequenceNumber === undefined)
    throw new TypeError('a message needs a time or a sequence number, or anybody could repeat it (RFC 4120 §3.4.1)')
  return {
    userData,
    ...(timestamps ? sendingTime(env) : {}),
    ...(sequenceNumber === undefined ? {} : { seqNumber: sequenceNumber }),
    sAddress: address,
    ...(peerAddress ? { rAddress: peerAddress } : {}),
  }
}

/** The time of this moment as the three messages carry it. */
export function sendingTime(env: Pick<Env, 'now'>): { readonly timestamp: number; readonly usec: number } {
  const { time, micros } = timestamp(env)
  return { timestamp: time, usec: micros }
}

/** The fields that {@link checkSession} looks at. */
type SessionFields = {
  readonly [K in 'timestamp' | 'usec' | 'seqNumber' | 'sAddress' | 'rAddress']?: KrbSafeBody[K] | undefined
}

/**
 * Holds a message whose integrity was proved against what is expected, in the order of RFC 4120 §3.4.2, the replay last;
 * `tag` is unique to the message. Throws KrbError KRB_AP_ERR_BADADDR, SKEW, BADORDER, MODIFIED or REPEAT.
 */
export function* checkSession(
  step: SessionStep,
  fields: SessionFields,
  tag: Uint8Array,
  expected: Omit<SessionReader, 'key'>,
  env: Pick<Env, 'now' | 'clockSkew'>,
): KrbExchange<number | undefined> {
  const { peerAddress, addresses, sequenceNumber, timestamps = sequenceNumber === undefined, replay } = expected
  const refuse = (code: KrbErrorCode, what: string) => new KrbError(code, what, { step })
  const { sAddress, rAddress } = fields
  // MIT writes no number where it is 0, in authenticators as in messages.
  const seqNumber = fields.seqNumber ?? (sequenceNumber === 0 ? 0 : undefined)
  if (peerAddress && sAddress && !sameAddress(sAddress, peerAddress))
    throw refuse('KRB_AP_ERR_BADADDR', `the ${step} was sent from another address than it names`)
  if (addresses && rAddress && !addresses.some((own) => sameAddress(own, rAddress)))
    throw refuse('KRB_AP_ERR_BADADDR', `the ${step} is for another address`)
  const time = fields.timestamp === undefined ? undefined : fields.timestamp * 1e6 + (fields.usec ?? 0)
  if (timestamps) {
    if (time === undefined) throw refuse('KRB_AP_ERR_SKEW', `the ${step} does not say when it was sent`)
    if (Math.abs(time - env.now()) > skewOf(env)) throw refuse('KRB_AP_ERR_SKEW', `the ${step} is not of now`)
  }
  // MIT's encoder leaves a number out that is 0.
  if (sequenceNumber !== undefined && (seqNumber ?? 0) !== sequenceNumber)
    throw refuse('KRB_AP_ERR_BADORDER', `the ${step} has number ${seqNumber ?? 'none'}, not ${sequenceNumber}`)
  // A KRB-CRED has no sequence number to do without the time.
  if (time === undefined && (seqNumber ?? sequenceNumber) === undefined && step !== 'KRB-CRED')
    throw refuse('KRB_AP_ERR_MODIFIED', `the ${step} has neither time nor number`)
  if (replay && time !== undefined) {
    if (yield* askKrb('replay', { ...replay, time, tag, now: env.now() }))
      throw refuse('KRB_AP_ERR_REPEAT', `this very ${step} came before`)
  }
  return time
}

/** Runs `read`, turning a schema failure into KrbError KRB_AP_ERR_MSG_TYPE. */
export function wellFormed<T>(step: SessionStep, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new KrbError('KRB_AP_ERR_MSG_TYPE', `not a well-formed ${step} (${cause.message})`, { step, cause })
  }
}
