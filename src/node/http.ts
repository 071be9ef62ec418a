/** HTTP Negotiate with the credentials and files that C programs on this machine use. @module */
import {
  type Authorization,
  type AuthorizationOptions,
  type AuthorizationRequest,
  authorization as contractAuthorization,
} from '../http/authorization.ts'
import {
  createNegotiateFetch as contractFetch,
  type NegotiateFetch,
  type NegotiateFetchOptions,
} from '../http/client.ts'
import { KerberosTicket as ContractTicket, type KerberosTicketOptions } from '../http/kerberosticket.ts'
import { createProxyAuth as contractProxyAuth, type OnProxyAuth } from '../http/proxyauth.ts'
import { withDefaults } from './negotiation.ts'

export { initiatorAttributes } from '../gss/krb5/attributes.ts'
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
} from '../http/adapters.ts'
export type {
  Authorization,
  AuthorizationOptions,
  AuthorizationRequest,
  ChannelBindingsSource,
  MutualAuthentication,
} from '../http/authorization.ts'
export type { BasicOptions, CheckedPassword } from '../http/basic.ts'
export { type Challenge, negotiateChallenge, parseChallenges } from '../http/challenge.ts'
export type { NegotiateFetch, NegotiateFetchOptions, NegotiateRequestInit } from '../http/client.ts'
export { ENDED_SESSIONS_MAX, type EndedSessions, MemoryEndedSessions, type SessionRecord } from '../http/ended.ts'
export { MutualAuthenticationError, type NegotiateCode, NegotiateError } from '../http/error.ts'
export type { KerberosTicketOptions } from '../http/kerberosticket.ts'
export { type NegotiateListenerOptions, negotiateListener } from '../http/node.ts'
export type { OpportunisticAuth } from '../http/opportunity.ts'
export type { Origins } from '../http/origins.ts'
export {
  type PassportActions,
  type PassportDone,
  type PassportRequest,
  type PassportStrategy,
  passportNegotiate,
} from '../http/passport.ts'
export type { NegotiatePeer, NegotiateRequest } from '../http/peer.ts'
export type { OnProxyAuth, ProxyAuthRequest } from '../http/proxyauth.ts'
export type { FailureReason } from '../http/reason.ts'
export type {
  Authentication,
  NegotiateAcceptor,
  NegotiateAcceptorOptions,
  NegotiateHeaders,
} from '../http/server.ts'
export { SESSION_KEY_OCTETS, type SessionEvent, type SessionOptions } from '../http/session.ts'
export type { TargetName } from '../http/target.ts'
export { createNegotiateAcceptor, type NodeAcceptorOptions, type NodeBasicOptions } from './acceptor.ts'
export type { RedisClient, RedisOptions } from './redis.ts'
export { RedisEndedSessions } from './redissessions.ts'
export { type TemporaryCcache, type TemporaryCcacheOptions, temporaryCcache } from './temporaryccache.ts'

/** A `fetch` that answers Negotiate challenges, by default with the tickets of the environment's ccache. */
export function createNegotiateFetch(options: Partial<NegotiateFetchOptions> = {}): NegotiateFetch {
  return contractFetch(withDefaults(options, 'initiate'))
}

/** Begins a context with the service at `url`, by default with the tickets of the environment's ccache, and makes its first token. */
export async function authorization(
  url: string | URL,
  options: Partial<AuthorizationOptions> & AuthorizationRequest = {},
): Promise<Authorization> {
  return contractAuthorization(url, withDefaults(options, 'initiate'))
}

/** `onProxyAuth` for the agents of https-proxy-agent and http-proxy-agent, by default with the tickets of the environment's ccache. */
export function createProxyAuth(proxy: string | URL, options: Partial<AuthorizationOptions> = {}): OnProxyAuth {
  return contractProxyAuth(proxy, withDefaults(options, 'initiate'))
}

/** The proof of who sends one request, by default with the tickets of the environment's ccache: `authHeader`, `verifyResponse`. */
export class KerberosTicket extends ContractTicket {
  /** For a `service` as `HTTP@www.example.com`. Throws TypeError for one without a host. */
  constructor(service: string, options: Partial<KerberosTicketOptions> = {}) {
    super(service, withDefaults(options, 'initiate'))
  }
}
