import type { Credentials, InitiatorAttributes, Name, SecurityContext } from '../gss/index.ts'
import type { SessionRecord } from './ended.ts'

/** What of a request is judged; the adapters fill it in. */
export interface NegotiateRequest {
  /** The Authorization field. */
  readonly authorization?: string | undefined
  /** The Cookie field, which sessions are in. */
  readonly cookie?: string | undefined
  /** The Host field: a session is good at the one it began at. */
  readonly host?: string | undefined
  /** Whether it came over TLS, at least as far as a proxy that is trusted; false unless said. */
  readonly secure?: boolean | undefined
  /** Whether Negotiate is offered to this client; true unless said, and where there is nothing else to offer. */
  readonly offerNegotiate?: boolean | undefined
  /** Any object that lives as long as the connection does: contexts of several legs are kept by it, and refused without one. */
  readonly connection?: object | undefined
}

/** Who sent a request. Disposing of it wipes the keys of its context and its credentials. */
export interface NegotiatePeer extends Disposable {
  readonly initiator: Name
  /** What says so: a token of this request, its password, its cookie, or what came over its connection before. */
  readonly by: 'negotiate' | 'basic' | 'session' | 'connection'
  /** When that is over, in seconds since the epoch. */
  readonly endtime: number
  /** Undefined for everything but a token of this request. */
  readonly context: SecurityContext | undefined
  /** Who that is on this machine; undefined unless the acceptor has `localName`. */
  readonly localName: string | undefined
  /** What the KDC vouches for besides the name; undefined where the ticket says nothing. */
  readonly attributes: InitiatorAttributes | undefined
  /** To reach other services in this one's name: delegated ones, or a password's. Undefined for sessions. */
  readonly credentials: Credentials | undefined
}

/** What was found out of somebody, before it is a {@link NegotiatePeer}. */
export type FoundPeer = Pick<NegotiatePeer, 'initiator' | 'by' | 'endtime'> &
  Partial<Pick<NegotiatePeer, 'context' | 'credentials' | 'attributes'>> & {
    /** The session that this one resumed, or began. */
    readonly session?: SessionRecord | undefined
    /** Reads them, where they are not known yet. */
    readonly read?: (() => InitiatorAttributes | undefined) | undefined
  }

/** The peer of what was found. The attributes of a context are read when somebody asks for them. */
export function peerOf(found: FoundPeer, localName: string | undefined): NegotiatePeer {
  const { context, credentials } = found
  let { attributes } = found
  return {
    initiator: found.initiator,
    by: found.by,
    endtime: found.endtime,
    context,
    localName,
    credentials,
    get attributes() {
      attributes ??= found.read?.()
      return attributes
    },
    [Symbol.dispose]() {
      context?.[Symbol.dispose]()
      credentials?.[Symbol.dispose]()
    },
  }
}
