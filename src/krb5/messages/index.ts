/** Every message of RFC 4120 as a schema: a codec and a type of one name. @module */

export { ApRep, ApReq, Authenticator, EncApRepPart } from './ap.ts'
export {
  ApOptions,
  AuthorizationData,
  Checksum,
  EncryptedData,
  EncryptionKey,
  HostAddress,
  HostAddresses,
  KdcOptions,
  KerberosTime,
  MethodData,
  PaData,
  PrincipalName,
  Realm,
  TicketFlags,
} from './basics.ts'
export { AdAuthenticationIndicator, AdCammac, VerifierMac } from './cammac.ts'
export { addressTypes, adTypes, lastReqTypes, messageTypes, type NameType, nameTypes, paTypes, transitedTypes } from './codes.ts'
export { KrbErrorMessage, TypedData } from './error.ts'
export { EtypeList } from './etypes.ts'
export { IakerbFinished, IakerbHeader } from './iakerb.ts'
export {
  AsAnswer,
  AsRep,
  AsReq,
  EncAsRepPart,
  type EncKdcRepPart,
  EncTgsRepPart,
  type KdcRep,
  type KdcReq,
  KdcReqBody,
  LastReq,
  TgsAnswer,
  TgsRep,
  TgsReq,
} from './kdc.ts'
export { KdcProxyMessage } from './kkdcp.ts'
export { PaPacOptions, PaPacRequest } from './pac.ts'
export { ChangePasswdData } from './password.ts'
export { EtypeInfo, EtypeInfo2, PaEncTsEnc } from './preauth.ts'
export { EncKrbCredPart, EncKrbPrivPart, KrbCred, KrbCredInfo, KrbPriv, KrbSafe, KrbSafeBody } from './session.ts'
export { EncTicketPart, Ticket, TransitedEncoding } from './ticket.ts'
