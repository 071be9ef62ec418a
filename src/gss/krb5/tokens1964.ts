/** Per-message tokens of RFC 1964 §1.2 for DES3 and RC4 (RFC 4757 §7): octets and keys in, octets out; no state. @module */
import { concat, equal } from '../../bytes/index.ts'
import type { Random } from '../../crypto/random.ts'
import { GssError } from '../error.ts'
import { algorithmsOf, type LegacyAlgorithms } from './algorithms1964.ts'
import { frameToken, unframeToken } from './framing.ts'
import type { Direction, Opened } from './tokens.ts'

/** Token identifiers (RFC 1964 §1.2.1 to §1.2.3). */
const tokenIds = { mic: 0x0101, delete: 0x0102, wrap: 0x0201 } as const
/** Identifier, algorithms and filler: what a checksum covers beside the message. */
const HEADER_SIZE = 8
const SEQUENCE_SIZE = 8
/** Octets in front of a message. */
export const CONFOUNDER_SIZE = 8
const NO_SEAL = 0xffff
const FILLER = 0xff
/** What the four octets behind the sequence number are when the acceptor sends; zero when the initiator does. */
const FROM_ACCEPTOR = 0xff
/** Octets of the frame around the longest token that fits into 4 GiB: tag, length and the mechanism's identifier. */
const FRAME_SIZE_MAX = 1 + 5 + 11
/** Sequence numbers have 32 bits. */
const sequences = 2 ** 32

/** MIC token over `message` (RFC 1964 §1.2.1). */
const makeMic = (message: Uint8Array, sequenceNumber: number, direction: Direction): Uint8Array =>
  makeSigned('mic', message, sequenceNumber, direction)

/** Checks a MIC token; gives its sequence number. Throws {@link GssError}. */
const verifyMic = (message: Uint8Array, token: Uint8Array, direction: Direction): number =>
  verifySigned('mic', message, token, direction)

/** Wrap token around `message` (RFC 1964 §1.2.2). */
function makeWrap(
  message: Uint8Array,
  encrypt: boolean,
  sequenceNumber: number,
  direction: Direction,
  random: Random,
): Uint8Array {
  const text = concat(random(CONFOUNDER_SIZE), message, paddingFor(message.length, blockOf(direction)))
  return sealText(text, [text], { encrypt, sequenceNumber, framed: text.length }, direction)
}

/** Opens a wrap token. Throws {@link GssError}. */
const openWrap = (token: Uint8Array, direction: Direction): Opened => openText(unframeToken(token), direction)

/** Octets that messages under this key are filled up to a multiple of. */
export function blockOf({ key }: Pick<Direction, 'key'>): number {
  using algorithms = algorithmsOf(key)
  return algorithms.padding
}

/** RFC 1964 §1.2.2.3: at least one octet of padding behind `size` others, and each says how many there are. */
export function paddingFor(size: number, block: number): Uint8Array {
  const fill = block - (size % block)
  return new Uint8Array(fill).fill(fill)
}

/** How a wrap token is sealed. */
interface Sealing {
  readonly encrypt: boolean
  readonly sequenceNumber: number
  /** As many octets of the text stand inside the token's frame. */
  readonly framed: number
}

/**
 * Encrypts confounder, message and padding in place; gives the token of the first octets of it. `signed` is what the checksum
 * covers, before that: the same, and what is only signed.
 */
export function sealText(
  text: Uint8Array,
  signed: readonly Uint8Array[],
  { encrypt, sequenceNumber, framed }: Sealing,
  direction: Direction,
): Uint8Array {
  using algorithms = algorithmsOf(direction.key)
  const head = header(tokenIds.wrap, algorithms.id, encrypt ? algorithms.sealId : NO_SEAL)
  const checksum = algorithms.sign('wrap', [head, ...signed])
  if (encrypt) algorithms.encrypt(text, sequenceNumber % sequences)
  const field = sequenceField(sequenceNumber, checksum, direction, algorithms)
  return frameToken(concat(head, field, checksum, text.subarray(0, framed)))
}

/** How a wrap token is opened. */
interface Opening {
  /** Whether padding ends the text: in pieces of DCE style there is none. */
  readonly padded: boolean
  /** What the checksum covers of the text, which has a message of `size` octets, and besides. */
  readonly signed: (text: Uint8Array, size: number) => readonly Uint8Array[]
}

/** Opens what stood in the frame of a wrap token, and all that goes with it. Throws {@link GssError}. */
export function openText(
  inner: Uint8Array,
  direction: Direction,
  { padded, signed }: Opening = { padded: true, signed: (text) => [text] },
): Opened {
  using algorithms = algorithmsOf(direction.key)
  const { sealId, padding } = algorithms
  const { head, sealed, checksum, rest, sequenceNumber } = readToken('wrap', inner, direction, algorithms)
  const encrypted = sealed !== NO_SEAL
  if (encrypted && sealed !== sealId) throw defective(`its seal algorithm is ${hex(sealed)}`)
  if (rest.length < CONFOUNDER_SIZE + Number(padded) || rest.length % padding !== 0)
    throw defective(`no wrapped message has ${rest.length} octets`)
  const text = new Uint8Array(rest)
  if (encrypted) algorithms.decrypt(text, sequenceNumber)
  const fill = padded ? text[text.length - 1]! : 0
  const size = text.length - CONFOUNDER_SIZE - fill
  if (!equal(algorithms.sign('wrap', [head, ...signed(text, Math.max(size, 0))]), checksum)) throw badSignature()
  if (size < 0 || (padded && (fill === 0 || fill > padding)))
    throw defective(`it says that ${fill} octets of padding follow`)
  return { message: text.subarray(CONFOUNDER_SIZE, CONFOUNDER_SIZE + size), encrypted, sequenceNumber }
}

