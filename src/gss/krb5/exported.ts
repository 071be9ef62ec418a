/** A context as MIT krb5 1.19 and later export it, half-open ones too: C programs continue ours, and we theirs. @module */
import { BoundsError, OctetReader, OctetWriter } from '../../bytes/cursor.ts'
import { fromUtf8, utf8 } from '../../bytes/index.ts'
import { enctypeById } from '../../crypto/enctypes/table.ts'
import type { EncryptionKey } from '../../krb5/messages/basics.ts'
import type { EncTicketPart } from '../../krb5/messages/ticket.ts'
import { ticketFlagBits, ticketFlagsOf } from '../../store/ccacheentry.ts'
import { GssError } from '../error.ts'
import { flagsOf } from '../flags.ts'
import { type ApState, authContextKeys, magic, PartReader, readAuthContext, skipLibrary } from './exportedparts.ts'
import { detectionOf, nothingReceived, type SequenceState } from './sequence.ts'

/** Contents octets of the mechanism's identifier, 1.2.840.113554.1.2.2. */
const KRB5 = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02)
/** Octets of a sequence window, which C writes as it has it in memory. */
const WINDOW_SIZE = 40
const HOST_IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
/** Flag of MIT's auth contexts: its AP-REP has a sequence number. */
const DO_SEQUENCE = 4
/** Seconds that clocks may differ by, as MIT's library has it unless told otherwise. */
const MIT_CLOCK_SKEW = 300

/** What a context knows of the ticket behind it. */
export type TicketFacts = Pick<
  EncTicketPart,
  'authtime' | 'starttime' | 'endtime' | 'renewTill' | 'flags' | 'authorizationData'
>

/** A context as data. */
export interface ExportedContext {
  /** What one more AP-REP is verified with, where that is awaited yet; undefined once the context is established. */
  readonly awaiting?: ApState | undefined
  readonly locallyInitiated: boolean
  /** The 32 bits of context flags. */
  readonly flags: number
  /** Its authorization data, such as the PAC, is for the acceptor alone. */
  readonly ticket: TicketFacts
  /** The number of the next token to send. */
  readonly sendSequence: number
  readonly window: SequenceState
  readonly detectReplay: boolean
  readonly detectDisorder: boolean
  /** This side and the other one: principals with their realms. */
  readonly here: string
  readonly there: string
  /** The initiator's subkey, or the ticket's session key without one. */
  readonly initiatorKey: EncryptionKey
  readonly acceptorSubkey: EncryptionKey | undefined
  /** Whose tokens: RFC 1964's, or RFC 4121's. */
  readonly tokens: 'rfc1964' | 'rfc4121'
}

/** Signature, its size and encryption as RFC 1964 tokens number them; -1 where RFC 4121 has none. */
function algorithms({ tokens, initiatorKey }: ExportedContext): readonly [number, number, number] {
  if (tokens === 'rfc4121') return [-1, 0, -1]
  return initiatorKey.keytype === DES3 ? [0x04, 20, 0x02] : [0x11, 8, 0x10]
}
const DES3 = 16
/** MIT seals with a DES3 key as it is, which it calls des3-cbc-raw. */
const DES3_RAW = 6
const rawKeytype = ({ keytype }: EncryptionKey): number => (keytype === DES3 ? DES3_RAW : keytype)

