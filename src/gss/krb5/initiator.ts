import type { Credential } from '../../krb5/credential.ts'
import { type Env, seconds, shifted } from '../../krb5/env.ts'
import { KrbError } from '../../krb5/errors.ts'
import { initiateAp } from '../../krb5/exchanges/ap.ts'
import { s4u2proxy } from '../../krb5/exchanges/s4u.ts'
import { type TgsRequest, tgsExchange } from '../../krb5/exchanges/tgs.ts'
import { formatPrincipal, isAnonymous, type Principal } from '../../krb5/names.ts'
import { askKrb, computed, type KrbExchange, type KrbQuestions } from '../../krb5/questions.ts'
import { GssError } from '../error.ts'
import type { GssFlag } from '../flags.ts'
import type { Handshake, Initiation, Leg } from '../mechanism.ts'
import { mechanismOids } from '../oids.ts'
import { bindingsAware } from './aware.ts'
import { contextChecksum } from './checksum.ts'
import { Krb5Credential } from './credential.ts'
import { delegation, isToDelegate } from './delegation.ts'
import type { TicketFacts } from './exported.ts'
import { asGssError } from './failure.ts'
import { frame } from './framing.ts'
import { AwaitingReply, initiatedContext, type SentRequest } from './halfopen.ts'
import type { Conversation } from './iakerbtokens.ts'
import { type NameRules, principalFrom } from './names.ts'
import { etypeNegotiation } from './negotiatedetype.ts'
import { ifRelevant } from './relevant.ts'

/** Services that every context of this mechanism has (RFC 4121 §1). */
export const standingFlags: readonly GssFlag[] = ['confidentiality', 'integrity', 'transferable', 'protectionReady']

/** Those that credentials may leave out (MIT's GSS_KRB5_CRED_NO_CI_FLAGS_X). */
const protection: readonly GssFlag[] = ['confidentiality', 'integrity']

/** Services that an initiator may ask for, and tells of. */
const negotiable: readonly GssFlag[] = [
  'mutualAuthentication',
  'replayDetection',
  'outOfSequenceDetection',
  'dceStyle',
  'identify',
  'extendedError',
]

/** Not told: the acceptor sees them for itself. */
const untold: readonly GssFlag[] = ['protectionReady', 'transferable', 'channelBound', 'okAsDelegate']

/**
 * The initiator's side of a handshake: an AP-REQ, with mutual authentication an AP-REP back (RFC 4121 §4.1), and in DCE
 * style another one there (MS-KILE §3.4.5.1).
 */
export class InitiatorHandshake implements Handshake<KrbQuestions> {
  readonly #request: Initiation
  readonly #env: Env
  readonly #rules: NameRules
  /** What was carried by IAKERB before; undefined outside of it. */
  readonly #carried: Conversation | undefined
  /** While the reply is awaited. */
  #awaiting: AwaitingReply | undefined

  constructor(request: Initiation, env: Env, rules: NameRules, carried?: Conversation) {
    this.#request = request
    this.#env = env
    this.#rules = rules
    this.#carried = carried
  }

