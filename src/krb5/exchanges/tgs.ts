/** The TGS exchange (RFC 4120 §3.3): tickets, and the way to other realms. @module */
import type { Credential } from '../credential.ts'
import type { Env } from '../env.ts'
import { KrbError } from '../errors.ts'
import { formatPrincipal, grantedRealm, type Principal, sameComponents, ticketGrantingService } from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import { realmPath } from '../transited.ts'
import { type Bought, requestTicket, type TicketRequest } from './tgsrequest.ts'

/** Realms that a request for one ticket may lead through. */
const MAX_REFERRALS = 10

/** What the caller wants of the TGS exchange (RFC 4120 §3.3). */
export interface TgsRequest extends Omit<TicketRequest, 'canonicalize' | 'clockOffset' | 'extension'> {
  /** The ticket-granting ticket of the client's own realm, or of one on the way. */
  readonly tgt: Credential
  /** With an empty realm, the KDCs say where the service lives (RFC 6806 §8). */
  readonly service: Principal
  /** The KDC's clock less ours, in microseconds, as the login learnt it. */
  readonly clockOffset?: number | undefined
}

/** What the exchange gives: the ticket, and those for the realms on the way to it. */
export interface TgsResult {
  readonly credential: Credential
  readonly path: readonly Credential[]
  readonly clockOffset: number
}

/**
 * Buys a ticket for `service`: first those for the realms on the way to its realm, by [capaths] or by the realms' names,
 * then itself; referrals are followed from realm to realm (RFC 4120 §3.3, RFC 6806 §8). Throws KrbError, REFERRAL_LOOP when
 * the realms lead in circles.
 */
export function* tgsExchange(request: TgsRequest, env: Env): KrbExchange<TgsResult> {
  const { service } = request
  const journey = new Journey(request)
  if (service.realm !== '') yield* journey.travel(service.realm, request, env)
  const canonicalize = service.realm === '' || new Set(request.options).has('canonicalize')
  for (;;) {
    const { realm } = journey
    const bought = yield* journey.buy({ ...request, service: { ...service, realm }, canonicalize }, env)
    const { server } = bought.credential
    if (!isReferral(server, realm) || sameComponents(server.components, service.components))
      return { credential: bought.credential, path: journey.path, clockOffset: journey.clockOffset }
    journey.enter(bought.credential, service, env)
  }
}

/**
 * Sends a ticket back to the KDC that issued it, to be given a longer life (RFC 4120 §2.3), or to become valid now that its
 * time has come (§2.4). Throws KrbError, KDC_ERR_BADOPTION for a ticket that is not renewable or needs no validation.
 */
export function* ticketAgain(
  how: 'renew' | 'validate',
  { tgt: ticket, clockOffset = 0, fast }: Pick<TgsRequest, 'tgt' | 'clockOffset' | 'fast'>,
  env: Env,
): KrbExchange<Omit<TgsResult, 'path'>> {
  const { server } = ticket
  const asked = { tgt: ticket, service: server, options: [how], clockOffset, fast, canonicalize: false } as const
  return yield* requestTicket(asked, env)
}

/** Whether a KDC of `realm` sent a ticket for the KDC of another one. */
export function isReferral(server: Principal, realm: string): boolean {
  const next = grantedRealm(server)
  return next !== undefined && next !== realm
}

/** A way from realm to realm, none of them twice. */
export class Journey {
  tgt: Credential
  clockOffset: number
  /** Where we are: the realm whose KDC takes the ticket at hand. */
  realm: string
  readonly path: Credential[] = []
  readonly #start: string
  #visited: Set<string>

  /** Throws KrbError NO_TICKET when the ticket to begin with grants none. */
  constructor({ tgt, clockOffset = 0 }: Pick<TgsRequest, 'tgt' | 'clockOffset'>) {
    this.tgt = tgt
    this.clockOffset = clockOffset
    const realm = grantedRealm(tgt.server)
    if (realm === undefined) throw new KrbError('NO_TICKET', `${formatPrincipal(tgt.server)} grants no tickets`)
    this.realm = realm
    this.#start = realm
    this.#visited = new Set([realm])
  }

  /** A ticket from the KDC of the realm where we are. Throws KrbError. */
  *buy(request: Omit<TicketRequest, 'tgt' | 'clockOffset'>, env: Env): KrbExchange<Bought> {
    const bought = yield* requestTicket({ ...request, tgt: this.tgt, clockOffset: this.clockOffset }, env)
    this.clockOffset = bought.clockOffset
    return bought
  }

  /** Goes on to the realm that `tgt` is for. Throws KrbError REFERRAL_LOOP for one that we were in, and for too many. */
  enter(tgt: Credential, service: Principal, env: Env): void {
    const realm = grantedRealm(tgt.server)!
    if (this.#visited.has(realm) || this.#visited.size > MAX_REFERRALS)
      throw new KrbError('REFERRAL_LOOP', `no end to the way from ${this.#start} to ${formatPrincipal(service)}`, {
        step: 'TGS-REQ',
      })
    env.trace?.({ kind: 'referral', realm, server: formatPrincipal(service) })
    this.#visited.add(realm)
    this.path.push(tgt)
    this.tgt = tgt
    this.realm = realm
  }

  /** Lets us go back once through the realms that we came by. */
  turnBack(): void {
    this.#visited = new Set([this.realm])
  }

  /** Goes to `target`, in as few steps as the KDCs know. Throws KrbError. */
  *travel(target: string, { fast }: Pick<TgsRequest, 'fast'>, env: Env): KrbExchange<void> {
    const way = [...realmPath(env, this.#start, target), target]
    while (this.realm !== target) {
      const { credential } = yield* this.#farthest(way.slice(way.indexOf(this.realm) + 1), { fast }, env)
      this.enter(credential, ticketGrantingService(target), env)
    }
  }

  /** The ticket for the last of these realms that the KDC here has one for (RFC 4120 §3.3.1). */
  *#farthest(way: readonly string[], { fast }: Pick<TgsRequest, 'fast'>, env: Env): KrbExchange<Bought> {
    let failure: KrbError | undefined
    for (const realm of way.filter((realm) => !this.#visited.has(realm)).reverse()) {
      try {
        const service = ticketGrantingService(realm, this.realm)
        const bought = yield* this.buy({ service, canonicalize: true, fast }, env)
        if (isReferral(bought.credential.server, this.realm)) return bought
        throw new KrbError('REPLY_MODIFIED', `no ticket for ${realm} in the answer to our TGS-REQ`, { step: 'TGS-REQ' })
      } catch (error) {
        if (!(error instanceof KrbError) || error.code !== 'KDC_ERR_S_PRINCIPAL_UNKNOWN') throw error
        failure ??= error
      }
    }
    throw failure ?? new KrbError('REFERRAL_LOOP', `no way on from ${this.realm}`, { step: 'TGS-REQ' })
  }
}