/** The token that `libgssapi_krb5` imports, on machines of this byte order. */
export function formatContext(context: ExportedContext): Uint8Array {
  const { ticket, initiatorKey, acceptorSubkey, tokens, awaiting } = context
  const writer = new OctetWriter()
  const words = (...values: readonly number[]) => {
    for (const value of values) writer.uint32(value)
  }
  const run = (octets: Uint8Array) => writer.uint32(octets.length).octets(octets)
  const within = (number: number, write: () => void) => {
    words(number)
    write()
    words(number)
  }
  const key = ({ keytype, keyvalue }: EncryptionKey) =>
    within(magic.keyblock, () => {
      words(keytype)
      run(keyvalue)
    })
  run(KRB5)
  within(magic.context, () => {
    words(Number(context.locallyInitiated), Number(!awaiting), Number(acceptorSubkey !== undefined), 0, context.flags)
    writer.octets(new Uint8Array(16)) // the seed of a confounder, which nothing uses
    words(...algorithms(context))
    const { authtime, starttime = 0, endtime, renewTill = 0, authorizationData = [] } = ticket
    words(authtime, starttime, endtime, renewTill, ticketFlagBits(ticket.flags))
    writer.uint64(BigInt(context.sendSequence)).uint64(BigInt(context.window.first))
    within(magic.oid, () => run(KRB5))
    for (const name of [context.here, context.there]) within(magic.principal, () => run(utf8(name)))
    key(initiatorKey)
    if (tokens === 'rfc1964') for (let i = 0; i < 2; i++) key({ ...initiatorKey, keytype: rawKeytype(initiatorKey) })
    if (!isFresh(context)) within(magic.sequence, () => writer.octets(formatWindow(context)))
    // The library's own settings and its AP exchange, which nothing needs any more: as short as it takes them.
    within(magic.library, () => {
      words(0, 0, MIT_CLOCK_SKEW, 0, 0, 0, 0)
      within(magic.clock, () => words(0, 0, 0))
    })
    within(magic.authContext, () => {
      if (!awaiting) return words(0, 0, 0, 0, 0, 0)
      const { sessionKey, time, micros } = awaiting
      words(DO_SEQUENCE, context.window.first, context.sendSequence, 0, 0, 0)
      for (const [number, value] of [
        [authContextKeys.session, sessionKey],
        [authContextKeys.send, acceptorSubkey ?? initiatorKey],
        [authContextKeys.receive, acceptorSubkey ?? initiatorKey],
      ] as const) {
        words(number)
        key(value)
      }
      const number = context.locallyInitiated ? context.sendSequence : context.window.first
      within(magic.authenticator, () => words(time, micros, number, 0))
    })
    words(tokens === 'rfc1964' ? 0 : 1, checksumIdOf(initiatorKey))
    if (acceptorSubkey) key(acceptorSubkey)
    words(acceptorSubkey ? checksumIdOf(acceptorSubkey) : 0, 0)
    words(authorizationData.length)
    for (const { adType, adData } of authorizationData)
      within(magic.authorizationData, () => {
        words(adType)
        run(adData)
      })
  })
  return writer.finish()
}

/** Initiators know nothing of what they are to receive before the acceptor's AP-REP. */
const isFresh = ({ awaiting, locallyInitiated }: Pick<ExportedContext, 'awaiting' | 'locallyInitiated'>): boolean =>
  awaiting !== undefined && locallyInitiated

const checksumIdOf = ({ keytype }: EncryptionKey): number => enctypeById(keytype)?.checksumId ?? 0

/** Whether the token is of a context that is not established yet; false as well for what is no such token. */
export function isHalfOpen(token: Uint8Array): boolean {
  try {
    const reader = new PartReader(mechanismToken(token))
    reader.expect(magic.context)
    reader.skip(1)
    return reader.uint32() === 0
  } catch (error) {
    if (error instanceof BoundsError || error instanceof GssError) return false
    throw error
  }
}

/** Overwrites the keys of what was read. */
export function wipeContext({ initiatorKey, acceptorSubkey, awaiting }: ExportedContext): void {
  for (const key of [initiatorKey, acceptorSubkey, awaiting?.sessionKey]) key?.keyvalue.fill(0)
}

/**
 * Reads such a token, also inside SPNEGO's. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN, and GSS_S_BAD_MECH for another
 * mechanism's.
 */
export function parseContext(token: Uint8Array): ExportedContext {
  let reader: PartReader | undefined
  try {
    reader = new PartReader(mechanismToken(token))
    return readContext(reader)
  } catch (cause) {
    for (const key of reader?.keys ?? []) key.fill(0)
    if (!(cause instanceof BoundsError || cause instanceof TypeError)) throw cause
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `not an exported context of MIT krb5: ${cause.message}`, { cause })
  }
}

/** Contents octets of SPNEGO's identifier, 1.3.6.1.5.5.2: around a context that it negotiated is another token. */
const SPNEGO = '43,6,1,5,5,2'

