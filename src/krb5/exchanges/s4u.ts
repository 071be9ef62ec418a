/** Tickets that a service gets in the name of a user: to itself, and to other services (MS-SFU, "S4U"). @module */
import { encode } from '../../asn1/codec.ts'
import type { Credential } from '../credential.ts'
import type { Env } from '../env.ts'
import { KrbError } from '../errors.ts'
import type { PaData } from '../messages/basics.ts'
import { nameTypes, paTypes } from '../messages/codes.ts'
import { PaPacOptions } from '../messages/pac.ts'
import { formatPrincipal, grantedRealm, type Principal, samePrincipal, ticketGrantingService } from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import type { ReplyOrigin } from '../reading.ts'
import { type ImpersonatedUser, paForUser, paS4uX509User, s4uUserOfReply } from './s4upadata.ts'
import { isReferral, Journey, type TgsRequest, type TgsResult } from './tgs.ts'
import type { Bought, TgsExtension, TicketRequest } from './tgsrequest.ts'
import { realmOfUser } from './userrealm.ts'

/** What S4U2Self is asked for. */
export interface SelfRequest extends Pick<TgsRequest, 'clockOffset' | 'fast' | 'options' | 'enctypes'> {
  /** The ticket-granting ticket of the service that asks. */
  readonly tgt: Credential
  /** Whom to get a ticket of; may be left out where there is a certificate. */
  readonly user?: Principal | undefined
  /** The user's certificate (DER), by which the KDC knows who that is. */
  readonly certificate?: Uint8Array | undefined
  /** Where to ask for the owner of the certificate; the realm of the service that asks unless said. */
  readonly userRealm?: string | undefined
  /** Another name of the service that asks; the client of `tgt` unless said. */
  readonly service?: Principal | undefined
}

/**
 * A ticket of `user` for the service that asks (S4U2Self, MS-SFU §3.1.5.1): no proof of the user is needed, and the ticket
 * proves none to others. It is forwardable, and so good for {@link s4u2proxy}, where the KDC trusts the service with
 * protocol transition. The user's KDC is asked first when that is another realm's. Throws KrbError; REPLY_MODIFIED for a
 * ticket of somebody else. TypeError when neither user nor certificate is given.
 */
export function* s4u2self(request: SelfRequest, env: Env): KrbExchange<TgsResult> {
  const { tgt, user, certificate, userRealm, service = tgt.client, ...more } = request
  if (!user && !certificate) throw new TypeError('S4U2Self needs a user or a certificate')
  const own = tgt.client.realm
  let whom: ImpersonatedUser = { user, realm: user?.realm ?? userRealm ?? own, certificate }
  if (user?.type === nameTypes.enterprise || !user) whom = livingIn(yield* realmOfUser(whom, env), whom)
  const journey = new Journey(request)
  if (whom.realm !== own) {
    yield* journey.travel(whom.realm, request, env)
    journey.turnBack()
  }
  for (;;) {
    const { realm } = journey
    const home = realm === own
    const named = home ? { ...service, realm } : elsewhere({ ...service, realm: own }, realm)
    const extension = impersonating(whom, journey.tgt, home, (user) => (whom = { ...whom, user }))
    const { credential } = yield* journey.buy(
      { ...more, service: named, canonicalize: whom.realm !== own, extension },
      env,
    )
    if (home) return { credential, path: journey.path, clockOffset: journey.clockOffset }
    if (!isReferral(credential.server, realm))
      throw new KrbError('REPLY_MODIFIED', `no referral from ${realm} in the answer to our TGS-REQ`, {
        step: 'TGS-REQ',
      })
    journey.enter(credential, named, env)
  }
}

/** The same user, in the realm that is known now. */
const livingIn = (realm: string, { user, certificate }: ImpersonatedUser): ImpersonatedUser => ({
  user: user && { ...user, realm },
  realm,
  certificate,
})

/** How other realms are asked for a service of ours (MS-SFU §3.1.5.1.1.2): by its name with the realm, as an enterprise one. */
const elsewhere = (service: Principal, realm: string): Principal => ({
  type: nameTypes.enterprise,
  components: [formatPrincipal(service)],
  realm,
})

