/** The password server of a KDC: RFC 3244, as a function from request octets to reply octets. @module */
import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { equal, fromUtf8, toBase64 } from '../bytes/index.ts'
import { Key } from '../crypto/key.ts'
import { type Env, seconds } from '../krb5/env.ts'
import { errorCode, errorCodes, type KrbErrorCode } from '../krb5/errorcodes.ts'
import { KrbError } from '../krb5/errors.ts'
import { type Accepted, acceptAp } from '../krb5/exchanges/accept.ts'
import { initialSequenceNumber, makeApReply } from '../krb5/exchanges/ap.ts'
import { passwordService } from '../krb5/exchanges/password.ts'
import {
  formatPasswordFrame,
  type PasswordFrame,
  parsePasswordFrame,
  passwordVersions,
} from '../krb5/exchanges/passwordframe.ts'
import { makePriv, readPriv } from '../krb5/exchanges/priv.ts'
import { refusalMessage } from '../krb5/exchanges/refusal.ts'
import type { HostAddress } from '../krb5/messages/basics.ts'
import { messageTypes } from '../krb5/messages/codes.ts'
import { ChangePasswdData } from '../krb5/messages/password.ts'
import { formatPrincipal, type Principal, principalOf, samePrincipal } from '../krb5/names.ts'
import { formatPasswordResult, type PasswordResult } from '../krb5/passwordresult.ts'
import type { KrbExchange } from '../krb5/questions.ts'
import { MemoryReplayCache } from '../krb5/replay.ts'
import type { PasswordDatabase } from './database.ts'
import type { Faults } from './faults.ts'
import { requireUsable } from './policy.ts'

/** A change that is asked for. */
export interface AskedChange {
  /** Who asks. */
  readonly client: Principal
  /** Whose password it is. */
  readonly target: Principal
  readonly newPassword: string
}

/** What a password server is made of. */
export interface KpasswdOptions {
  readonly realm: string
  readonly database: PasswordDatabase
  readonly env: Env
  /** Why a new password is not good enough, in words for its user; undefined when it is. Any but an empty one, unless said. */
  readonly quality?: ((change: AskedChange) => string | undefined) | undefined
  /** Whether `client` may set the password of another; nobody, unless said. */
  readonly maySet?: ((client: Principal, target: Principal) => boolean) | undefined
  /** What is to be wrong with it; nothing unless said. */
  readonly faults?: Pick<Faults, 'error' | 'result'> | undefined
  /** Told of every request that proved who asks. */
  readonly log?: ((event: KpasswdEvent) => void) | undefined
}

/** What a password server did with a request. */
export interface KpasswdEvent {
  readonly client: string
  readonly target: string
  readonly outcome: 'changed' | KrbErrorCode
}

/** A password server: request octets in, reply octets out. */
export interface KpasswdFunction {
  /**
   * The reply to a request that reached us at `address`; undefined for octets that hold no AP-REQ, which nobody should
   * answer: two servers could go on answering each other (CVE-2002-2443).
   */
  answer(request: Uint8Array, address: HostAddress): KrbExchange<Uint8Array | undefined>
  /**
   * The same at once, with a replay cache of its own. A request that comes again is given the reply it had, also where
   * the same words are sealed anew: MIT's client makes one AP-REQ, and a KRB-PRIV for each connection that it tries. With
   * other words the AP-REQ is a replay (RFC 4120 §3.2.3), and nothing is changed.
   */
  handle(request: Uint8Array, address: HostAddress): Uint8Array | undefined
}

/** Replies that are kept for requests that come again, as datagrams do. */
const MAX_KEPT = 64

/** The longest password that is taken, in octets. */
const MAX_PASSWORD = 1024

/** A password server for `realm`, with the keys of kadmin/changepw in the database. It never throws, whatever the octets. */
export function createKpasswd(options: KpasswdOptions): KpasswdFunction {
  const replays = new MemoryReplayCache()
  const kept = new Map<string, Kept>()
  return {
    *answer(octets, address) {
      const { reply, proof } = yield* answerChange(octets, address, options)
      proof?.subkey[Symbol.dispose]()
      return reply
    },
    handle(octets, address) {
      const frame = parsePasswordFrame(octets)
      const id = toBase64(frame?.ap ?? octets)
      const known = kept.get(id)
      if (known && (equal(known.octets, octets) || (frame && saysTheSame(known, frame, options.env))))
        return known.reply
      const { reply, proof } = atOnce(answerChange(octets, address, options), replays)
      if (!reply || known) proof?.subkey[Symbol.dispose]()
      else kept.set(id, { octets, reply, proof })
      const [oldest] = kept
      if (kept.size > MAX_KEPT && oldest) {
        kept.delete(oldest[0])
        oldest[1].proof?.subkey[Symbol.dispose]()
      }
      return reply
    },
  }
}

