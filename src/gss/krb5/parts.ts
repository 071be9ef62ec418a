/** What krb5's element of credentials is made of. @module */
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Credential } from '../../krb5/credential.ts'
import type { Acceptor } from '../../krb5/exchanges/accept.ts'
import type { Principal } from '../../krb5/names.ts'

/** What an initiator holds: a client's tickets. */
export interface InitiatorParts {
  readonly client: Principal
  readonly tickets: readonly Credential[]
  /** The KDC's clock less ours, in microseconds. */
  readonly clockOffset?: number | undefined
  /** In whose name the tickets are got: the service's own ticket of the client, by which the KDC allows it (S4U2Proxy). */
  readonly evidence?: Credential | undefined
  /** Where tickets bought on the way are kept, as `FILE:path`; only in memory unless said. */
  readonly cache?: string | undefined
  /** The realm whose ticket-granting ticket is the first one; the client's unless said, as for an anonymous one. */
  readonly startRealm?: string | undefined
  /** Whether user-to-user tickets are accepted as well, by the session keys of these tickets (RFC 4120 §2.9.2). */
  readonly userToUser?: boolean | undefined
  /** The peer's own ticket-granting ticket (DER): contexts are with that user then, who needs no keytab (RFC 4120 §2.9.2). */
  readonly peerTicket?: Uint8Array | undefined
  /** Whether that realm's KDCs speak FAST: tickets are bought through it then, where they answer in it. */
  readonly fastAvailable?: boolean | undefined
}

/** What an acceptor holds: keys of services, and where they came from. */
export interface AcceptorParts extends Acceptor {
  /** The name of the keytab that they are in, where they are in one: `FILE:path`. */
  readonly keytab?: string | undefined
}

/** What credentials are made of. */
export interface Krb5Parts {
  readonly initiate?: InitiatorParts | undefined
  readonly accept?: AcceptorParts | undefined
  /** The only enctypes that contexts use, best first; all that the environment allows unless said. */
  readonly enctypes?: readonly Enctype[] | undefined
  /** Whether contexts have confidentiality and integrity only where they are asked for; false unless said. */
  readonly noCiFlags?: boolean | undefined
}
