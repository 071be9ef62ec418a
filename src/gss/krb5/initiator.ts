import { decode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import type { Key } from '../../crypto/key.ts'
import type { Credential } from '../../krb5/credential.ts'
import { type Env, seconds, shifted } from '../../krb5/env.ts'
import { KrbError } from '../../krb5/errors.ts'
import { type ApInitiator, initiateAp, makeApReply, verifyApReply } from '../../krb5/exchanges/ap.ts'
import { s4u2proxy } from '../../krb5/exchanges/s4u.ts'
import { type TgsRequest, tgsExchange } from '../../krb5/exchanges/tgs.ts'
import { KrbErrorMessage } from '../../krb5/messages/error.ts'
import { formatPrincipal, isAnonymous, type Principal } from '../../krb5/names.ts'
import { askKrb, computed, type KrbExchange, type KrbQuestions } from '../../krb5/questions.ts'
import { GssError } from '../error.ts'
import type { GssFlag } from '../flags.ts'
import type { Handshake, Initiation, Leg } from '../mechanism.ts'
import { mechanismOids } from '../oids.ts'
import { bindingsAware } from './aware.ts'
import { contextChecksum } from './checksum.ts'
import { Krb5Context } from './context.ts'
import { Krb5Credential } from './credential.ts'
import { delegation, isToDelegate } from './delegation.ts'
import type { TicketFacts } from './exported.ts'
import { asGssError } from './failure.ts'
import { carriedNames, frame, unframe, unframed } from './framing.ts'
import type { Conversation } from './iakerbtokens.ts'
import { type NameRules, principalFrom } from './names.ts'
import { etypeNegotiation } from './negotiatedetype.ts'
import { ifRelevant } from './relevant.ts'

/** Services that every context of this mechanism has (RFC 4121 §1). */
export const standingFlags: readonly GssFlag[] = ['confidentiality', 'integrity', 'transferable', 'protectionReady']

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
  readonly #flags: Set<GssFlag>
  /** What was sent, while the reply is awaited. */
  #sent: Sent | undefined

  /** What was carried by IAKERB before; undefined outside of it. */
  readonly #carried: Conversation | undefined

  constructor(request: Initiation, env: Env, rules: NameRules, carried?: Conversation) {
    this.#request = request
    this.#env = env
    this.#rules = rules
    this.#carried = carried
    this.#flags = new Set(standingFlags)
    for (const flag of negotiable) if (request.flags.has(flag)) this.#flags.add(flag)
    if (this.#dceStyle) this.#flags.add('mutualAuthentication')
  }

  *step(token?: Uint8Array): KrbExchange<Leg> {
    try {
      return this.#sent ? this.#finish(token, this.#sent) : yield* this.#start()
    } catch (error) {
      throw asGssError(error)
    }
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
    const flags = this.#flags
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
    this.#sent = { ap, credential }
    const sent = this.#dceStyle ? ap.message : frame('apReq', ap.message, carried && mechanismOids.iakerb)
    if (mutual) return { token: sent }
    return { token: sent, context: this.#context(ap, credential, ap.sequenceNumber) }
  }

  #finish(token: Uint8Array | undefined, { ap, credential }: Sent): Leg {
    if (!token?.length) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the acceptor sent no token, its AP-REP was due')
    const { kind, message } =
      (this.#dceStyle ? unframed(token) : undefined) ?? unframe(token, this.#carried && carriedNames)
    if (kind === 'error') throw errorFrom(message, credential)
    if (kind !== 'apRep') throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the acceptor sent an AP-REQ, its AP-REP was due')
    const { subkey, sequenceNumber } = verifyApReply(message, ap, credential, this.#env)
    const context = this.#context(ap, credential, sequenceNumber ?? 0, subkey)
    if (!this.#dceStyle) return { context }
    // The acceptor's number proves that we have the session key at this moment.
    const { time, micros } = ap
    return {
      token: makeApReply(credential.key, { time, micros, sequenceNumber, subkey: undefined }, this.#env),
      context,
    }
  }

  get #dceStyle(): boolean {
    return this.#flags.has('dceStyle')
  }

  #context(
    ap: Pick<ApInitiator, 'subkey' | 'sequenceNumber'>,
    credential: Credential,
    receiveSequence: number,
    acceptorSubkey?: Key,
  ) {
    this.#sent = undefined
    return new Krb5Context({
      initiator: credential.client,
      target: credential.server,
      locallyInitiated: true,
      flags: this.#flags,
      ticket: factsOf(credential),
      initiatorKey: ap.subkey,
      acceptorSubkey,
      sendSequence: ap.sequenceNumber,
      receiveSequence,
      random: this.#env.random,
    })
  }

  [Symbol.dispose](): void {
    this.#sent?.ap[Symbol.dispose]()
    this.#sent = undefined
  }
}

interface Sent {
  readonly ap: ApInitiator
  readonly credential: Credential
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

/** What an acceptor's error token says (RFC 4121 §4.1). */
function errorFrom(message: Uint8Array, { server }: Credential): unknown {
  try {
    return KrbError.of(decode(KrbErrorMessage, message), formatPrincipal(server), { step: 'AP-REQ' })
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) return cause
    return new GssError('GSS_S_DEFECTIVE_TOKEN', `the acceptor's error cannot be read (${cause.message})`, { cause })
  }
}
