import { decode, encode } from '../../asn1/codec.ts'
import { utf8 } from '../../bytes/index.ts'
import type { Credential } from '../credential.ts'
import type { Env } from '../env.ts'
import { errorCode, type KrbErrorCode } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import { messageTypes, nameTypes } from '../messages/codes.ts'
import { KrbErrorMessage } from '../messages/error.ts'
import { ChangePasswdData } from '../messages/password.ts'
import { formatPrincipal, type Principal, principalNameOf } from '../names.ts'
import { type PasswordResult, parsePasswordResult } from '../passwordresult.ts'
import { askKrb, type KrbExchange } from '../questions.ts'
import { type ReplyOrigin, readable } from '../reading.ts'
import { initiateAp, verifyApReply } from './ap.ts'
import { formatPasswordFrame, type PasswordFrame, parsePasswordFrame, passwordVersions } from './passwordframe.ts'
import { makePriv, readPriv } from './priv.ts'

/** A new password for somebody. */
export interface PasswordChange {
  /** For {@link passwordService}, just got with the old password; a bought one will do to set another's. */
  readonly credential: Credential
  readonly newPassword: string
  /** Whose password it is to be: the one of the credential's client unless said. */
  readonly target?: Principal | undefined
}

/** The service that changes the passwords of a realm (RFC 3244 §2). */
export const passwordService = (realm: string): Principal => ({
  type: nameTypes.principal,
  components: ['kadmin', 'changepw'],
  realm,
})

/** No address of ours: a client behind a translator has none that the server could compare. */
const noAddress = { addrType: 2, address: new Uint8Array(4) }

/**
 * Has the password server of the credential's realm change the client's password, or set the one of `target` (RFC 3244);
 * gives what the server says. Throws KrbError, with the result if the server refused; and TransportError.
 */
export function* changePassword(change: PasswordChange, env: Env): KrbExchange<PasswordResult> {
  const { credential, target } = change
  const whose = formatPrincipal(target ?? credential.client)
  const { realm } = credential.server
  using initiator = initiateAp({ credential, mutual: true }, env)
  const userData = userDataOf(change)
  const sender = { key: initiator.subkey, address: noAddress, sequenceNumber: initiator.sequenceNumber }
  const version = target ? passwordVersions.set : passwordVersions.change
  const message = formatPasswordFrame({ version, ap: initiator.message, rest: makePriv(userData, sender, env) })
  userData.fill(0)
  env.trace?.({ kind: 'send', realm, message: target ? 'set-password' : 'change-password', size: message.length })
  const { message: reply, kdc } = yield* askKrb('send', { realm, message, service: 'kpasswd' })
  const origin: ReplyOrigin = { step, realm, kdc }
  const frame = frameOf(reply, origin)
  // Microsoft's server names a subkey of its own in the AP-REP and does not use it.
  const { sequenceNumber, subkey } = verifyApReply(frame.ap, initiator, credential, env)
  subkey?.[Symbol.dispose]()
  const reader = { key: initiator.subkey, sequenceNumber, timestamps: false }
  const result = parsePasswordResult((yield* readPriv(frame.rest, reader, env)).userData)
  if (!result) throw malformed(origin)
  env.trace?.({ kind: 'password', principal: whose, kdc, code: result.code, text: result.text })
  if (result.code !== 0) throw refused(result, whose, origin)
  return result
}

const step = 'change password'

/** Version 1 takes the password as it is, version 0xff80 says whose it is. */
function userDataOf({ newPassword, target }: PasswordChange): Uint8Array {
  const newpasswd = utf8(newPassword)
  if (!target) return newpasswd
  const data = encode(ChangePasswdData, { newpasswd, targname: principalNameOf(target), targrealm: target.realm })
  newpasswd.fill(0)
  return data
}

/** The frame of a reply that proves who sent it. Throws KrbError for one that is a KRB-ERROR, bare or within. */
function frameOf(reply: Uint8Array, origin: ReplyOrigin): PasswordFrame {
  if (reply[0] === (0x60 | messageTypes.error)) throw errorOf(reply, origin)
  const frame = parsePasswordFrame(reply)
  if (!frame) throw malformed(origin)
  if (frame.ap.length === 0) throw errorOf(frame.rest, origin)
  return frame
}

function errorOf(octets: Uint8Array, origin: ReplyOrigin): KrbError {
  const reply = readable(() => decode(KrbErrorMessage, octets), origin)
  const result = reply.eData && parsePasswordResult(reply.eData)
  // A KRB-ERROR is not protected: it may not tell of a success.
  if (!result || result.code === 0) return KrbError.of(reply, 'the password was not changed', origin)
  return refused(result, 'the client', { ...origin, reply })
}

const malformed = (origin: ReplyOrigin) =>
  new KrbError('REPLY_MALFORMED', 'the answer of the password server cannot be read', origin)

/** Result codes of RFC 3244 §2, from 1. */
const results: readonly KrbErrorCode[] = [
  'KRB5_KPASSWD_MALFORMED',
  'KRB5_KPASSWD_HARDERROR',
  'KRB5_KPASSWD_AUTHERROR',
  'KRB5_KPASSWD_SOFTERROR',
  'KRB5_KPASSWD_ACCESSDENIED',
  'KRB5_KPASSWD_BAD_VERSION',
  'KRB5_KPASSWD_INITIAL_FLAG_NEEDED',
]

function refused(
  result: PasswordResult,
  whose: string,
  details: ReplyOrigin & { readonly reply?: KrbErrorMessage },
): KrbError {
  const known = results[result.code - 1]
  const code = known ?? 'KRB5_KPASSWD_HARDERROR'
  const number = known ? '' : ` (result ${result.code})`
  const said = result.text ? ` ("${result.text}")` : ''
  return new KrbError(code, `${errorCode(code).meaning}${number}: ${whose}${said}`, { ...details, result })
}
