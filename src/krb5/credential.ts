import type { Key } from '../crypto/key.ts'
import type { AuthorizationData, HostAddress, TicketFlags } from './messages/basics.ts'
import type { Principal } from './names.ts'

/** A ticket with the session key needed to use it (RFC 4120 §1.7, "credentials"). Times are seconds since the epoch. */
export interface Credential {
  readonly client: Principal
  /** As the KDC named it, which may differ from what was asked for. */
  readonly server: Principal
  readonly key: Key
  /** DER of the Ticket, to be sent as it is. */
  readonly ticket: Uint8Array
  readonly flags: TicketFlags
  readonly authtime: number
  readonly starttime: number
  readonly endtime: number
  readonly renewTill?: number | undefined
  readonly addresses?: readonly HostAddress[] | undefined
  readonly authorizationData?: AuthorizationData | undefined
  /** The ticket whose session key sealed this one (RFC 4120 §2.9.2, user-to-user); undefined for all others. */
  readonly secondTicket?: Uint8Array | undefined
}

/** One of a service's long-term keys, as a keytab has it. */
export interface ServiceKey {
  readonly principal: Principal
  readonly kvno: number
  readonly key: Key
}
