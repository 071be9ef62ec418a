import { decode, encodeShort } from '../../asn1/codec.ts'
import { equal } from '../../bytes/index.ts'
import { Key } from '../../crypto/key.ts'
import type { Credential } from '../credential.ts'
import { type Env, randomNumber, timestamp } from '../env.ts'
import { KrbError } from '../errors.ts'
import { ApRep, ApReq } from '../messages/ap.ts'
import type { AuthorizationData, Checksum } from '../messages/basics.ts'
import { Ticket } from '../messages/ticket.ts'
import { formatPrincipal, type Principal, principalNameOf } from '../names.ts'
import { keyOf, readable } from '../reading.ts'
import { sealedApRep, sealedAuthenticator } from '../sealed.ts'

/** What the initiator wants of the AP exchange (RFC 4120 §3.2). */
export interface ApRequest {
  readonly credential: Credential
  /** Ask the service to prove itself with an AP-REP. */
  readonly mutual: boolean
  /** What the authenticator proves besides; out of the subkey, where that makes it. */
  readonly checksum?: Checksum | ((subkey: Key) => Checksum) | undefined
  /** What else the authenticator says. */
  readonly authorizationData?: AuthorizationData | undefined
}

/** What the initiator remembers of its AP-REQ; disposing of it wipes the subkey. */
export interface ApInitiator extends Disposable {
  readonly message: Uint8Array
  /** Ours, to protect messages with unless the acceptor picks one. */
  readonly subkey: Key
  readonly sequenceNumber: number
  /** As the authenticator has them, for the AP-REP to repeat. */
  readonly time: number
  readonly micros: number
}

class Initiator implements ApInitiator {
  readonly message: Uint8Array
  readonly subkey: Key
  readonly sequenceNumber: number
  readonly time: number
  readonly micros: number

  constructor(message: Uint8Array, subkey: Key, sequenceNumber: number, time: number, micros: number) {
    this.message = message
    this.subkey = subkey
    this.sequenceNumber = sequenceNumber
    this.time = time
    this.micros = micros
  }

  [Symbol.dispose](): void {
    this.subkey[Symbol.dispose]()
  }
}

/** What an AP-REP tells (RFC 4120 §5.5.2). */
export interface ApReply {
  /** The acceptor's choice; undefined when it made none. */
  readonly subkey: Key | undefined
  readonly sequenceNumber: number | undefined
}

/** Makes an AP-REQ with a fresh subkey and sequence number (RFC 4120 §3.2.2). */
export function initiateAp({ credential, mutual, checksum, authorizationData }: ApRequest, env: Env): ApInitiator {
  const { client, key, ticket } = credential
  const { time, micros } = timestamp(env)
  const subkey = Key.generate(key.enctype, env.random)
  const sequenceNumber = initialSequenceNumber(env)
  const authenticator = sealedAuthenticator.seal(
    key,
    {
      crealm: client.realm,
      cname: principalNameOf(client),
      cksum: typeof checksum === 'function' ? checksum(subkey) : checksum,
      cusec: micros,
      ctime: time,
      subkey: { keytype: subkey.enctype.id, keyvalue: subkey.octets() },
      seqNumber: sequenceNumber,
      authorizationData,
    },
    env,
  )
  const apOptions = new Set<'mutualRequired' | 'useSessionKey'>()
  if (mutual) apOptions.add('mutualRequired')
  if (credential.secondTicket) apOptions.add('useSessionKey')
  const message = encodeShort(ApReq, { apOptions, ticket: ticketOf(ticket), authenticator })
  return new Initiator(message, subkey, sequenceNumber, time, micros)
}

/**
 * Checks that the service has the session key: its AP-REP repeats the authenticator's time (RFC 4120 §3.2.5). Throws
 * KrbError KRB_AP_ERR_MUT_FAIL, KRB_AP_ERR_MODIFIED, ENCTYPE_REFUSED or REPLY_MALFORMED.
 */
