/** Tickets and replies, sealed. @module */
import { encode } from '../asn1/codec.ts'
import type { Key } from '../crypto/key.ts'
import { type Env, seconds, timestamp } from '../krb5/env.ts'
import { errorCodes } from '../krb5/errorcodes.ts'
import type { KrbError } from '../krb5/errors.ts'
import type { PrincipalName } from '../krb5/messages/basics.ts'
import { lastReqTypes } from '../krb5/messages/codes.ts'
import { KrbErrorMessage } from '../krb5/messages/error.ts'
import type { EncKdcRepPart, KdcReqBody } from '../krb5/messages/kdc.ts'
import type { EncTicketPart, Ticket } from '../krb5/messages/ticket.ts'
import { principalNameOf, ticketGrantingService } from '../krb5/names.ts'
import { sealedTicket } from '../krb5/sealed.ts'
import type { PrincipalRecord } from './database.ts'
import type { Kdc } from './request.ts'

/** A ticket for `service`, sealed with its best key. */
export function sealTicket(
  part: EncTicketPart,
  service: PrincipalRecord,
  sname: PrincipalName,
  env: Env,
  sealingKey?: Key,
): Ticket {
  const key = sealingKey ?? service.keys[0]!
  const encPart = sealedTicket.seal(key, part, env, sealingKey ? undefined : service.kvno)
  return { realm: service.principal.realm, sname, encPart }
}

/** The part of a reply that only the client may read (RFC 4120 §5.4.2). */
export function replyPart(
  ticket: EncTicketPart,
  sealed: Ticket,
  { nonce }: KdcReqBody,
  { env, faults }: Pick<Kdc, 'env' | 'faults'>,
  more: Pick<EncKdcRepPart, 'keyExpiration' | 'encryptedPaData'> = {},
): EncKdcRepPart {
  const { key, flags, authtime, starttime, endtime, renewTill, caddr } = ticket
  return {
    key,
    lastReq: [{ lrType: lastReqTypes.none, lrValue: seconds(env.now()) }],
    nonce: faults.nonce ? nonce ^ 1 : nonce,
    flags,
    keyExpiration: more.keyExpiration,
    authtime,
    starttime,
    endtime,
    renewTill,
    srealm: sealed.realm,
    sname: sealed.sname,
    caddr,
    encryptedPaData: more.encryptedPaData,
  }
}

/** What a refusal tells besides its code. */
export interface RefusalDetails {
  readonly eData?: Uint8Array | undefined
  readonly body?: KdcReqBody | undefined
  /** Where the client is to turn (RFC 6806 §7); the realm that was asked unless said. */
  readonly clientRealm?: string | undefined
}

/** Longest e-text that is sent: it must fit a datagram with the rest. */
const MAX_TEXT = 300

/** A KRB-ERROR (RFC 4120 §5.9.1). */
export function refusal(
  error: KrbError,
  realm: string,
  env: Pick<Env, 'now'>,
  { eData, body, clientRealm }: RefusalDetails = {},
): Uint8Array {
  const { time, micros } = timestamp(env)
  const { number } = errorCodes[error.code]
  return encode(KrbErrorMessage, {
    stime: time,
    susec: micros,
    errorCode: number < 0 ? errorCodes.KRB_ERR_GENERIC.number : number,
    ...(body?.cname ? { crealm: clientRealm ?? body.realm, cname: body.cname } : {}),
    realm,
    sname: body?.sname ?? principalNameOf(ticketGrantingService(realm)),
    eText: error.message.slice(0, MAX_TEXT),
    ...(eData ? { eData } : {}),
  })
}