/** A certificate needs PA-S4U-X509-USER; of a name, old KDCs know PA-FOR-USER alone, so both are sent. */
const impersonating = (
  whom: ImpersonatedUser,
  tgt: Credential,
  home: boolean,
  learn: (user: Principal) => void,
): TgsExtension => ({
  padata: (nonce, subkey) => [
    paS4uX509User(whom, nonce, subkey),
    ...(whom.user ? [paForUser(whom.user, tgt.key)] : []),
  ],
  clientOf(padata, nonce, subkey, origin) {
    const said = s4uUserOfReply(padata, nonce, subkey)
    // A referral on the way back is the service's own ticket: whom it is about stands in its PAC (MS-SFU §3.2.5.1.2).
    if (!home) {
      // The KDC of our own realm knows no certificates of another one's users.
      if (!whom.user && said?.user) learn(said.user)
      return tgt.client
    }
    return nameOf(whom, said, origin)
  },
})

/** Whose the ticket must be: the user asked for; the one the KDC says, under its seal, for a certificate or an alias. */
function nameOf({ user }: ImpersonatedUser, said: ImpersonatedUser | undefined, origin: ReplyOrigin): Principal {
  const name = said?.user ?? user
  if (!name) throw new KrbError('REPLY_MODIFIED', 'the answer does not say whose certificate that is', origin)
  const mayDiffer = !user || user.type === nameTypes.enterprise
  if (!mayDiffer && !samePrincipal(name, user))
    throw new KrbError(
      'REPLY_MODIFIED',
      `the answer is about ${formatPrincipal(name)}, not ${formatPrincipal(user)}`,
      origin,
    )
  return name
}

/** What S4U2Proxy is asked for. */
export interface ProxyRequest extends Pick<TgsRequest, 'clockOffset' | 'fast' | 'options' | 'enctypes'> {
  /** The ticket-granting ticket of the service that asks. */
  readonly tgt: Credential
  /** The user's ticket for that service: one that the user showed (its server part is enough), or {@link s4u2self}'s. */
  readonly evidence: Pick<Credential, 'client' | 'ticket'>
  /** Where to go in the user's name. */
  readonly service: Principal
}

/**
 * A ticket of the evidence's user for another service (S4U2Proxy, MS-SFU §3.1.5.2), by what either the service that asks
 * (constrained delegation) or the other one (resource-based) is allowed; for one in another realm, by referrals, where
 * only the latter counts. Throws KrbError: KDC_ERR_BADOPTION when neither allows it, REPLY_MODIFIED for a ticket of
 * somebody else.
 */
export function* s4u2proxy(request: ProxyRequest, env: Env): KrbExchange<TgsResult> {
  const { tgt, evidence, service, options = [], ...more } = request
  // A referral may be the service's own ticket, with the user in its PAC (MS-SFU §3.2.5.2.3).
  const clientOf: TgsExtension['clientOf'] = (_padata, _nonce, _subkey, _origin, named) =>
    samePrincipal(named, tgt.client) ? named : evidence.client
  const extension: TgsExtension = { padata: () => [resourceBased], clientOf }
  const asked = { ...more, options: [...options, 'cnameInAddlTkt'] as TicketRequest['options'], extension }
  const journey = new Journey(request)
  let secondTicket = evidence.ticket
  for (;;) {
    const { realm } = journey
    const away = service.realm !== '' && service.realm !== realm
    const here = { ...asked, service: { ...service, realm }, canonicalize: away || service.realm === '', secondTicket }
    const { credential } = yield* away ? referred(journey, here, service.realm, env) : journey.buy(here, env)
    if (!isReferral(credential.server, realm)) {
      if (!samePrincipal(credential.client, evidence.client))
        throw new KrbError('REPLY_MODIFIED', `no ticket of ${formatPrincipal(evidence.client)}`, { step: 'TGS-REQ' })
      return { credential, path: journey.path, clockOffset: journey.clockOffset }
    }
    // The next KDC wants our own ticket for it beside the one in the user's name (MS-SFU §3.1.5.2.2).
    yield* journey.travel(grantedRealm(credential.server)!, request, env)
    secondTicket = credential.ticket
  }
}

/** KDCs refer those who ask for the service itself; one that does not know the host is asked for the realm. */
function* referred(
  journey: Journey,
  request: Omit<TicketRequest, 'tgt' | 'clockOffset'>,
  target: string,
  env: Env,
): KrbExchange<Bought> {
  try {
    return yield* journey.buy(request, env)
  } catch (error) {
    if (!(error instanceof KrbError) || error.code !== 'KDC_ERR_S_PRINCIPAL_UNKNOWN') throw error
    return yield* journey.buy({ ...request, service: ticketGrantingService(target, request.service.realm) }, env)
  }
}

/** PA-PAC-OPTIONS (MS-SFU §2.2.5): resource-based delegation will do. */
const resourceBased: PaData = {
  padataType: paTypes.pacOptions,
  padataValue: encode(PaPacOptions, { kerberosFlags: new Set(['resourceBasedConstrainedDelegation'] as const) }),
}