/** What opens a client's KRB-PRIV. */
interface Proof {
  readonly subkey: Key
  readonly sequenceNumber: number
}

/** A reply, and the proof when the client gave one: its key is whoever's who gets it. */
interface Answered {
  readonly reply?: Uint8Array | undefined
  readonly proof?: Proof | undefined
}

/** A request that was answered. */
interface Kept extends Answered {
  readonly octets: Uint8Array
}

/** Whether a frame seals what the one before it sealed, with the same key. */
function saysTheSame({ octets, proof }: Kept, { version, rest }: PasswordFrame, env: Env): boolean {
  const before = parsePasswordFrame(octets)
  if (!proof || before?.version !== version) return false
  const [first, second] = [before.rest, rest].map((sealed) => atOnce(open(sealed, proof, env), new MemoryReplayCache()))
  const same = first instanceof Uint8Array && second instanceof Uint8Array && equal(first, second)
  for (const opened of [first, second]) if (opened instanceof Uint8Array) opened.fill(0)
  return same
}

/** Runs an exchange that asks for replays alone. */
function atOnce<T>(exchange: KrbExchange<T>, replays: MemoryReplayCache): T {
  let step = exchange.next()
  while (!step.done) {
    const question = step.value
    try {
      if (question.kind !== 'replay')
        throw new KrbError('KDC_ERR_SVC_UNAVAILABLE', `nobody here answers a question (${question.kind})`)
      step = exchange.next(replays.seen(question.ask))
    } catch (error) {
      step = exchange.throw(error)
    }
  }
  return step.value
}

function* answerChange(octets: Uint8Array, address: HostAddress, options: KpasswdOptions): KrbExchange<Answered> {
  const { realm, database, env, faults = {} } = options
  const service = passwordService(realm)
  const frame = parsePasswordFrame(octets)
  if (frame?.ap[0] !== (0x60 | messageTypes.apReq)) return {}
  const { error: fault } = faults
  if (fault) return { reply: unproven(new KrbError(fault, 'a fault that was asked for'), frame, service, env) }
  const { keys = [], kvno = 0 } = database.lookup(service) ?? {}
  const acceptor = { keys: keys.map((key) => ({ principal: service, kvno, key })), principal: service }
  let accepted: Accepted
  try {
    accepted = yield* acceptAp(frame.ap, acceptor, env)
  } catch (error) {
    if (!(error instanceof KrbError)) throw error
    return { reply: unproven(error, frame, service, env) }
  }
  using proven = accepted
  const { authenticator, subkey } = proven
  const proof = subkey && { subkey, sequenceNumber: authenticator.seqNumber ?? 0 }
  const opened = yield* open(frame.rest, proof, env)
  if (opened instanceof KrbError) return { reply: unproven(opened, frame, service, env) }
  const result = faults.result ?? carryOut(frame.version, opened, proven, options)
  opened.fill(0)
  const own = proof && { ...proof, subkey: new Key(proof.subkey.enctype, proof.subkey.octets()) }
  return { reply: reply(result, proven, address, env), proof: own }
}

/** What the client sealed for us; a KrbError when it does not open. */
function* open(rest: Uint8Array, proof: Proof | undefined, env: Env): KrbExchange<Uint8Array | KrbError> {
  if (!proof) return new KrbError('KRB_AP_ERR_NOKEY', 'the authenticator has no subkey (RFC 3244 §2)')
  try {
    const reader = { key: proof.subkey, sequenceNumber: proof.sequenceNumber, timestamps: false }
    return (yield* readPriv(rest, reader, env)).userData.slice()
  } catch (error) {
    if (error instanceof KrbError) return error
    throw error
  }
}

