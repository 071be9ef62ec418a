import { Key } from '../../crypto/key.ts'
import type { Env } from '../../krb5/env.ts'
import { type Accepted, type Acceptor, acceptAp } from '../../krb5/exchanges/accept.ts'
import { initialSequenceNumber, makeApReply } from '../../krb5/exchanges/ap.ts'
import type { EncTicketPart } from '../../krb5/messages/ticket.ts'
import { isAnonymous } from '../../krb5/names.ts'
import type { KrbExchange, KrbQuestions } from '../../krb5/questions.ts'
import type { Credentials } from '../credentials.ts'
import { GssError } from '../error.ts'
import { flagsOf, type GssFlag } from '../flags.ts'
import type { Acceptance, Handshake, Leg } from '../mechanism.ts'
import { mechanismOids } from '../oids.ts'
import { isBindingsAware } from './aware.ts'
import { isBound, readContextChecksum } from './checksum.ts'
import { Krb5Context } from './context.ts'
import { Krb5Credential } from './credential.ts'
import { delegated } from './delegation.ts'
import { asAcceptorError } from './failure.ts'
import { heedsAcceptorSubkey } from './family.ts'
import { frame } from './framing.ts'
import { AwaitingLastReply, messageIn } from './halfopen.ts'
import type { Conversation } from './iakerbtokens.ts'
import { actingFor } from './impersonate.ts'
import { standingFlags } from './initiator.ts'
import { negotiatedEtype } from './negotiatedetype.ts'

/** Services that an acceptor grants when they are asked for. */
const grantable: readonly GssFlag[] = [
  'mutualAuthentication',
  'replayDetection',
  'outOfSequenceDetection',
  'dceStyle',
  'identify',
  'extendedError',
]

/**
 * The acceptor's side of a handshake: takes an AP-REQ, answers with an AP-REP when that is asked for (RFC 4121 §4.1), and
 * in DCE style waits for another one (MS-KILE §3.4.5.1).
 */
export class AcceptorHandshake implements Handshake<KrbQuestions> {
  readonly #request: Acceptance
  readonly #env: Env
  /** What was carried by IAKERB before; undefined outside of it. */
  readonly #carried: Conversation | undefined
  /** In DCE style, while the initiator's AP-REP is awaited. */
  #awaiting: AwaitingLastReply | undefined

  constructor(request: Acceptance, env: Env, carried?: Conversation) {
    this.#request = request
    this.#env = env
    this.#carried = carried
  }

