/** Holding an AS-REP against the request that it answers (RFC 4120 §3.1.5). @module */
import { decode } from '../../asn1/codec.ts'
import type { Key } from '../../crypto/key.ts'
import type { Credential } from '../credential.ts'
import { type Env, shifted, skewOf } from '../env.ts'
import { KrbError } from '../errors.ts'
import { Checksum } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import type { EncKdcRepPart, KdcRep, KdcReqBody } from '../messages/kdc.ts'
import { ANONYMOUS_REALM, formatPrincipal, isAnonymous, sameComponents } from '../names.ts'
import { type ReplyOrigin, readable } from '../reading.ts'
import { sealedAsRep } from '../sealed.ts'
import { keyUsages } from '../usages.ts'
import { type AsRequest, mayCanonicalize } from './asrequest.ts'
import { checkReply, credentialFrom } from './kdc.ts'

/** What the last request was, and what opens its reply. */
export interface Sent {
  readonly key: Key
  readonly body: KdcReqBody
  /** The AS-REQ as it was sent. */
  readonly message: Uint8Array
  readonly origin: ReplyOrigin
  /** Microseconds that the KDC's clock was taken to be ahead of ours. */
  readonly offset: number
}

/** What an AS-REP gave. */
export interface Opened {
  readonly credential: Credential
  /** The KDC's clock less ours, in microseconds; 0 when they agree. */
  readonly clockOffset: number
  /** When the password expires, in seconds since the epoch; undefined when the KDC does not tell. */
  readonly keyExpiration: number | undefined
  /** The sealed part, with padata that only this client could read. */
  readonly part: EncKdcRepPart
}

/** A clock this close to the KDC's, in microseconds, is left alone: KerberosTime has whole seconds. */
const CLOCK_GRAIN = 2_000_000

/** Opens the reply and checks every field. Throws KrbError. */
export function openAsReply(request: AsRequest, reply: KdcRep, sent: Sent, given: Env): Opened {
  const { client, followClock = true } = request
  const { key, body, message, origin } = sent
  const part = readable(() => sealedAsRep.open(key, reply.encPart, 'KRB_AP_ERR_BAD_INTEGRITY'), origin)
  const learnt = part.authtime * 1e6 - given.now()
  const offset = followClock && Math.abs(learnt - sent.offset) > CLOCK_GRAIN ? learnt : sent.offset
  if (!followClock && Math.abs(learnt) > skewOf(given))
    throw new KrbError('KRB_AP_ERR_SKEW', `the KDC's clock is ${Math.round(learnt / 1e6)} s ahead of ours`, origin)
  const env = shifted(given, offset)
  const canonicalize = mayCanonicalize(request)
  // whoever asks to be nobody is nobody, in a realm that says so (RFC 8062 §4.1)
  const crealm = body.kdcOptions.has('requestAnonymous') && isAnonymous(client) ? ANONYMOUS_REALM : client.realm
  const sameClient = sameComponents(reply.cname.nameString, client.components) && reply.crealm === crealm
  if (!sameClient && !canonicalize)
    throw new KrbError('REPLY_MODIFIED', `a ticket for another client than ${formatPrincipal(client)}`, origin)
  checkReply(reply, part, { body, origin, canonicalize }, env)
  checkRequestUntouched(part, message, key, origin)
  const credential = credentialFrom(reply, part, env, origin)
  const names = { client: formatPrincipal(credential.client), server: formatPrincipal(credential.server) }
  given.trace?.({ kind: 'ticket', ...names, enctype: credential.key.enctype.name, endtime: credential.endtime })
  return { credential, clockOffset: offset, keyExpiration: part.keyExpiration, part }
}

/** RFC 6806 §11: where the reply's flag says so, the KDC signed the request as it arrived there. */
function checkRequestUntouched(part: EncKdcRepPart, message: Uint8Array, key: Key, origin: ReplyOrigin): void {
  if (!part.flags.has('encPaRep')) return
  const signed = part.encryptedPaData?.find(({ padataType }) => padataType === paTypes.reqEncPaRep)
  const { cksumtype, checksum } = signed
    ? readable(() => decode(Checksum, signed.padataValue), origin)
    : { cksumtype: 0, checksum: new Uint8Array(0) }
  if (cksumtype !== key.enctype.checksumId || !key.verify(keyUsages.asReqChecksum, message, checksum))
    throw new KrbError('REPLY_MODIFIED', 'the KDC received another AS-REQ than the one sent', origin)
}
