/**
 * What a KDC knows of tickets that clients show again and again. Only what follows from a ticket's octets and from keys is
 * kept; time, addresses, policy and the accounts of the moment are looked at with every request.
 * @module
 */
import type { Key } from '../crypto/key.ts'
import { OpenedTickets } from '../krb5/exchanges/opened.ts'
import type { AuthorizationData } from '../krb5/messages/basics.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import type { Pac, PacBuffer } from '../krb5/pac/pac.ts'
import type { PacForm } from '../krb5/pac/sign.ts'
import { Answered } from './answered.ts'

/** What was concluded from tickets; each is forgotten with its ticket. */
class Conclusions<T> {
  readonly #known = new WeakMap<EncTicketPart, { readonly keys: readonly Key[]; readonly value: T }>()

  /** What `conclude` makes of a ticket with these keys, once as long as the keys are the same. Throws what it throws. */
  about(ticket: EncTicketPart, keys: readonly Key[], conclude: () => T): T {
    const known = this.#known.get(ticket)
    if (known && sameKeys(known.keys, keys)) return known.value
    const value = conclude()
    this.#known.set(ticket, { keys, value })
    return value
  }
}

const sameKeys = (some: readonly Key[], others: readonly Key[]): boolean =>
  some.length === others.length && some.every((key, i) => key === others[i])

/** The memory of one KDC. Disposing of it wipes the session keys in it. */
export class Remembered implements Disposable {
  /** Tickets by their octets, with the key that opened them. */
  readonly tickets: OpenedTickets<Key>
  /** Requests that bought tickets. */
  readonly answered = new Answered()
  /** PACs that were verified: those of ticket-granting tickets, of which less is asked, apart from all others. */
  readonly pacs = { granting: new Conclusions<Pac | undefined>(), other: new Conclusions<Pac | undefined>() }
  /** Laid out for a new ticket, by what is in it: the one that was made last. */
  readonly forms = new WeakMap<readonly PacBuffer[], PacForm>()
  /** Authentication indicators whose signature was verified. */
  readonly indicators = new Conclusions<readonly string[]>()
  /** Authorization data that tickets hand on as they are. */
  readonly inherited = new Conclusions<AuthorizationData>()

  constructor() {
    this.tickets = new OpenedTickets()
  }

  [Symbol.dispose](): void {
    this.tickets[Symbol.dispose]()
  }
}
