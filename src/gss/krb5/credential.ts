import { equal } from '../../bytes/index.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import { sameAddresses } from '../../krb5/addresses.ts'
import type { Credential, ServiceKey } from '../../krb5/credential.ts'
import { OpenedTickets } from '../../krb5/exchanges/opened.ts'
import type { HostAddress } from '../../krb5/messages/basics.ts'
import { formatPrincipal, grantedRealm, type Principal, sameComponents, samePrincipal } from '../../krb5/names.ts'
import { type CredentialElement, Credentials, type Usage } from '../credentials.ts'
import { GssError } from '../error.ts'
import type { Name } from '../name.ts'
import { mechanismOids } from '../oids.ts'
import { cacheEntries } from './cachedtickets.ts'
import { formatCredential } from './exportedcredential.ts'
import { InFlight } from './inflight.ts'
import { nameOf } from './names.ts'
import type { AcceptorParts, Krb5Parts } from './parts.ts'

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
  readonly noCiFlags: boolean
  /** Follows the KDC's clock as exchanges learn it. */
  clockOffset: number
  readonly fastAvailable: boolean
  readonly peerTicket: Uint8Array | undefined
  readonly inFlight = new InFlight()
  readonly startRealm: string | undefined
  readonly #tickets: Credential[]

  constructor({ initiate, accept, enctypes, noCiFlags = false }: Krb5Parts) {
    if (!initiate && !accept) throw new GssError('GSS_S_NO_CRED', 'neither tickets nor keys')
    this.usage = initiate && accept ? 'both' : initiate ? 'initiate' : 'accept'
    this.client = initiate?.client
    this.evidence = initiate?.evidence
    this.enctypes = enctypes
    this.noCiFlags = noCiFlags
    this.cache = initiate?.cache
    this.clockOffset = initiate?.clockOffset ?? 0
    this.fastAvailable = initiate?.fastAvailable ?? false
    this.peerTicket = initiate?.peerTicket
    this.startRealm = initiate?.startRealm ?? initiate?.client.realm
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
  grantingTicket(realm = this.startRealm): Credential | undefined {
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

  /**
   * The element as MIT's library exports it: tickets of this process go along, keys and tickets of files stay where they
   * are, and are named. Throws {@link GssError} GSS_S_UNAVAILABLE for keys that are in no keytab.
   */
  export(): Uint8Array {
    const { client, cache, acceptor, evidence, startRealm, fastAvailable } = this
    const tickets = this.#tickets
    if (acceptor && acceptor.keytab === undefined)
      throw new GssError('GSS_S_UNAVAILABLE', 'only keys of a keytab that has a name can be exported')
    const isNamed = cache !== undefined && !cache.startsWith('MEMORY:')
    const entries = client && !isNamed ? cacheEntries({ client, tickets, evidence, startRealm, fastAvailable }) : []
    try {
      return formatCredential({
        usage: this.usage,
        name: client ?? acceptor?.principal,
        impersonator: evidence?.server,
        iakerb: false,
        keytab: acceptor?.keytab,
        rcache: acceptor?.replayCache,
        ccache: client && (isNamed ? cache : { client, entries }),
        hasTicketGrantingTicket: this.grantingTicket() !== undefined,
        endtime: this.endtime ?? 0,
        refreshTime: 0,
        enctypes: this.enctypes?.map(({ id }) => id),
      })
    } finally {
      for (const { key } of entries) key[Symbol.dispose]()
    }
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
