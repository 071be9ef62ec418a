/** What is sealed where, and the rules that open it. @module */

import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { Reader } from '../asn1/reader.ts'
import { Authenticator } from '../krb5/messages/ap.ts'
import { AuthorizationData, type EncryptedData, type EncryptionKey } from '../krb5/messages/basics.ts'
import { EncKrbCredPart } from '../krb5/messages/session.ts'
import { EncTicketPart } from '../krb5/messages/ticket.ts'
import * as sealed from '../krb5/sealed.ts'
import { keyUsages } from '../krb5/usages.ts'
import type { Opening } from './keyring.ts'
import type { Outline } from './outline.ts'
import type { Rule, Rules, Scope } from './scope.ts'
import { formatVerdict, verdictOf } from './verdict.ts'

/** The enctype that says that nothing is encrypted. */
const NULL_ENCTYPE = 0

type Part = Pick<sealed.Sealed<unknown>, 'usage' | 'codec'>

/** RFC 4120 §5.4.1: sealed with the session key, or with the subkey. */
const requestAuthorizationData: readonly Part[] = [
  { usage: keyUsages.tgsReqAuthDataSubkey, codec: AuthorizationData },
  { usage: keyUsages.tgsReqAuthDataSession, codec: AuthorizationData },
]

/** The rule for what is sealed in one of these ways. */
export const opens =
  (...parts: readonly Part[]): Rule =>
  (value, outline, _, scope) =>
    void open(value as EncryptedData, parts, outline, scope)

/** Members that hold EncryptedData, as they are sealed. */
export const sealedParts: Rules = {
  'Ticket.encPart': openTicket,
  'AP-REQ.authenticator': openAuthenticator,
  'AP-REP.encPart': opens(sealed.sealedApRep),
  'AS-REP.encPart': opens(sealed.sealedAsRep),
  'TGS-REP.encPart': opens(sealed.sealedTgsRepSubkey, sealed.sealedTgsRepSession),
  'KRB-PRIV.encPart': opens(sealed.sealedPriv),
  'KRB-CRED.encPart': openCred,
  'KDC-REQ-BODY.encAuthorizationData': opens(...requestAuthorizationData),
  'KrbFastArmoredReq.encFastReq': opens(sealed.sealedFastReq),
  'KrbFastArmoredRep.encFastRep': opens(sealed.sealedFastResponse),
  'KrbFastResponse.strengthenKey': (value, _outline, _siblings, { ring }) => ring.strengthen(value as EncryptionKey),
  'PA-OTP-REQUEST.encData': opens(sealed.sealedOtpRequest),
  'SPAKEResponse.factor': opens(sealed.sealedSpakeFactor),
}

function open(
  data: EncryptedData,
  parts: readonly Part[],
  outline: Outline,
  scope: Scope,
): (Opening & { readonly plaintext: Uint8Array }) | undefined {
  const usages = parts.map(({ usage }) => usage)
  const opening = scope.ring.open(data, usages)
  if (!opening) {
    outline.add('sealed', `key usage ${usages.join(' or ')}; no key at hand opens it`)
    return undefined
  }
  const { codec } = parts.find(({ usage }) => usage === opening.usage)!
  const line = outline.add('opened', `with ${opening.held.origin}, key usage ${opening.usage}`)
  const plaintext = withoutPadding(opening.plaintext)
  scope.walk(codec, plaintext, line)
  return { ...opening, plaintext }
}

/** The first element: enctypes that fill their last block leave what they filled it with (RFC 3961 §5.3). */
function withoutPadding(plaintext: Uint8Array): Uint8Array {
  try {
    const reader = new Reader(plaintext)
    reader.skip(plaintext.length)
    return plaintext.subarray(0, reader.at)
  } catch (error) {
    if (error instanceof Asn1Error) return plaintext
    throw error
  }
}

function openTicket(value: unknown, outline: Outline, siblings: Readonly<Record<string, unknown>>, scope: Scope): void {
  const opening = open(value as EncryptedData, [sealed.sealedTicket], outline, scope)
  if (!opening) return
  const part = readable(() => decode(EncTicketPart, opening.plaintext))
  if (!part) return
  const verdict = verdictOf(part, opening.held.key, scope.ring.kdcKeys(String(siblings['realm'])))
  if (verdict.state !== 'absent') outline.add('PAC', formatVerdict(verdict))
}

/** The subkey and the session key make the armor of FAST, which in a TGS-REQ goes without saying (RFC 6113 §5.4.1.1). */
function openAuthenticator(value: unknown, outline: Outline, _: unknown, scope: Scope): void {
  const parts = [sealed.sealedAuthenticator, sealed.sealedTgsAuthenticator]
  const opening = open(value as EncryptedData, parts, outline, scope)
  const subkey = opening && readable(() => decode(Authenticator, opening.plaintext))?.subkey
  if (subkey) scope.ring.armor(subkey, opening.held.key)
}

/** Files, and old forwarders, leave the keys in the clear. */
function openCred(value: unknown, outline: Outline, _: unknown, scope: Scope): void {
  const data = value as EncryptedData
  if (data.etype !== NULL_ENCTYPE) return void open(data, [sealed.sealedCred], outline, scope)
  scope.walk(EncKrbCredPart, data.cipher, outline.add('in the clear'))
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Asn1Error) return undefined
    throw error
  }
}
