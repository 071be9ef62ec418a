/** What the AS and the TGS exchange share: asking a KDC, and holding its reply against the request. @module */
import { type Codec, decode, encode } from '../../asn1/codec.ts'
import { sameAddresses } from '../addresses.ts'
import type { Credential } from '../credential.ts'
import { type Env, seconds, skewOf } from '../env.ts'
import { errorCodeOf } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import type { KrbErrorMessage } from '../messages/error.ts'
import type { EncKdcRepPart, KdcRep, KdcReqBody } from '../messages/kdc.ts'
import { Ticket } from '../messages/ticket.ts'
import { grantedRealm, principalOf, sameComponents } from '../names.ts'
import { askKrb, type KrbExchange } from '../questions.ts'
import { keyOf, type ReplyOrigin, readable, requireEnctype } from '../reading.ts'

/** A KDC's answer and who gave it. */
export interface KdcAnswer {
  readonly answer:
    | { readonly kind: 'reply'; readonly value: KdcRep }
    | { readonly kind: 'error'; readonly value: KrbErrorMessage }
  readonly kdc: string
}

/** Sends a request to a KDC of `realm` and reads the answer. Throws KrbError REPLY_MALFORMED and TransportError. */
export function* askKdc(
  step: 'AS-REQ' | 'TGS-REQ',
  codec: Codec<KdcAnswer['answer']>,
  realm: string,
  message: Uint8Array,
  env: Env,
): KrbExchange<KdcAnswer> {
  env.trace?.({ kind: 'send', realm, message: step, size: message.length })
  const { message: reply, kdc } = yield* askKrb('send', { realm, message })
  const answer = readable(() => decode(codec, reply), { step, realm, kdc })
  if (answer.kind === 'error')
    env.trace?.({
      kind: 'error',
      realm,
      kdc,
      code: errorCodeOf(answer.value.errorCode),
      text: answer.value.eText ?? '',
    })
  else env.trace?.({ kind: 'reply', realm, kdc, message: step.replace('REQ', 'REP'), size: reply.length })
  return { answer, kdc }
}

/** How far the KDC's clock is from ours, in microseconds, as its KRB-ERROR tells (RFC 4120 §5.9.1). */
export const offsetOf = ({ stime, susec }: KrbErrorMessage, { now }: Pick<Env, 'now'>): number =>
  stime * 1e6 + susec - now()

/** What a reply must agree with. */
export interface Expectation {
  readonly body: KdcReqBody
  readonly origin: ReplyOrigin
  /** Whether the KDC was allowed to answer for another name (RFC 6806). */
  readonly canonicalize: boolean
}

/**
 * Holds a decrypted reply against its request (RFC 4120 §3.1.5, §3.3.4): nonce, service, times, addresses and the
 * session key's enctype. Names of the client are the caller's to check. Throws KrbError REPLY_MODIFIED or ENCTYPE_REFUSED.
 */
export function checkReply(
  { ticket }: KdcRep,
  part: EncKdcRepPart,
  { body, origin, canonicalize }: Expectation,
  env: Env,
): void {
  const refuse = (what: string) => new KrbError('REPLY_MODIFIED', `${what} in the answer to our ${origin.step}`, origin)
  if (part.nonce !== body.nonce) throw refuse('another nonce')
  if (part.srealm !== ticket.realm || !sameComponents(part.sname.nameString, ticket.sname.nameString))
    throw refuse('the ticket names another service than its sealed part')
  const asked = body.sname?.nameString ?? []
  const named = sameComponents(part.sname.nameString, asked) && part.srealm === body.realm
  const referral = grantedRealm({ components: part.sname.nameString }) !== undefined && part.srealm === body.realm
  if (!named && !(canonicalize && (referral || part.srealm === body.realm)))
    throw refuse(
      `a ticket for ${part.sname.nameString.join('/')}@${part.srealm}, not for ${asked.join('/')}@${body.realm},`,
    )
  requireEnctype(part.key.keytype, env, origin, 'session key')
  const latest = seconds(env.now() + skewOf(env))
  if (body.from === undefined && (part.starttime ?? part.authtime) > latest)
    throw refuse('a start time that lies in the future')
  if (body.till !== 0 && part.endtime > body.till) throw refuse('a later end time than asked for')
  if (
    part.renewTill !== undefined &&
    body.rtime !== undefined &&
    body.rtime !== 0 &&
    part.renewTill > Math.max(body.rtime, body.till)
  )
    throw refuse('a later renewal time than asked for')
  if (body.addresses && !sameAddresses(body.addresses, part.caddr)) throw refuse('other addresses than asked for')
}

/** What the client keeps of a reply (RFC 4120 §3.1.5). */
export function credentialFrom(reply: KdcRep, part: EncKdcRepPart, env: Env, origin: ReplyOrigin): Credential {
  return {
    client: principalOf(reply.cname, reply.crealm),
    server: principalOf(part.sname, part.srealm),
    key: keyOf(part.key, env, origin, 'session key'),
    ticket: encode(Ticket, reply.ticket),
    flags: part.flags,
    authtime: part.authtime,
    starttime: part.starttime ?? part.authtime,
    endtime: part.endtime,
    ...(part.renewTill === undefined ? {} : { renewTill: part.renewTill }),
    ...(part.caddr?.length ? { addresses: part.caddr } : {}),
  }
}