/** The largest message whose wrap token has at most `size` octets, encrypted or not; 0 when none fits. */
function largestMessage(size: number, _encrypt: boolean, { key }: Direction): number {
  using algorithms = algorithmsOf(key)
  const { checksumSize, padding } = algorithms
  const room = size - FRAME_SIZE_MAX - HEADER_SIZE - SEQUENCE_SIZE - checksumSize - CONFOUNDER_SIZE
  return Math.max(0, room - (room % padding) - 1)
}

/** The token that tells the peer that the context is deleted (RFC 1964 §1.2.3). */
const makeDeletion = (sequenceNumber: number, direction: Direction): Uint8Array =>
  makeSigned('delete', new Uint8Array(0), sequenceNumber, direction)

/** Checks such a token; gives its sequence number. Throws {@link GssError}. */
const verifyDeletion = (token: Uint8Array, direction: Direction): number =>
  verifySigned('delete', new Uint8Array(0), token, direction)

function makeSigned(
  kind: 'mic' | 'delete',
  message: Uint8Array,
  sequenceNumber: number,
  direction: Direction,
): Uint8Array {
  using algorithms = algorithmsOf(direction.key)
  const head = header(tokenIds[kind], algorithms.id, NO_SEAL)
  const checksum = algorithms.sign('mic', [head, message])
  return frameToken(concat(head, sequenceField(sequenceNumber, checksum, direction, algorithms), checksum))
}

function verifySigned(kind: 'mic' | 'delete', message: Uint8Array, token: Uint8Array, direction: Direction): number {
  using algorithms = algorithmsOf(direction.key)
  const { head, sealed, checksum, rest, sequenceNumber } = readToken(kind, unframeToken(token), direction, algorithms)
  if (sealed !== NO_SEAL) throw defective(`its seal algorithm is ${hex(sealed)}`)
  if (rest.length > algorithms.slack) throw defective('it is longer than its checksum')
  if (!equal(algorithms.sign('mic', [head, message]), checksum)) throw badSignature()
  return sequenceNumber
}

function header(id: number, signId: number, sealId: number): Uint8Array {
  return Uint8Array.of(id >> 8, id, signId, signId >> 8, sealId, sealId >> 8, FILLER, FILLER)
}

/** RFC 1964 §1.2.1.2: number and sender, encrypted under the checksum. RFC 4757 §7.3 turns the number's octets round. */
function sequenceField(
  sequenceNumber: number,
  checksum: Uint8Array,
  { fromAcceptor }: Direction,
  algorithms: LegacyAlgorithms,
): Uint8Array {
  const field = new Uint8Array(SEQUENCE_SIZE)
  new DataView(field.buffer).setUint32(0, sequenceNumber % sequences, algorithms.littleEndian)
  field.fill(fromAcceptor ? FROM_ACCEPTOR : 0, 4)
  algorithms.encryptSequence(field, checksum)
  return field
}

interface Read {
  /** What the checksum covers beside the message. */
  readonly head: Uint8Array
  readonly sealed: number
  readonly checksum: Uint8Array
  readonly rest: Uint8Array
  readonly sequenceNumber: number
}

function readToken(
  kind: keyof typeof tokenIds,
  inner: Uint8Array,
  { fromAcceptor }: Direction,
  algorithms: LegacyAlgorithms,
): Read {
  const { id, checksumSize, littleEndian } = algorithms
  if (inner.length < HEADER_SIZE + SEQUENCE_SIZE + checksumSize)
    throw defective(`it has ${inner.length} octets in its frame, too few for its checksum`)
  const view = new DataView(inner.buffer, inner.byteOffset, inner.length)
  if (view.getUint16(0) !== tokenIds[kind]) throw defective(`its identifier is ${hex(view.getUint16(0))}`)
  if (view.getUint16(2, true) !== id) throw defective(`its signature algorithm is ${hex(view.getUint16(2, true))}`)
  if (view.getUint16(6) !== NO_SEAL) throw defective('its filler is not FF')
  const field = inner.slice(HEADER_SIZE, HEADER_SIZE + SEQUENCE_SIZE)
  const checksum = inner.subarray(HEADER_SIZE + SEQUENCE_SIZE, HEADER_SIZE + SEQUENCE_SIZE + checksumSize)
  algorithms.decryptSequence(field, checksum)
  const sender = field.subarray(4)
  if (!equal(sender, new Uint8Array(4).fill(fromAcceptor ? FROM_ACCEPTOR : 0)))
    throw new GssError('GSS_S_BAD_SIG', 'the message token was changed, or sent by this very side')
  return {
    head: inner.subarray(0, HEADER_SIZE),
    sealed: view.getUint16(4, true),
    checksum,
    rest: inner.subarray(HEADER_SIZE + SEQUENCE_SIZE + checksumSize),
    sequenceNumber: new DataView(field.buffer).getUint32(0, littleEndian),
  }
}

const hex = (number: number) => number.toString(16).padStart(4, '0')
const defective = (why: string) => new GssError('GSS_S_DEFECTIVE_TOKEN', `the message token is malformed: ${why}`)
const badSignature = () => new GssError('GSS_S_BAD_SIG', 'the message token was changed, or made with another key')

/** The tokens of RFC 1964, as one of two families. */
export const rfc1964 = {
  makeMic,
  verifyMic,
  makeWrap,
  openWrap,
  largestMessage,
  makeDeletion,
  verifyDeletion,
  sequences,
} as const
