/** What a client does with the tunnel of FAST (RFC 6113 §5.4.2 to §5.4.4). @module */
import { decode, encode } from '../../asn1/codec.ts'
import type { Key } from '../../crypto/key.ts'
import type { Credential } from '../credential.ts'
import { type Env, shifted } from '../env.ts'
import { KrbError } from '../errors.ts'
import { MethodData, type PaData } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import { KrbErrorMessage } from '../messages/error.ts'
import { FX_FAST_ARMOR_AP_REQUEST, type KrbFastFinished, type KrbFastResponse } from '../messages/fast.ts'
import type { KdcRep } from '../messages/kdc.ts'
import { Ticket } from '../messages/ticket.ts'
import { formatPrincipal, grantedRealm } from '../names.ts'
import { keyOf, type ReplyOrigin, readable } from '../reading.ts'
import { initiateAp } from './ap.ts'
import { FastChannel } from './fastchannel.ts'

/** When a client goes through FAST: always, or only with KDCs that offer it, which somebody on the way can prevent. */
export type FastPolicy = 'required' | 'when available'

/** What protects a login (RFC 6113 §5.4.1.1). */
export interface Armor {
  /** A ticket-granting ticket for the client's realm, as a host's or an anonymous one. */
  readonly ticket: Credential
  /** The KDC's clock less ours, in microseconds, as it was when the ticket was got. */
  readonly clockOffset?: number | undefined
  /** `required` unless said. */
  readonly policy?: FastPolicy | undefined
  /** Whether the client's name is to travel in the tunnel alone; false unless said. */
  readonly hideClientName?: boolean | undefined
}

/** A tunnel to the KDCs of `realm`. Throws KrbError NO_TICKET for a ticket that is good for another realm. */
export function armoredBy({ ticket, clockOffset = 0 }: Armor, realm: string, env: Env): FastChannel {
  if (grantedRealm(ticket.server) !== realm)
    throw new KrbError('NO_TICKET', `the armor for ${realm} cannot be a ticket for ${formatPrincipal(ticket.server)}`, {
      step: 'AS-REQ',
      hint: `get a ticket-granting ticket for ${realm} first`,
    })
  using initiator = initiateAp({ credential: ticket, mutual: false }, shifted(env, clockOffset))
  const names = { client: formatPrincipal(ticket.client), server: formatPrincipal(ticket.server) }
  env.trace?.({ kind: 'armor', ...names, enctype: ticket.key.enctype.name })
  const armor = { armorType: FX_FAST_ARMOR_AP_REQUEST, armorValue: initiator.message }
  return new FastChannel(initiator.subkey, ticket.key, armor)
}

/** What a reply held inside FAST; the strengthening key is the caller's to wipe. */
export interface FastReply {
  /** The reply as if it had come without FAST: the padata of the tunnel, the client that it names. */
  readonly reply: KdcRep
  /** Undefined when the KDC sent none: it may leave it out of an AS-REP. */
  readonly strengthenKey: Key | undefined
  readonly finished: KrbFastFinished
}

/**
 * Opens the tunnel's part of a reply and holds it against the request: nonce and ticket. Undefined when there is none.
 * Throws KrbError REPLY_MODIFIED and REPLY_MALFORMED.
 */
export function openFastReply(
  channel: FastChannel,
  reply: KdcRep,
  nonce: number,
  origin: ReplyOrigin,
  env: Env,
): FastReply | undefined {
  const response = openResponse(channel, reply.padata ?? [], nonce, origin)
  if (!response) return undefined
  const { finished, padata } = response
  if (!finished) throw modified('the end of FAST is missing', origin)
  channel.verifyTicket(encode(Ticket, reply.ticket), finished.ticketChecksum)
  const strengthenKey = response.strengthenKey && keyOf(response.strengthenKey, env, origin, 'strengthening key')
  return { reply: { ...reply, padata, crealm: finished.crealm, cname: finished.cname }, strengthenKey, finished }
}

/** An error that came through the tunnel: what the KDC really said, and the padata with it. */
export interface FastError {
  readonly message: KrbErrorMessage
  readonly padata: readonly PaData[]
}

/** Opens the tunnel's part of an error; undefined when there is none. Throws KrbError REPLY_MODIFIED and REPLY_MALFORMED. */
export function openFastError(
  channel: FastChannel,
  { eData }: KrbErrorMessage,
  nonce: number,
  origin: ReplyOrigin,
): FastError | undefined {
  const outer = eData ? readable(() => decode(MethodData, eData), origin) : []
  const response = openResponse(channel, outer, nonce, origin)
  if (!response) return undefined
  const inner = response.padata.find(({ padataType }) => padataType === paTypes.fxError)
  if (!inner) throw modified('no error is inside FAST', origin)
  const message = readable(() => decode(KrbErrorMessage, inner.padataValue), origin)
  return { message, padata: response.padata.filter((padata) => padata !== inner) }
}

function openResponse(
  channel: FastChannel,
  padata: readonly PaData[],
  nonce: number,
  origin: ReplyOrigin,
): KrbFastResponse | undefined {
  const found = padata.find(({ padataType }) => padataType === paTypes.fxFast)
  if (!found || found.padataValue.length === 0) return undefined
  const response = readable(() => channel.openResponse(found.padataValue), origin)
  if (response.nonce !== nonce) throw modified('another nonce is inside FAST', origin)
  return response
}

const modified = (what: string, origin: ReplyOrigin) =>
  new KrbError('REPLY_MODIFIED', `${what} in the answer to our ${origin.step}`, origin)
