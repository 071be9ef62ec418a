import { Key } from '../../crypto/key.ts'
import type { Env } from '../../krb5/env.ts'
import { type Accepted, type Acceptor, acceptAp } from '../../krb5/exchanges/accept.ts'
import { initialSequenceNumber, makeApReply } from '../../krb5/exchanges/ap.ts'
import type { EncTicketPart } from '../../krb5/messages/ticket.ts'
import type { KrbExchange, KrbQuestions } from '../../krb5/questions.ts'
import { GssError } from '../error.ts'
import { flagsOf, type GssFlag } from '../flags.ts'
import type { Acceptance, Handshake, Leg } from '../mechanism.ts'
import { mechanismOids } from '../oids.ts'
import { bindingsMatch, readContextChecksum } from './checksum.ts'
import { Krb5Context } from './context.ts'
import { Krb5Credential } from './credential.ts'
import type { TicketFacts } from './exported.ts'
import { asAcceptorError } from './failure.ts'
import { frame, unframe } from './framing.ts'
import { standingFlags } from './initiator.ts'
import { nameOf } from './names.ts'

/** Services that an acceptor grants when they are asked for. */
const grantable: readonly GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']

/** The acceptor's side of a handshake: takes an AP-REQ, answers with an AP-REP when that is asked for (RFC 4121 §4.1). */
export class AcceptorHandshake implements Handshake<KrbQuestions> {
  readonly #request: Acceptance
  readonly #env: Env

  constructor(request: Acceptance, env: Env) {
    this.#request = request
    this.#env = env
  }

  *step(token?: Uint8Array): KrbExchange<Leg> {
    const element = this.#request.credentials.element(mechanismOids.krb5)
    if (!(element instanceof Krb5Credential) || !element.acceptor)
      throw new GssError('GSS_S_NO_CRED', 'the credentials hold no keys to accept with')
    if (!token?.length) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the initiator sent no token, its AP-REQ was due')
    const { kind, message } = unframe(token)
    if (kind !== 'apReq') throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the initiator sent no AP-REQ')
    return yield* this.#accept(message, element.acceptor)
  }

  *#accept(message: Uint8Array, acceptor: Acceptor): KrbExchange<Leg> {
    let accepted: Accepted
    try {
      accepted = yield* acceptAp(message, acceptor, this.#env)
    } catch (error) {
      const server = acceptor.principal ?? acceptor.keys[0]?.principal
      throw server ? asAcceptorError(error, server, this.#env) : error
    }
    using _keys = accepted
    const { flags: mask, bindings } = readContextChecksum(accepted.authenticator.cksum)
    if (!bindingsMatch(bindings, this.#request.channelBindings)) throw new GssError('GSS_S_BAD_BINDINGS')
    const asked = flagsOf(mask)
    const flags = new Set([...grantable.filter((flag) => asked.has(flag)), ...standingFlags])
    return this.#answer(accepted, flags)
  }

  #answer(
    { client, server, ticket, authenticator, sessionKey, subkey, mutualRequired }: Accepted,
    flags: Set<GssFlag>,
  ): Leg {
    const env = this.#env
    const theirSequence = authenticator.seqNumber ?? 0
    const common = {
      initiator: nameOf(client),
      target: nameOf(server),
      locallyInitiated: false,
      flags,
      ticket: factsOf(ticket),
      initiatorKey: copyOf(subkey ?? sessionKey),
      receiveSequence: theirSequence,
      random: env.random,
    }
    if (!mutualRequired) {
      flags.delete('mutualAuthentication')
      return { context: new Krb5Context({ ...common, sendSequence: theirSequence }) }
    }
    flags.add('mutualAuthentication')
    const ourSubkey = Key.generate((subkey ?? sessionKey).enctype, env.random)
    const sendSequence = initialSequenceNumber(env)
    const reply = {
      time: authenticator.ctime,
      micros: authenticator.cusec,
      subkey: ourSubkey,
      sequenceNumber: sendSequence,
    }
    return {
      token: frame('apRep', makeApReply(sessionKey, reply, env)),
      context: new Krb5Context({ ...common, acceptorSubkey: ourSubkey, sendSequence }),
    }
  }

  [Symbol.dispose](): void {
    // Nothing is kept between steps: there is only one.
  }
}

/** Without its octets the plaintext of the ticket, with the session key in it, would stay. */
function factsOf({ authorizationData, ...ticket }: EncTicketPart): TicketFacts {
  const { authtime, starttime, endtime, renewTill, flags } = ticket
  return {
    ...{ authtime, endtime, flags },
    ...(starttime === undefined ? {} : { starttime }),
    ...(renewTill === undefined ? {} : { renewTill }),
    ...(authorizationData && {
      authorizationData: authorizationData.map(({ adType, adData }) => ({ adType, adData: adData.slice() })),
    }),
  }
}

/** The context owns its key; the ones of the AP-REQ are wiped with it. */
const copyOf = (key: Key): Key => new Key(key.enctype, key.octets())
