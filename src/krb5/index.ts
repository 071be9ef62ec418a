/** The Kerberos 5 protocol (RFC 4120): names, errors, exchanges. @module */
export { authenticationIndicators, type CammacKeys, verifiedAuthorizationData } from './cammac.ts'
export type { Credential, ServiceKey } from './credential.ts'
export { CLOCK_SKEW, type Env } from './env.ts'
export { errorCodes, type KrbErrorCode } from './errorcodes.ts'
export { type Attempt, KrbError, type KrbErrorDetails, TransportError } from './errors.ts'
export { type Accepted, type Acceptor, acceptAp } from './exchanges/accept.ts'
export {
  type ApInitiator,
  type ApReply,
  type ApRequest,
  initiateAp,
  makeApReply,
  verifyApReply,
} from './exchanges/ap.ts'
export { type AsRequest, type AsResult, asExchange } from './exchanges/as.ts'
export { type CredReader, type CredSender, makeCred, readCred } from './exchanges/cred.ts'
export type { Armor, FastPolicy } from './exchanges/fast.ts'
export { changeTicket, type LoginRequest, loginExchange } from './exchanges/login.ts'
export { changePassword, type PasswordChange, passwordService } from './exchanges/password.ts'
export { retryAtPrimary } from './exchanges/primary.ts'
export { makePriv, readPriv } from './exchanges/priv.ts'
export { type ProxyRequest, type SelfRequest, s4u2proxy, s4u2self } from './exchanges/s4u.ts'
export { makeSafe, readSafe } from './exchanges/safe.ts'
export type { SessionMessage, SessionReader, SessionSender } from './exchanges/session.ts'
export { type TgsRequest, type TgsResult, tgsExchange, ticketAgain } from './exchanges/tgs.ts'
export { type Verification, verifyInitial } from './exchanges/verify.ts'
export { adTypes, nameTypes, paTypes } from './messages/codes.ts'
export {
  formatPrincipal,
  grantedRealm,
  hostService,
  type Principal,
  parsePrincipal,
  samePrincipal,
  ticketGrantingService,
} from './names.ts'
export type { DomainPasswordPolicy, PasswordResult } from './passwordresult.ts'
export { encryptedChallenge } from './preauth/challenge/client.ts'
export { encryptedChallengeKdc } from './preauth/challenge/kdc.ts'
export type { KdcPreauth, KdcPreauthState, KdcRound, Verdict } from './preauth/kdc.ts'
export { defaultPreauth } from './preauth/list.ts'
export type { LoginState, Preauth, PreauthRun } from './preauth/mechanism.ts'
export { otp } from './preauth/otp/client.ts'
export { type OtpTokens, otpKdc } from './preauth/otp/kdc.ts'
export { spake } from './preauth/spake/client.ts'
export { type SpakeGroup, spakeGroups } from './preauth/spake/groups.ts'
export { type SpakeKdcOptions, spakeKdc } from './preauth/spake/kdc.ts'
export { encryptedTimestamp } from './preauth/timestamp/client.ts'
export { encryptedTimestampKdc } from './preauth/timestamp/kdc.ts'
export { openEnvelope, PROXY_MEDIA_TYPE, sealEnvelope } from './proxy.ts'
export type { KrbExchange, KrbQuestions, Prompt, RealmService, ReplayRecord } from './questions.ts'
export { MemoryReplayCache } from './replay.ts'
export { type KeyHint, keysSecret, type LongTermSecret, passwordSecret } from './secret.ts'
export { formatTraceEvent, type TraceEvent } from './trace.ts'
