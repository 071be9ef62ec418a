/** What the octets hold that a schema calls OCTET STRING, by the numbers beside them. @module */
import { type Codec, decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { sequenceOf } from '../asn1/structures.ts'
import { ApReq } from '../krb5/messages/ap.ts'
import {
  AuthorizationData,
  Checksum,
  EncryptedData,
  Int32,
  MethodData,
  type PrincipalName,
} from '../krb5/messages/basics.ts'
import { AdAuthenticationIndicator, AdCammac } from '../krb5/messages/cammac.ts'
import { adTypes, GSS_CHECKSUM_TYPE, paTypes } from '../krb5/messages/codes.ts'
import { KrbErrorMessage, TypedData } from '../krb5/messages/error.ts'
import { PaFxFastReply, PaFxFastRequest } from '../krb5/messages/fast.ts'
import { PaOtpChallenge, PaOtpRequest } from '../krb5/messages/otp.ts'
import { PaPacOptions, PaPacRequest } from '../krb5/messages/pac.ts'
import { ChangePasswdData } from '../krb5/messages/password.ts'
import { PaPkAsRep, PaPkAsReq } from '../krb5/messages/pkinit.ts'
import { EtypeInfo, EtypeInfo2 } from '../krb5/messages/preauth.ts'
import { PaForUser, PaS4uX509User } from '../krb5/messages/s4u.ts'
import { PaSpake } from '../krb5/messages/spake.ts'
import { principalOf } from '../krb5/names.ts'
import { parsePasswordResult } from '../krb5/passwordresult.ts'
import { sealedClientChallenge, sealedContribution, sealedKdcChallenge, sealedTimestamp } from '../krb5/sealed.ts'
import { defaultSalt } from '../krb5/secret.ts'
import { explainContextChecksum } from './gss.ts'
import type { Outline } from './outline.ts'
import { explainPac } from './pac.ts'
import type { Rule, Rules, Scope } from './scope.ts'
import { opens, sealedParts } from './sealedparts.ts'

/** How pre-authentication data of a type is read: the first of the codecs that fits. */
const paData: Readonly<Record<number, readonly Codec<unknown>[]>> = {
  [paTypes.tgsReq]: [ApReq],
  [paTypes.encTimestamp]: [EncryptedData],
  [paTypes.etypeInfo]: [EtypeInfo],
  [paTypes.etypeInfo2]: [EtypeInfo2],
  [paTypes.pkAsReq]: [PaPkAsReq],
  [paTypes.pkAsRep]: [PaPkAsRep],
  [paTypes.pacRequest]: [PaPacRequest],
  [paTypes.forUser]: [PaForUser],
  [paTypes.s4uX509User]: [PaS4uX509User],
  [paTypes.fxFast]: [PaFxFastRequest, PaFxFastReply],
  [paTypes.fxError]: [KrbErrorMessage],
  [paTypes.encryptedChallenge]: [EncryptedData],
  [paTypes.otpChallenge]: [PaOtpChallenge],
  [paTypes.otpRequest]: [PaOtpRequest],
  [paTypes.pkinitKx]: [EncryptedData],
  [paTypes.reqEncPaRep]: [Checksum],
  [paTypes.spake]: [PaSpake],
  [paTypes.pacOptions]: [PaPacOptions],
}

/** Pre-authentication data that is EncryptedData and nothing else. */
const sealedPaData: Readonly<Record<number, Rule>> = {
  [paTypes.encTimestamp]: opens(sealedTimestamp),
  [paTypes.encryptedChallenge]: (value, outline, siblings, scope) => {
    scope.ring.challenge()
    opens(sealedClientChallenge, sealedKdcChallenge)(value, outline, siblings, scope)
  },
  [paTypes.pkinitKx]: opens(sealedContribution),
}

const adData: Readonly<Record<number, Codec<unknown>>> = {
  [adTypes.ifRelevant]: AuthorizationData,
  [adTypes.mandatoryForKdc]: AuthorizationData,
  [adTypes.cammac]: AdCammac,
  [adTypes.authIndicator]: AdAuthenticationIndicator,
  [adTypes.etypeNegotiation]: sequenceOf(Int32),
}

/** What is inside members, by `Type.member`. */
export const rules: Rules = {
  ...sealedParts,
  'PA-DATA.padataValue': explainPaData,
  'AuthorizationData.adData': explainAuthorizationData,
  'KRB-ERROR.eData': (value, outline, _, scope) => void walkFirst([MethodData, TypedData], value, outline, scope),
  'KrbFastArmor.armorValue': (value, outline, _, scope) => void walkFirst([ApReq], value, outline, scope),
  'Authenticator.cksum': (value, outline, _, scope) => {
    const checksum = value as Checksum
    if (checksum.cksumtype === GSS_CHECKSUM_TYPE) explainContextChecksum(checksum, outline, scope)
  },
  'EncKrbPrivPart.userData': explainPasswordData,
  'KDC-PROXY-MESSAGE.kerbMessage': explainInside,
  'NegTokenInit.mechToken': explainInside,
  'NegTokenInit2.mechToken': explainInside,
  'NegTokenResp.responseToken': explainInside,
  'PA-PK-AS-REQ.signedAuthPack': explainInside,
  'DHRepInfo.dhSignedData': explainInside,
}

/** What to know before the members of a type are read: with which salts a password may have been used. */
export const before: Rules = {
  'KDC-REQ': (_, _outline, { reqBody }, scope) => {
    const { value } = (reqBody ?? {}) as { readonly value?: { readonly cname?: PrincipalName; readonly realm: string } }
    season(value?.cname, value?.realm, scope)
  },
  'AS-REP': (_, _outline, { cname, crealm }, scope) => season(cname, crealm, scope),
  Ticket: (_, _outline, { sname, realm }, scope) => season(sname, realm, scope),
  'ETYPE-INFO2-ENTRY': (_, _outline, { salt, s2kparams }, { ring }) => {
    if (salt instanceof Uint8Array) ring.season(salt, s2kparams as Uint8Array | undefined)
  },
  'ETYPE-INFO-ENTRY': (_, _outline, { salt }, { ring }) => {
    if (salt instanceof Uint8Array) ring.season(salt)
  },
}

function season(name: unknown, realm: unknown, { ring }: Scope): void {
  if (name && typeof realm === 'string') ring.season(defaultSalt(principalOf(name as PrincipalName, realm)))
}

function explainPaData(
  value: unknown,
  outline: Outline,
  siblings: Readonly<Record<string, unknown>>,
  scope: Scope,
): void {
  const type = siblings['padataType'] as number
  const octets = value as Uint8Array
  const decoded = octets.length > 0 && walkFirst(paData[type] ?? [], octets, outline, scope)
  if (decoded) sealedPaData[type]?.(decoded.value, outline, {}, scope)
}

function explainAuthorizationData(
  value: unknown,
  outline: Outline,
  siblings: Readonly<Record<string, unknown>>,
  scope: Scope,
): void {
  const type = siblings['adType'] as number
  const codec = adData[type]
  if (type === adTypes.win2kPac) explainPac(value as Uint8Array, outline)
  else if (codec) walkFirst([codec], value, outline, scope)
}

/** Both ends of kpasswd: what to change, or what came of it, which begins with a code below 256, and so with a zero. */
function explainPasswordData(value: unknown, outline: Outline, _: unknown, scope: Scope): void {
  const octets = value as Uint8Array
  if (walkFirst([ChangePasswdData], octets, outline, scope) || octets[0] !== 0) return
  const result = parsePasswordResult(octets)
  if (result) outline.add('result', `${result.code}${result.text && `: ${result.text}`}`)
}

function explainInside(value: unknown, outline: Outline, _: unknown, scope: Scope): void {
  scope.explain(value as Uint8Array, outline)
}

/** Explains octets as the first of these types that they are; gives what they hold, undefined when they are none. */
function walkFirst(
  codecs: readonly Codec<unknown>[],
  octets: unknown,
  outline: Outline,
  scope: Scope,
): { readonly value: unknown } | undefined {
  for (const codec of codecs)
    try {
      const value = decode(codec, octets as Uint8Array)
      scope.walk(codec, octets as Uint8Array, outline)
      return { value }
    } catch (error) {
      if (!(error instanceof Asn1Error)) throw error
    }
  return undefined
}
