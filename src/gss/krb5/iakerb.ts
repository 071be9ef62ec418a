/** IAKERB (draft-ietf-kitten-iakerb-03): for clients that reach the service but no KDC, which the service asks for them. @module */
import type { Env } from '../../krb5/env.ts'
import { KrbError, TransportError } from '../../krb5/errors.ts'
import { refusalMessage } from '../../krb5/exchanges/refusal.ts'
import { ticketGrantingService } from '../../krb5/names.ts'
import { askKrb, type KrbExchange, type KrbQuestions } from '../../krb5/questions.ts'
import { Credentials } from '../credentials.ts'
import { GssError } from '../error.ts'
import type { Acceptance, Handshake, Initiation, Leg, Mechanism } from '../mechanism.ts'
import { mechanismOids } from '../oids.ts'
import { AcceptorHandshake } from './acceptor.ts'
import { Krb5Credential } from './credential.ts'
import { asGssError } from './failure.ts'
import { IakerbCredential } from './iakerbcredential.ts'
import {
  Conversation,
  defective,
  makeProxyToken,
  type ProxyToken,
  type RealmForm,
  readProxyToken,
} from './iakerbtokens.ts'
import { InitiatorHandshake, ticketFor } from './initiator.ts'
import { type NameRules, nameOf, noRules, principalFrom } from './names.ts'

/** Messages that are carried in one handshake: a login, and referrals of the name and to the service (MIT's bound, too). */
const MAX_MESSAGES = 26
/** Application tags of AS-REQ and TGS-REQ (RFC 4120 §5.4.1): nothing else is forwarded. */
const REQUESTS: readonly (number | undefined)[] = [0x6a, 0x6c]

/** How IAKERB is spoken. */
export interface IakerbOptions {
  /** How an initiator writes realms, `utf8String` unless said; an acceptor answers in the form it was asked in. */
  readonly form?: RealmForm | undefined
  /**
   * Realms whose KDCs an acceptor asks for its clients besides the ones that it has keys of, or `any`: whoever connects has
   * it send messages there.
   */
  readonly realms?: readonly string[] | 'any' | undefined
  /** Messages that an acceptor forwards in one handshake; 26 unless said, as many as MIT's clients send. */
  readonly maxMessages?: number | undefined
}

/**
 * The IAKERB mechanism: a client's exchanges with its KDCs go through the acceptor, which then sees a krb5 context begin.
 * The context that comes of it is krb5's.
 */
export function iakerbMechanism(
  env: Env,
  rules: NameRules = noRules,
  options: IakerbOptions = {},
): Mechanism<KrbQuestions> {
  return {
    oid: mechanismOids.iakerb,
    aliases: [],
    name: 'IAKERB',
    canonicalize: (name) => nameOf(principalFrom(name, rules)),
    initiate: (request) => new IakerbInitiator(request, env, rules, options.form ?? 'utf8String'),
    accept: (request) => new IakerbAcceptor(request, env, options),
  }
}

class IakerbInitiator implements Handshake<KrbQuestions> {
  readonly #request: Initiation
  readonly #env: Env
  readonly #rules: NameRules
  readonly #form: RealmForm
  readonly #conversation = new Conversation()
  /** Gets the tickets and makes the first token of krb5; it waits for the acceptor's next token. */
  #begin: KrbExchange<Leg> | undefined
  #cookie: Uint8Array | undefined
  #messages = 0
  #krb5: InitiatorHandshake | undefined

  constructor(request: Initiation, env: Env, rules: NameRules, form: RealmForm) {
    this.#request = request
    this.#env = env
    this.#rules = rules
    this.#form = form
  }

