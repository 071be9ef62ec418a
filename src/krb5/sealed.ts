import { type Codec, decode, decodePrefix, withEncoding } from '../asn1/codec.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { IntegrityError } from '../crypto/error.ts'
import type { Key } from '../crypto/key.ts'
import type { Env } from './env.ts'
import type { KrbErrorCode } from './errorcodes.ts'
import { KrbError } from './errors.ts'
import { Authenticator, EncApRepPart } from './messages/ap.ts'
import { AuthorizationData, type EncryptedData, EncryptionKey } from './messages/basics.ts'
import { KrbFastReq, KrbFastResponse } from './messages/fast.ts'
import { EncAsRepPart, EncTgsRepPart } from './messages/kdc.ts'
import { PaOtpEncRequest } from './messages/otp.ts'
import { PaEncTsEnc } from './messages/preauth.ts'
import { EncKrbCredPart, EncKrbPrivPart } from './messages/session.ts'
import { SpakeSecondFactor } from './messages/spake.ts'
import { EncTicketPart } from './messages/ticket.ts'
import { keyUsages } from './usages.ts'

/** A structure that only ever travels encrypted, with the key usage it travels under. */
export interface Sealed<T> {
  readonly usage: number
  /** What is inside. */
  readonly codec: Codec<T>
  /** Encrypts `value`; `kvno` names the version of a long-term key (RFC 4120 §5.2.9). */
  seal(key: Key, value: T, env: Pick<Env, 'random'>, kvno?: number): EncryptedData
  /**
   * Decrypts and decodes. Throws KrbError, by default KRB_AP_ERR_MODIFIED, when the key is not the one it was sealed
   * with, and Asn1Error when the plaintext is not a T.
   */
  open(key: Key, data: EncryptedData, refusal?: KrbErrorCode): T
}

function sealed<T>(usage: number, codec: Codec<T>): Sealed<T> {
  return {
    usage,
    codec,
    seal: (key, value, { random }, kvno) => ({
      etype: key.enctype.id,
      kvno,
      cipher: withEncoding(codec, value, (plaintext) => key.encrypt(usage, plaintext, random)),
    }),
    open(key, { etype, cipher }, refusal = 'KRB_AP_ERR_MODIFIED') {
      if (etype !== key.enctype.id)
        throw new KrbError(
          refusal,
          `${codec.name} is sealed with ${enctypeName(etype)}, the key at hand is ${key.enctype.name}`,
        )
      let plaintext: Uint8Array
      try {
        plaintext = key.decrypt(usage, cipher)
      } catch (cause) {
        if (!(cause instanceof IntegrityError)) throw cause
        throw new KrbError(refusal, `${codec.name} does not open with this ${key.enctype.name} key`, { cause })
      }
      return decodePadded(codec, plaintext, key.enctype.padding)
    },
  }
}

/** Enctypes that fill their last block leave what they filled it with behind the value (RFC 3961 §5.3). */
function decodePadded<T>(codec: Codec<T>, plaintext: Uint8Array, block: number): T {
  const { value, rest } = decodePrefix(codec, plaintext)
  return rest.length < block ? value : decode(codec, plaintext)
}

/** RFC 4120 §5.2.7.2 */
export const sealedTimestamp = sealed(keyUsages.paEncTimestamp, PaEncTsEnc)
/** The KDC's contribution to the session key, PA-PKINIT-KX (RFC 8062 §7) */
export const sealedContribution = sealed(keyUsages.paPkinitKx, EncryptionKey)
/** RFC 4120 §5.3 */
export const sealedTicket = sealed(keyUsages.ticket, EncTicketPart)
/** RFC 4120 §5.4.2 */
export const sealedAsRep = sealed(keyUsages.asRep, EncAsRepPart)
/** RFC 4120 §5.4.1, under the session key of the ticket-granting ticket. */
export const sealedAuthDataSession = sealed(keyUsages.tgsReqAuthDataSession, AuthorizationData)
/** RFC 4120 §5.4.1, under the subkey of the TGS-REQ's authenticator. */
export const sealedAuthDataSubkey = sealed(keyUsages.tgsReqAuthDataSubkey, AuthorizationData)
/** RFC 4120 §5.4.2, under the session key of the ticket-granting ticket. */
export const sealedTgsRepSession = sealed(keyUsages.tgsRepSession, EncTgsRepPart)
/** RFC 4120 §5.4.2, under the subkey of the TGS-REQ's authenticator. */
export const sealedTgsRepSubkey = sealed(keyUsages.tgsRepSubkey, EncTgsRepPart)
/** RFC 4120 §5.5.1, the authenticator inside a TGS-REQ. */
export const sealedTgsAuthenticator = sealed(keyUsages.tgsReqAuthenticator, Authenticator)
/** RFC 4120 §5.5.1 */
export const sealedAuthenticator = sealed(keyUsages.apReqAuthenticator, Authenticator)
/** RFC 4120 §5.5.2 */
export const sealedApRep = sealed(keyUsages.apRep, EncApRepPart)
/** RFC 4120 §5.7.1 */
export const sealedPriv = sealed(keyUsages.priv, EncKrbPrivPart)
/** RFC 4120 §5.8.1 */
export const sealedCred = sealed(keyUsages.cred, EncKrbCredPart)
/** RFC 6113 §5.4.2, under the armor key. */
export const sealedFastReq = sealed(keyUsages.fastReq, KrbFastReq)
/** RFC 6113 §5.4.3, under the armor key. */
export const sealedFastResponse = sealed(keyUsages.fastRep, KrbFastResponse)
/** RFC 6113 §5.4.6, under the client's challenge key. */
export const sealedClientChallenge = sealed(keyUsages.encChallengeClient, PaEncTsEnc)
/** RFC 6113 §5.4.6, under the KDC's challenge key. */
export const sealedKdcChallenge = sealed(keyUsages.encChallengeKdc, PaEncTsEnc)
/** RFC 9588 §4.3, under K'[1] and later keys. */
export const sealedSpakeFactor = sealed(keyUsages.spake, SpakeSecondFactor)
/** RFC 6560 §4.2, under the armor key. */
export const sealedOtpRequest = sealed(keyUsages.otpRequest, PaOtpEncRequest)
