/** What a GSS-Proxy server serves: keys and tickets behind a contract that knows no protocol. @module */
import type { Credentials, Usage } from '../gss/credentials.ts'
import type { GssFlag } from '../gss/flags.ts'
import type { BoundMechanism, EstablishedContext } from '../gss/mechanism.ts'
import type { Name } from '../gss/name.ts'

/** Credentials that a service may use. */
export interface Acquired {
  readonly credentials: Credentials
  /** Who they say they are: for an acceptor with several names, the one to show. */
  readonly name: Name
}

/** A user of this machine, by numbers. */
export interface UnixUser {
  readonly uid: number
  readonly gid: number
  /** Besides `gid`. */
  readonly groups: readonly number[]
}

/** Whom a client of the daemon may be, and by which mechanism: one entry of gssproxy.conf. */
export interface ProxyService {
  readonly name: string
  /** krb5, with contexts that C programs import. */
  readonly mechanism: BoundMechanism
  readonly usage: Usage
  /** Seconds that credentials must still have for a client to keep them. */
  readonly minLifetime: number
  /** What initiators do not get even when they ask. */
  readonly filterFlags: readonly GssFlag[]
  /** What initiators ask for whether they want to or not. */
  readonly enforceFlags: readonly GssFlag[]
  /** Whether clients may have credentials in the names of users who are not there (S4U2Self). */
  readonly protocolTransition: boolean
  /** Whether clients may initiate with those (S4U2Proxy). */
  readonly constrainedDelegation: boolean
  /** Whether clients may have the tickets that are bought with their handles, sealed into those. */
  readonly clientSync: boolean
  /** Credentials out of the service's store; they are the caller's to dispose of. Throws GssError. */
  acquire(usage: Usage, name: Name | undefined): Promise<Acquired>
  /** Credentials of the service `name`, or the only one there is, in a user's name; they are the caller's to dispose of. Throws GssError. */
  impersonate(user: Name, name: Name | undefined): Promise<Acquired>
  /** Tickets and their keys as octets, to be sealed and wiped. Throws GssError where there are none. */
  pack(credentials: Credentials): Uint8Array
  /** What was packed; it is the caller's to dispose of. */
  unpack(octets: Uint8Array): Acquired
  /** The user of this machine that a name stands for; undefined for none. Throws GssError. */
  localName(name: Name): string | undefined
  /** The same with its numbers; undefined for none. Throws GssError. */
  unixUser(name: Name): UnixUser | undefined
  /** The context as Linux's kernel takes it (`linux_lucid_v1`), its key included. Throws GssError. */
  lucid(context: EstablishedContext): Uint8Array
  /** The mechanism's number for a reason that it gives in {@link GssError.minor}; 0 for none. */
  minorOf(reason: string | undefined): number
}

/** Seals what clients keep for the daemon, so that nobody else can read it, change it or make it up. */
export interface Vault {
  seal(plaintext: Uint8Array, purpose: string): Uint8Array
  /** What was sealed for this purpose; undefined for anything else. */
  open(sealed: Uint8Array, purpose: string): Uint8Array | undefined
}