  *step(token?: Uint8Array): KrbExchange<Leg> {
    if (this.#awaiting) return yield* this.#awaiting.step(token)
    const element = this.#request.credentials.element(mechanismOids.krb5)
    if (!(element instanceof Krb5Credential) || !element.acceptor)
      throw new GssError('GSS_S_NO_CRED', 'the credentials hold no keys to accept with')
    const message = messageIn(token, 'apReq', this.#carried !== undefined)
    return yield* this.#start(message, element, element.acceptor)
  }

  /** The context while it waits for the initiator's AP-REP. Throws {@link GssError} GSS_S_NO_CONTEXT before. */
  export(): Uint8Array {
    if (!this.#awaiting) throw new GssError('GSS_S_NO_CONTEXT', 'the handshake has not begun yet')
    return this.#awaiting.export()
  }

  *#start(message: Uint8Array, element: Krb5Credential, acceptor: Acceptor): KrbExchange<Leg> {
    const server = acceptor.principal ?? acceptor.keys[0]?.principal
    let accepted: Accepted | undefined
    try {
      accepted = yield* acceptAp(message, acceptor, this.#env)
      return yield* this.#accept(accepted, element)
    } catch (error) {
      throw server ? asAcceptorError(error, server, this.#env) : error
    } finally {
      accepted?.[Symbol.dispose]()
    }
  }

  *#accept(accepted: Accepted, element: Krb5Credential): KrbExchange<Leg> {
    const { client, sessionKey, subkey, authenticator } = accepted
    const { flags: mask, bindings, delegation, finished } = readContextChecksum(authenticator.cksum)
    this.#carried?.verify(finished, subkey ?? sessionKey)
    const asked = flagsOf(mask)
    const flags = new Set(standingFlags)
    for (const flag of grantable) if (asked.has(flag)) flags.add(flag)
    if (flags.has('dceStyle')) flags.add('mutualAuthentication')
    const aware = isBindingsAware(authenticator.authorizationData)
    if (isBound(bindings, this.#request.channelBindings, aware)) flags.add('channelBound')
    if (isAnonymous(client)) flags.add('anonymity')
    const keys = subkey ? [sessionKey, subkey] : [sessionKey]
    const credentials = delegation
      ? yield* delegated(delegation, { client, keys }, this.#env)
      : actingFor(accepted, element)
    if (credentials) flags.add('delegateToPeer')
    return this.#answer(accepted, flags, credentials)
  }

  #answer(
    { client, server, serverKey, ticket, authenticator, sessionKey, subkey }: Accepted,
    flags: Set<GssFlag>,
    delegated?: Credentials,
  ): Leg {
    const env = this.#env
    const theirSequence = authenticator.seqNumber ?? 0
    const part = withoutKey(ticket)
    const established = (sendSequence: number, acceptorSubkey?: Key) =>
      new Krb5Context({
        initiator: client,
        target: server,
        locallyInitiated: false,
        flags,
        ticket: part,
        opened: { part, serverKey },
        initiatorKey: copyOf(subkey ?? sessionKey),
        acceptorSubkey,
        sendSequence,
        receiveSequence: theirSequence,
        delegated,
        random: env.random,
      })
    // The option of the AP-REQ says the same where anybody could change it.
    if (!flags.has('mutualAuthentication')) return { context: established(theirSequence) }
    const element = this.#request.credentials.element(mechanismOids.krb5) as Krb5Credential
    const allowed = element.enctypes ?? env.enctypes
    const etype = negotiatedEtype(authenticator.authorizationData, allowed, (subkey ?? sessionKey).enctype)
    const heeded = heedsAcceptorSubkey(subkey ?? sessionKey, etype, flags.has('dceStyle'))
    const ourSubkey = heeded ? Key.generate(etype, env.random) : undefined
    const sendSequence = initialSequenceNumber(env)
    const reply = {
      time: authenticator.ctime,
      micros: authenticator.cusec,
      subkey: ourSubkey,
      sequenceNumber: sendSequence,
    }
    const message = makeApReply(sessionKey, reply, env)
    const context = established(sendSequence, ourSubkey)
    if (!flags.has('dceStyle'))
      return { token: frame('apRep', message, this.#carried && mechanismOids.iakerb), context }
    const { time, micros } = reply
    const key = copyOf(sessionKey)
    this.#awaiting = new AwaitingLastReply({
      context,
      key,
      server,
      time,
      micros,
      message,
      sequenceNumber: sendSequence,
    })
    return { token: message }
  }

  [Symbol.dispose](): void {
    this.#awaiting?.[Symbol.dispose]()
  }
}

/** Of tickets that are remembered: all contexts of one ticket share what it says, and its PAC is there once. */
const known = new WeakMap<EncTicketPart, EncTicketPart>()

function withoutKey(ticket: EncTicketPart): EncTicketPart {
  let part = known.get(ticket)
  if (!part) known.set(ticket, (part = copied(ticket)))
  return part
}

/** Addresses and session key left out: with its own octets, which hold the key in plaintext, the ticket would stay. */
function copied(ticket: EncTicketPart): EncTicketPart {
  const authorizationData = ticket.authorizationData?.map(({ adType, adData }) => ({ adType, adData: adData.slice() }))
  const transited = { ...ticket.transited, contents: ticket.transited.contents.slice() }
  return { ...ticket, key: { keytype: 0, keyvalue: new Uint8Array() }, transited, caddr: undefined, authorizationData }
}

/** The context owns its key; the ones of the AP-REQ are wiped with it. */
const copyOf = (key: Key): Key => key.copy()
