/** HTTP Negotiate (RFC 4559): a `fetch` that answers challenges, and the server's side for any framework. @module */
export {
  type ExpressRequest,
  expressNegotiate,
  type FastifyReply,
  type FastifyRequest,
  fastifyNegotiate,
  type HonoContext,
  honoNegotiate,
  type KoaContext,
  koaNegotiate,
  type Negotiated,
  webNegotiate,
} from './adapters.ts'
export {
  type Authorization,
  type AuthorizationOptions,
  type AuthorizationRequest,
  authorization,
  type ChannelBindingsSource,
  type MutualAuthentication,
} from './authorization.ts'
export { type BasicOptions, type CheckedPassword, PASSWORD_PAUSE, WRONG_PASSWORDS_MAX } from './basic.ts'
export { type Challenge, FIELD_LENGTH_MAX, negotiateChallenge, parseChallenges } from './challenge.ts'
export {
  createNegotiateFetch,
  type NegotiateFetch,
  type NegotiateFetchOptions,
  type NegotiateRequestInit,
} from './client.ts'
export { ENDED_SESSIONS_MAX, type EndedSessions, MemoryEndedSessions, type SessionRecord } from './ended.ts'
export { MutualAuthenticationError, type NegotiateCode, NegotiateError } from './error.ts'
export { KerberosTicket, type KerberosTicketOptions } from './kerberosticket.ts'
export {
  type ListenerRequest,
  type ListenerResponse,
  type NegotiateListenerOptions,
  negotiateListener,
} from './node.ts'
export type { OpportunisticAuth } from './opportunity.ts'
export type { Origins } from './origins.ts'
export {
  type PassportActions,
  type PassportDone,
  type PassportRequest,
  type PassportStrategy,
  passportNegotiate,
} from './passport.ts'
export type { NegotiatePeer, NegotiateRequest } from './peer.ts'
export { PENDING_MAX, PENDING_SECONDS } from './pending.ts'
export { createProxyAuth, type OnProxyAuth, type ProxyAuthRequest } from './proxyauth.ts'
export type { FailureReason } from './reason.ts'
export { REDIRECTS_MAX } from './redirect.ts'
export { REPLAY_OCTETS_MAX } from './request.ts'
export {
  type Authentication,
  createNegotiateAcceptor,
  type NegotiateAcceptor,
  type NegotiateAcceptorOptions,
  type NegotiateHeaders,
} from './server.ts'
export { SESSION_KEY_OCTETS, type SessionEvent, type SessionOptions } from './session.ts'
export type { TargetName } from './target.ts'