  *step(token?: Uint8Array): KrbExchange<Leg> {
    if (this.#awaiting) return yield* this.#awaiting.step(token)
    try {
      return yield* this.#start()
    } catch (error) {
      throw asGssError(error)
    }
  }

  /** The context while it waits for the AP-REP. Throws {@link GssError} GSS_S_NO_CONTEXT before. */
  export(): Uint8Array {
    if (!this.#awaiting) throw new GssError('GSS_S_NO_CONTEXT', 'the handshake has not begun yet')
    return this.#awaiting.export()
  }

  *#start(): KrbExchange<Leg> {
    const { credentials, target, channelBindings, flags: wanted } = this.#request
    const element = credentials.element(mechanismOids.krb5)
    if (!(element instanceof Krb5Credential) || !element.client)
      throw new GssError('GSS_S_NO_CRED', 'the credentials hold no Kerberos tickets')
    const { enctypes, peerTicket: secondTicket } = element
    const userToUser = secondTicket ? ({ secondTicket, options: ['encTktInSkey'] } as const) : {}
    const wish = { enctypes, ...userToUser }
    const credential = yield* ticketFor(element, principalFrom(target, this.#rules), this.#env, wish)
    const flags = flagsFor(wanted, element)
    const carried = this.#carried
    const ticket = isToDelegate(wanted, credential, this.#rules)
      ? yield* delegation(element, credential, this.#env)
      : undefined
    if (ticket) flags.add('delegateToPeer')
    if (ticket && wanted.has('okAsDelegate') && credential.flags.has('okAsDelegate')) flags.add('okAsDelegate')
    if (isAnonymous(credential.client)) flags.add('anonymity')
    if (channelBindings) flags.add('channelBound')
    const mutual = flags.has('mutualAuthentication')
    const told = [...flags].filter((flag) => !untold.includes(flag))
    const ap = initiateAp(
      {
        credential,
        mutual,
        checksum: (subkey) =>
          contextChecksum(
            told,
            channelBindings,
            ticket,
            carried?.isEmpty === false ? carried.finished(subkey) : undefined,
          ),
        authorizationData: ifRelevant([
          // Only an AP-REP can bring the acceptor's subkey back.
          ...(mutual ? etypeNegotiation(enctypes ?? this.#env.enctypes, credential.key.enctype) : []),
          ...(wanted.has('channelBound') ? bindingsAware : []),
        ]),
      },
      shifted(this.#env, element.clockOffset),
    )
    const sent: SentRequest = {
      ap,
      key: credential.key,
      client: credential.client,
      server: credential.server,
      ticket: factsOf(credential),
      flags,
      carried: carried !== undefined,
    }
    const token = flags.has('dceStyle') ? ap.message : frame('apReq', ap.message, carried && mechanismOids.iakerb)
    if (!mutual) return { token, context: initiatedContext(sent, ap.sequenceNumber, undefined, this.#env) }
    this.#awaiting = new AwaitingReply(sent, this.#env)
    return { token }
  }

  [Symbol.dispose](): void {
    this.#awaiting?.[Symbol.dispose]()
  }
}

/** What the context will have, as far as it was asked for. */
function flagsFor(wanted: ReadonlySet<GssFlag>, { noCiFlags }: Krb5Credential): Set<GssFlag> {
  const flags = new Set(standingFlags)
  if (noCiFlags) for (const flag of protection) if (!wanted.has(flag)) flags.delete(flag)
  for (const flag of negotiable) if (wanted.has(flag)) flags.add(flag)
  if (flags.has('dceStyle')) flags.add('mutualAuthentication')
  return flags
}

/** What the KDC says of the client is for the service alone. */
const factsOf = ({ authtime, starttime, endtime, renewTill, flags }: Credential): TicketFacts => ({
  authtime,
  starttime,
  endtime,
  renewTill,
  flags,
})

/** How a ticket is to be had. */
export interface TicketOptions
  extends Pick<TgsRequest, 'enctypes' | 'secondTicket' | 'options' | 'fast' | 'addresses'> {
  /** Whether only a ticket that is there already will do. */
  readonly cachedOnly?: boolean | undefined
  /**
   * Whether to wait for the same ticket where another run is buying it; true unless said. Who does not know when a run goes
   * on, as IAKERB between tokens, must not be waited for.
   */
  readonly share?: boolean | undefined
}

/** A ticket for `service`, from the credentials or bought with them and kept there. Throws KrbError NO_TICKET and what the TGS exchange throws. */
export function* ticketFor(
  element: Krb5Credential,
  service: Principal,
  env: Env,
  { cachedOnly = false, share = true, ...options }: TicketOptions = {},
): KrbExchange<Credential> {
  const find = () => element.ticket(service, seconds(env.now() + element.clockOffset), options)
  let held = find()
  const shared = !held && share && !cachedOnly && Object.values(options).every((option) => option === undefined)
  const name = shared ? formatPrincipal(service) : ''
  for (let end = element.inFlight.end(name); shared && end; end = element.inFlight.end(name)) {
    const bought = end
    yield* computed('wait for a ticket that is being bought', () => bought)
    held = find()
  }
  if (held) {
    env.trace?.({ kind: 'cached', client: formatPrincipal(held.client), server: formatPrincipal(held.server) })
    return held
  }
  const now = seconds(env.now() + element.clockOffset)
  const who = formatPrincipal(element.client!)
  const tgt = element.grantingTicket()
  if (cachedOnly) throw new KrbError('NO_TICKET', `no ticket of ${who} for ${formatPrincipal(service)} in the cache`)
  if (!tgt)
    throw new KrbError('NO_TICKET', `no ticket-granting ticket of ${who}, nor one for ${formatPrincipal(service)}`)
  if (tgt.endtime <= now)
    throw new KrbError('KRB_AP_ERR_TKT_EXPIRED', `the ticket-granting ticket of ${who} has expired`)
  const fast = element.fastAvailable ? 'when available' : undefined
  const request = { fast, ...options, tgt, service, clockOffset: element.clockOffset } as const
  const { evidence } = element
  using _buying = shared ? element.inFlight.begin(name) : undefined
  const exchange = evidence ? s4u2proxy({ ...request, evidence }, env) : tgsExchange(request, env)
  const { credential, clockOffset } = yield* exchange
  element.clockOffset = clockOffset
  element.keep(credential)
  if (element.cache) yield* askKrb('keep', { cache: element.cache, credential })
  return credential
}