export function verifyApReply(
  message: Uint8Array,
  initiator: Pick<ApInitiator, 'time' | 'micros'>,
  { key, server }: Pick<Credential, 'key' | 'server'>,
  env: Env,
): ApReply {
  const origin = { step: 'AP-REP', realm: server.realm, kdc: formatPrincipal(server) }
  const { encPart } = readable(() => decode(ApRep, message), origin)
  const part = readable(() => sealedApRep.open(key, encPart), origin)
  if (part.ctime !== initiator.time || part.cusec !== initiator.micros)
    throw new KrbError('KRB_AP_ERR_MUT_FAIL', `${formatPrincipal(server)} did not repeat our time`, { step: 'AP-REP' })
  return {
    subkey: part.subkey && keyOf(part.subkey, env, { step: 'AP-REP' }, "acceptor's subkey"),
    sequenceNumber: part.seqNumber,
  }
}

/** The acceptor's AP-REP, and what is in it: what the initiator's last one is held against in DCE style. */
export interface FirstReply {
  /** Undefined where only what was in it is known any more. */
  readonly message?: Uint8Array | undefined
  /** The subkey's octets, where there is no message. */
  readonly subkey?: Uint8Array | undefined
  readonly sequenceNumber: number
}

/**
 * Checks the AP-REP that an initiator sends last in DCE style: it repeats the number that the acceptor began with (MS-KILE
 * §3.4.5.1); of its time and subkey, every implementation has another idea. The acceptor's own AP-REP has the same key,
 * usage and number, so that sent back it would prove whoever holds nothing. Throws KrbError KRB_AP_ERR_MUT_FAIL,
 * KRB_AP_ERR_MODIFIED or REPLY_MALFORMED.
 */
export function verifyLastReply(message: Uint8Array, sent: FirstReply, sessionKey: Key, server: Principal): void {
  const origin = { step: 'AP-REP', realm: server.realm }
  const { encPart } = readable(() => decode(ApRep, message), origin)
  const { seqNumber = 0, subkey } = readable(() => sealedApRep.open(sessionKey, encPart), origin)
  const isOurs = sent.message
    ? equal(encPart.cipher, decode(ApRep, sent.message).encPart.cipher)
    : subkey !== undefined && sent.subkey !== undefined && equal(sent.subkey, subkey.keyvalue)
  if (isOurs) throw new KrbError('KRB_AP_ERR_MUT_FAIL', 'the initiator sent our own AP-REP back', { step: 'AP-REP' })
  if (seqNumber !== sent.sequenceNumber)
    throw new KrbError('KRB_AP_ERR_MUT_FAIL', 'the initiator did not repeat our sequence number', { step: 'AP-REP' })
}

/** Answers an AP-REQ whose authenticator had this time (RFC 4120 §3.2.4). */
export function makeApReply(
  sessionKey: Key,
  { time, micros, subkey, sequenceNumber }: Pick<ApInitiator, 'time' | 'micros'> & ApReply,
  env: Pick<Env, 'random'>,
): Uint8Array {
  const part = {
    ctime: time,
    cusec: micros,
    subkey: subkey && { keytype: subkey.enctype.id, keyvalue: subkey.octets() },
    seqNumber: sequenceNumber,
  }
  return encodeShort(ApRep, { encPart: sealedApRep.seal(sessionKey, part, env) })
}

/** The sequence number a fresh context starts at: below 2^30, as old MIT peers read it as signed (cf. RFC 4120 §5.5.1). */
export const initialSequenceNumber = (env: Pick<Env, 'random'>): number => randomNumber(env) >>> 1

/** Tickets that were read, by their octets: a client sends the same one many times. */
const read = new WeakMap<Uint8Array, Ticket>()

/** A credential's ticket as the value that messages hold. Throws Asn1Error. */
export function ticketOf(der: Uint8Array): Ticket {
  const known = read.get(der)
  if (known) return known
  const ticket = decode(Ticket, der)
  read.set(der, ticket)
  return ticket
}
