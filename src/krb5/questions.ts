import { answered, ask, type Exchange } from '../effects/index.ts'
import type { Credential } from './credential.ts'
import type { Principal } from './names.ts'

/** Every question that a Kerberos exchange may put to the world. */
export interface KrbQuestions {
  /**
   * Deliver one message to a KDC of `realm`, or to the service of it that is named; the answer is its reply without stream framing,
   * and who gave it. Throws TransportError.
   */
  send: {
    readonly ask: { readonly realm: string; readonly message: Uint8Array; readonly service?: RealmService | undefined }
    readonly answer: { readonly message: Uint8Array; readonly kdc: string }
  }
  /** Have the user supply a secret. */
  prompt: { readonly ask: Prompt; readonly answer: string }
  /**
   * Whether the authenticator was seen before; it counts as seen from now on (RFC 4120 §3.2.3). `cache` names where that is
   * remembered, as KRB5RCACHENAME does; the world's own memory unless said.
   */
  replay: { readonly ask: ReplayRecord & { readonly cache?: string | undefined }; readonly answer: boolean }
  /** Do what takes promises, such as to sign with a smart card; `what` names it for people and transcripts. */
  compute: { readonly ask: { readonly what: string; readonly work: () => Promise<unknown> }; readonly answer: unknown }
  /** Keep a ticket that was bought in the cache of this name, as `FILE:path`, if it is still its owner's. */
  keep: { readonly ask: KeptTicket; readonly answer: unknown }
}

/**
 * A realm's services that exchanges send to: whichever KDC, unless said; the primary KDC, which knows a changed password at
 * once; what changes passwords (RFC 3244).
 */
export type RealmService = 'kdc' | 'primary' | 'kpasswd'

/** A ticket to be kept. */
export interface KeptTicket {
  readonly cache: string
  readonly credential: Credential
  /** Whose cache it is; the ticket's client unless said, as for a ticket in the name of a user. */
  readonly owner?: Principal | undefined
}

/** What a user is asked for. */
export interface Prompt {
  readonly kind: 'password' | 'newPassword' | 'otp' | 'pin' | 'certificatePin'
  /** To show before what is typed. */
  readonly text: string
}

/** What makes an authenticator unique (RFC 4120 §3.2.3). */
export interface ReplayRecord {
  readonly client: string
  /** As which name it was accepted, for people: the ticket names it in the clear, so that it makes no message another one. */
  readonly server: string
  /** Microseconds since the epoch, by the client's clock. */
  readonly time: number
  /** The integrity tag of the encrypted authenticator: equal only for the very same message. */
  readonly tag: Uint8Array
  /** Microseconds since the epoch by the acceptor's clock. */
  readonly now: number
}

/** A run of the protocol that may ask {@link KrbQuestions}; throws KrbError when it is refused. */
export type KrbExchange<T> = Exchange<KrbQuestions, T>

/** Puts one of {@link KrbQuestions}. */
export const askKrb = <K extends keyof KrbQuestions>(
  kind: K,
  question: KrbQuestions[K]['ask'],
): KrbExchange<KrbQuestions[K]['answer']> => ask<KrbQuestions, K>(kind, question)

/** What `work` resolves to; it may reject with any error, which comes out here. */
export function* computed<T>(what: string, work: () => Promise<T>): KrbExchange<T> {
  return (yield* askKrb('compute', { what, work })) as T
}

export { answered }