function mechanismToken(token: Uint8Array, inSpnego = false): Uint8Array {
  const reader = new OctetReader(token)
  const oid = reader.octets(reader.uint32()).join()
  if (oid === SPNEGO && !inSpnego) return mechanismToken(reader.rest(), true)
  if (oid !== KRB5.join()) throw new GssError('GSS_S_BAD_MECH', 'the exported context is of another mechanism')
  return reader.rest()
}

function readContext(reader: PartReader): ExportedContext {
  reader.expect(magic.context)
  const locallyInitiated = reader.uint32() !== 0
  const established = reader.uint32() !== 0
  const hasAcceptorSubkey = reader.uint32() !== 0
  reader.skip(1)
  const flags = reader.uint32()
  reader.skip(4 + 3)
  const times = [reader.uint32(), reader.uint32(), reader.uint32(), reader.uint32()] as const
  const ticketFlags = ticketFlagsOf(reader.uint32())
  const sendSequence = numberOf(reader.uint64())
  reader.uint64()
  reader.within(magic.oid, () => reader.skipRun())
  const [here, there] = [1, 2].map(() => reader.within(magic.principal, () => fromUtf8(reader.run())))
  const initiatorKey = reader.key()
  let next = reader.uint32()
  for (; next === magic.keyblock; next = reader.uint32()) reader.skipTyped(next, true)
  let window: Window | undefined
  if (next === magic.sequence) {
    window = parseWindow(reader.octets(WINDOW_SIZE))
    reader.expect(magic.sequence)
    next = reader.uint32()
  }
  if (next !== magic.library) throw new BoundsError(`no settings before offset ${reader.offset}`)
  skipLibrary(reader)
  const awaiting = readAuthContext(reader, !established)
  if (!established && !awaiting) throw new BoundsError('a half-open context without its AP exchange')
  const tokens = reader.uint32() === 0 ? 'rfc1964' : 'rfc4121'
  reader.skip(1)
  const acceptorSubkey = hasAcceptorSubkey ? reader.key() : undefined
  reader.skip(2)
  const authorizationData = Array.from({ length: reader.count() }, () => reader.typed(magic.authorizationData))
  const [authtime, starttime, endtime, renewTill] = times
  const ticket = {
    ...{ authtime, endtime, flags: ticketFlags },
    ...(starttime ? { starttime } : {}),
    ...(renewTill ? { renewTill } : {}),
    ...(authorizationData.length > 0 ? { authorizationData } : {}),
  }
  window ??= established || !locallyInitiated ? undefined : windowOf(flags)
  if (!window) throw new BoundsError('a context without a sequence window')
  const common = { locallyInitiated, flags, ticket, sendSequence, initiatorKey, acceptorSubkey, tokens } as const
  return { ...common, ...window, ...(awaiting && { awaiting }), here: here!, there: there! }
}

/** Numbers of RFC 1964 tokens have 32 bits. */
const maskOf = (tokens: ExportedContext['tokens']) => (tokens === 'rfc1964' ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn)

function formatWindow({ window, detectReplay, detectDisorder, tokens }: ExportedContext) {
  const { first, next, received } = window
  return new OctetWriter({ littleEndian: HOST_IS_LITTLE })
    .uint32(Number(detectReplay))
    .uint32(Number(detectDisorder))
    .uint64(maskOf(tokens))
    .uint64(BigInt(first))
    .uint64(BigInt(next - first))
    .uint64(received)
    .finish()
}

type Window = Pick<ExportedContext, 'window' | 'detectReplay' | 'detectDisorder'>

/** The window of whoever received nothing yet. */
function windowOf(flags: number): Window {
  const asked = flagsOf(flags)
  return { window: nothingReceived, ...detectionOf(asked) }
}

function parseWindow(octets: Uint8Array): Window {
  const reader = new OctetReader(octets, { littleEndian: HOST_IS_LITTLE })
  const [detectReplay, detectDisorder] = [reader.uint32() !== 0, reader.uint32() !== 0]
  reader.uint64()
  const first = numberOf(reader.uint64())
  const next = numberOf(BigInt(first) + reader.uint64())
  return { detectReplay, detectDisorder, window: { first, next, received: reader.uint64() } }
}

/** Contexts begin below 2^32 and would have to send for ages to get out of what a number holds. */
function numberOf(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BoundsError(`a sequence number of ${value}`)
  return Number(value)
}