  *step(token?: Uint8Array): KrbExchange<Leg> {
    if (this.#krb5) return yield* this.#krb5.step(token)
    try {
      const reply = this.#begin && this.#read(token)
      this.#begin ??= this.#beginning()
      return yield* this.#proceed(this.#begin, reply)
    } catch (error) {
      throw asGssError(error)
    }
  }

  /** All that may need a KDC: what is to be delegated, too. */
  *#beginning(): KrbExchange<Leg> {
    const credentials = new Credentials([yield* this.#ticketsFor(this.#request)])
    const krb5 = new InitiatorHandshake({ ...this.#request, credentials }, this.#env, this.#rules, this.#conversation)
    try {
      const leg = yield* krb5.step()
      this.#krb5 = krb5
      return leg
    } finally {
      if (!this.#krb5) krb5[Symbol.dispose]()
    }
  }

  *#ticketsFor({ credentials, target, flags }: Initiation): KrbExchange<Krb5Credential> {
    const held = credentials.element(mechanismOids.krb5) ?? credentials.element(mechanismOids.iakerb)
    const forwards = flags.has('delegateToPeer') || flags.has('okAsDelegate')
    const element = held instanceof IakerbCredential ? yield* held.tickets(this.#env, forwards) : held
    if (!(element instanceof Krb5Credential) || !element.client)
      throw new GssError('GSS_S_NO_CRED', 'the credentials hold neither Kerberos tickets nor what gets some')
    yield* ticketFor(element, principalFrom(target, this.#rules), this.#env, { share: false })
    return element
  }

  /** Goes on until the next message for a KDC, which is given as a token, or until krb5 has its own. */
  *#proceed(begin: KrbExchange<Leg>, reply: unknown): KrbExchange<Leg> {
    let step = begin.next(reply)
    while (!step.done) {
      const question = step.value
      if (question.kind === 'send') return { token: this.#send(question.ask) }
      let answer: unknown
      try {
        answer = yield question
      } catch (error) {
        step = begin.throw(error)
        continue
      }
      step = begin.next(answer)
    }
    return step.value
  }

  #send({ realm, message }: KrbQuestions['send']['ask']): Uint8Array {
    if (++this.#messages > MAX_MESSAGES) throw defective(`more than ${MAX_MESSAGES} messages are wanted`)
    const token = { realm, message, form: this.#form, cookie: this.#cookie }
    return this.#conversation.add(makeProxyToken(token, this.#messages === 1))
  }

  #read(token: Uint8Array | undefined): KrbQuestions['send']['answer'] {
    const read = token && readProxyToken(token)
    if (!read) throw defective("the acceptor sent something else where its KDC's reply was due")
    this.#conversation.add(token!)
    this.#cookie = read.cookie
    return { message: read.message, kdc: `the acceptor, for ${read.realm}` }
  }

  [Symbol.dispose](): void {
    this.#begin?.return(undefined as never)
    this.#krb5?.[Symbol.dispose]()
  }
}

class IakerbAcceptor implements Handshake<KrbQuestions> {
  readonly #request: Acceptance
  readonly #env: Env
  readonly #options: IakerbOptions
  readonly #conversation = new Conversation()
  #messages = 0
  #krb5: AcceptorHandshake | undefined

  constructor(request: Acceptance, env: Env, options: IakerbOptions) {
    this.#request = request
    this.#env = env
    this.#options = options
  }

  *step(token?: Uint8Array): KrbExchange<Leg> {
    if (this.#krb5) return yield* this.#krb5.step(token)
    const proxied = token && readProxyToken(token)
    if (proxied) return { token: yield* this.#forward(token!, proxied) }
    this.#krb5 = new AcceptorHandshake(this.#request, this.#env, this.#conversation)
    return yield* this.#krb5.step(token)
  }

  *#forward(token: Uint8Array, { realm, message, form }: ProxyToken): KrbExchange<Uint8Array> {
    const { maxMessages = MAX_MESSAGES } = this.#options
    if (++this.#messages > maxMessages) throw defective(`more than ${maxMessages} messages are to be forwarded`)
    this.#conversation.add(token)
    const answering = realm || this.#ownRealms[0] || ''
    const asksForRealm = realm === '' && message.length === 0
    if (!asksForRealm && (realm === '' || !REQUESTS.includes(message[0])))
      throw defective('it holds no request for a KDC')
    const reply = asksForRealm ? message : yield* this.#ask(answering, message)
    return this.#conversation.add(makeProxyToken({ realm: answering, form, message: reply }, false))
  }

  /** The KDC's reply, or the error of §3 when there is none to be had. */
  *#ask(realm: string, message: Uint8Array): KrbExchange<Uint8Array> {
    try {
      if (!this.#asks(realm)) throw new KrbError('REALM_UNKNOWN', `KDCs of ${realm} are not asked for others here`)
      return (yield* askKrb('send', { realm, message })).message
    } catch (cause) {
      if (!(cause instanceof KrbError || cause instanceof TransportError)) throw cause
      const unknown = cause instanceof KrbError && cause.code === 'REALM_UNKNOWN'
      const code = unknown ? 'KRB_AP_ERR_IAKERB_KDC_NOT_FOUND' : 'KRB_AP_ERR_IAKERB_KDC_NO_RESPONSE'
      return refusalMessage(
        new KrbError(code, `no KDC of ${realm} answers`, { cause }),
        ticketGrantingService(realm),
        this.#env,
      )
    }
  }

  #asks(realm: string): boolean {
    const { realms = [] } = this.#options
    return realms === 'any' || realms.includes(realm) || this.#ownRealms.includes(realm)
  }

  /** The realms of the acceptor's names; the first is its own. */
  get #ownRealms(): readonly string[] {
    const element = this.#request.credentials.element(mechanismOids.krb5)
    const acceptor = element instanceof Krb5Credential ? element.acceptor : undefined
    const keys = acceptor?.keys.map(({ principal }) => principal.realm) ?? []
    return acceptor?.principal?.realm ? [acceptor.principal.realm, ...keys] : keys
  }

  [Symbol.dispose](): void {
    this.#krb5?.[Symbol.dispose]()
  }
}
