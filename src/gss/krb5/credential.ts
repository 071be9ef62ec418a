import { equal } from '../../bytes/index.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import { sameAddresses } from '../../krb5/addresses.ts'
import type { Credential, ServiceKey } from '../../krb5/credential.ts'
import type { Acceptor } from '../../krb5/exchanges/accept.ts'
import { OpenedTickets } from '../../krb5/exchanges/opened.ts'
import type { HostAddress } from '../../krb5/messages/basics.ts'
import { formatPrincipal, grantedRealm, type Principal, sameComponents, samePrincipal } from '../../krb5/names.ts'
import { type CredentialElement, Credentials, type Usage } from '../credentials.ts'
import { GssError } from '../error.ts'
import type { Name } from '../name.ts'
import { mechanismOids } from '../oids.ts'
import { InFlight } from './inflight.ts'
import { nameOf } from './names.ts'

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
}

/** What a ticket must have besides its service to be the one that is wanted. */
export interface WantedTicket {
  /** Flags such as `forwarded`. */
  readonly flags?: readonly (Credential['flags'] extends ReadonlySet<infer Flag> ? Flag : never)[]
  /** One of these for the session key. */
  readonly enctypes?: readonly Enctype[] | undefined
  /** The ticket whose session key it is sealed with, for user-to-user; its own service's key unless said. */
  readonly secondTicket?: Uint8Array | undefined
  /** Where it is good from; the addresses of the ticket-granting ticket unless said. */
  readonly addresses?: readonly HostAddress[] | undefined
}

/** What the krb5 mechanism keeps in credentials: tickets of one client to initiate with, keys of services to accept with. */
export class Krb5Credential implements CredentialElement {
  readonly mechanism = mechanismOids.krb5
  readonly usage: Usage
  readonly name: Name | undefined
  readonly client: Principal | undefined
  readonly cache: string | undefined
  /** Present when these are a service's credentials in the client's name. */
  readonly evidence: Credential | undefined
  readonly acceptor: AcceptorParts | undefined
  readonly enctypes: readonly Enctype[] | undefined
  /** Follows the KDC's clock as exchanges learn it. */
  clockOffset: number
  readonly fastAvailable: boolean
  readonly inFlight = new InFlight()
  readonly #startRealm: string | undefined
  readonly #tickets: Credential[]

  constructor({ initiate, accept, enctypes }: Krb5Parts) {
    if (!initiate && !accept) throw new GssError('GSS_S_NO_CRED', 'neither tickets nor keys')
    this.usage = initiate && accept ? 'both' : initiate ? 'initiate' : 'accept'
    this.client = initiate?.client
    this.evidence = initiate?.evidence
    this.enctypes = enctypes
    this.cache = initiate?.cache
    this.clockOffset = initiate?.clockOffset ?? 0
    this.fastAvailable = initiate?.fastAvailable ?? false
    this.#startRealm = initiate?.startRealm ?? initiate?.client.realm
    this.#tickets = [...(initiate?.tickets ?? [])]
    this.acceptor = accept && {
      ...accept,
      opened: accept.opened ?? new OpenedTickets(),
      // the list itself: tickets come and go
      ownTickets: initiate?.userToUser ? this.#tickets : accept.ownTickets,
    }
    const principal = initiate?.client ?? accept?.principal
    this.name = principal && nameOf(principal)
  }

  /** Credentials of these tickets and keys alone. */
  static credentials(parts: Krb5Parts): Credentials {
    return new Credentials([new Krb5Credential(parts)])
  }

  /** Credentials to accept with `keys`; as `principal` alone where that is said. */
  static acceptor(keys: readonly ServiceKey[], principal?: Principal): Credentials {
    return Krb5Credential.credentials({ accept: { keys, principal } })
  }

  get endtime(): number | undefined {
    return this.grantingTicket()?.endtime ?? this.#tickets[0]?.endtime
  }

  /** Every ticket held at the moment. */
  get tickets(): readonly Credential[] {
    return this.#tickets
  }

  /**
   * A ticket for `service` that is good at `now` (seconds since the epoch) and is all that is wanted of it; an empty realm
   * stands for any. Tickets in the names of others, which caches may hold as well, are none of this client's.
   */
  ticket(service: Principal, now: number, wanted: WantedTicket = {}): Credential | undefined {
    const tgt = wanted.addresses ? undefined : this.grantingTicket()
    const from = wanted.addresses ?? tgt?.addresses
    const anywhere = !wanted.addresses && !tgt
    return this.#tickets.find(
      (ticket) =>
        ticket.endtime > now &&
        (service.realm
          ? samePrincipal(ticket.server, service)
          : sameComponents(ticket.server.components, service.components)) &&
        this.#isOwn(ticket) &&
        isWanted(ticket, wanted) &&
        (anywhere || sameAddresses(ticket.addresses, from)),
    )
  }

  /**
   * The ticket-granting ticket of `realm`, where all begins unless said; undefined when there is none. A service that
   * acts in the client's name does so with a ticket-granting ticket of its own.
   */
  grantingTicket(realm = this.#startRealm): Credential | undefined {
    const good = (ticket: Credential) => this.evidence !== undefined || this.#isOwn(ticket)
    return this.#tickets.find((ticket) => grantedRealm(ticket.server) === realm && good(ticket))
  }

  /** Adds a ticket that was bought, in place of one for the same service. */
  keep(credential: Credential): void {
    const known = this.#tickets.findIndex((ticket) => isSameKind(ticket, credential))
    if (known >= 0) this.#tickets.splice(known, 1)
    this.#tickets.push(credential)
  }

  #isOwn({ client }: Credential): boolean {
    return !this.client || samePrincipal(client, this.client)
  }

  toString(): string {
    return `[Krb5Credential ${this.client ? formatPrincipal(this.client) : 'acceptor'}]`
  }

  [Symbol.dispose](): void {
    for (const { key } of this.#tickets.splice(0)) key[Symbol.dispose]()
    for (const { key } of this.acceptor?.keys ?? []) key[Symbol.dispose]()
    this.acceptor?.opened?.[Symbol.dispose]()
  }
}

function isWanted(
  { key, flags: had, secondTicket }: Credential,
  { flags = [], enctypes, ...wanted }: WantedTicket,
): boolean {
  if (enctypes && !enctypes.includes(key.enctype)) return false
  return flags.every((flag) => had.has(flag)) && sameTicket(secondTicket, wanted.secondTicket)
}

/** Whether the one may stand in the place of the other. */
const isSameKind = (a: Credential, b: Credential): boolean =>
  samePrincipal(a.server, b.server) &&
  samePrincipal(a.client, b.client) &&
  a.key.enctype === b.key.enctype &&
  a.flags.has('forwarded') === b.flags.has('forwarded') &&
  a.flags.has('proxy') === b.flags.has('proxy') &&
  sameAddresses(a.addresses, b.addresses) &&
  sameTicket(a.secondTicket, b.secondTicket)

const sameTicket = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : equal(a, b)