function carryOut(version: number, userData: Uint8Array, proven: Accepted, options: KpasswdOptions): PasswordResult {
  const { client, ticket } = proven
  const { database, env, quality = refuseEmpty, maySet = () => false, log } = options
  let target = client
  try {
    const asked = read(version, userData, client)
    target = asked.target
    const own = samePrincipal(target, client)
    if (!ticket.flags.has('initial') && own)
      throw refusal('KRB5_KPASSWD_INITIAL_FLAG_NEEDED', 'The ticket must have been got with the password.')
    if (!own && !maySet(client, target))
      throw refusal('KRB5_KPASSWD_ACCESSDENIED', `${formatPrincipal(client)} may not set passwords of others`)
    const record = database.lookup(target)
    if (!record) throw refusal('KRB5_KPASSWD_HARDERROR', `there is no ${formatPrincipal(target)}`)
    requireUsable(record, 'client', seconds(env.now()), true)
    const objection = quality(asked)
    if (objection !== undefined) throw refusal('KRB5_KPASSWD_SOFTERROR', objection)
    database.setPassword(target, asked.newPassword)
    log?.({ client: formatPrincipal(client), target: formatPrincipal(target), outcome: 'changed' })
    return { code: 0, text: 'Password changed' }
  } catch (error) {
    if (!(error instanceof KrbError)) throw error
    log?.({ client: formatPrincipal(client), target: formatPrincipal(target), outcome: error.code })
    return error.result ?? { code: resultOf('KRB5_KPASSWD_HARDERROR'), text: errorCode(error.code).meaning }
  }
}

/** A refusal, and what the user is told of it. */
const refusal = (code: KrbErrorCode, text: string, cause?: unknown): KrbError =>
  new KrbError(code, text, { cause, result: { code: resultOf(code), text } })

/** The result code that an error stands for (RFC 3244 §2). */
const resultOf = (code: KrbErrorCode): number => -100 - errorCodes[code].number

const refuseEmpty = ({ newPassword }: AskedChange): string | undefined =>
  newPassword === '' ? 'The new password is empty.' : undefined

/** The change that version 1 or version 0xff80 asks for. Throws KrbError. */
function read(version: number, userData: Uint8Array, client: Principal): AskedChange {
  if (version === passwordVersions.change) return { client, target: client, newPassword: textOf(userData) }
  if (version !== passwordVersions.set)
    throw refusal('KRB5_KPASSWD_BAD_VERSION', `version ${version} is not spoken here`)
  const { newpasswd, targname, targrealm = client.realm } = readSet(userData)
  const target = targname ? principalOf(targname, targrealm) : client
  return { client, target, newPassword: textOf(newpasswd) }
}

function readSet(userData: Uint8Array): ChangePasswdData {
  try {
    return decode(ChangePasswdData, userData)
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw refusal('KRB5_KPASSWD_MALFORMED', `no ChangePasswdData (${cause.message})`, cause)
  }
}

function textOf(octets: Uint8Array): string {
  if (octets.length > MAX_PASSWORD)
    throw refusal('KRB5_KPASSWD_SOFTERROR', `The new password has more than ${MAX_PASSWORD} octets.`)
  try {
    return fromUtf8(octets)
  } catch (cause) {
    throw refusal('KRB5_KPASSWD_SOFTERROR', 'The new password is not text in UTF-8.', cause)
  }
}

function reply({ code, text }: PasswordResult, proven: Accepted, address: HostAddress, env: Env): Uint8Array {
  const { authenticator, sessionKey, subkey } = proven
  const sequenceNumber = initialSequenceNumber(env)
  const repeated = { time: authenticator.ctime, micros: authenticator.cusec, subkey: undefined, sequenceNumber }
  const rest = makePriv(formatPasswordResult({ code, text }), { key: subkey!, address, sequenceNumber }, env)
  return formatPasswordFrame({ version: passwordVersions.change, ap: makeApReply(sessionKey, repeated, env), rest })
}

/** A KRB-ERROR to somebody who proved nothing: bare, but in a frame for a client of version 1 (RFC 3244 §2). */
function unproven(error: KrbError, { version }: PasswordFrame, service: Principal, env: Env): Uint8Array {
  const code = resultOf('KRB5_KPASSWD_AUTHERROR')
  const message = refusalMessage(error, service, env, formatPasswordResult({ code, text: '' }))
  if (version !== passwordVersions.change) return message
  return formatPasswordFrame({ version: passwordVersions.change, ap: new Uint8Array(0), rest: message })
}
