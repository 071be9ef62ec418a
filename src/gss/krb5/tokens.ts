/** Per-message tokens of RFC 4121 §4.2: octets and keys in, octets out; no state. @module */
import { concat } from '../../bytes/index.ts'
import { isSignOnly, type Part, type SignedAt } from '../../crypto/enctypes/profile.ts'
import { IntegrityError } from '../../crypto/error.ts'
import type { Key } from '../../crypto/key.ts'
import type { Random } from '../../crypto/random.ts'
import { keyUsages } from '../../krb5/usages.ts'
import { GssError } from '../error.ts'

/** Octets of a token's header (RFC 4121 §4.2.6). */
export const HEADER_SIZE = 16
const MIC_ID = 0x0404
const WRAP_ID = 0x0504
const FILLER = 0xff
/** Flag bits (RFC 4121 §4.2.2). */
const SENT_BY_ACCEPTOR = 1
const SEALED = 2
const ACCEPTOR_SUBKEY = 4

/** The number of the last token of a context: those behind it are no longer told apart. */
export const LAST_SEQUENCE_NUMBER = Number.MAX_SAFE_INTEGER - 1

/** Who sends, and with which key: what both ends of one direction agree on. */
export interface Direction {
  readonly key: Key
  readonly fromAcceptor: boolean
  /** Whether `key` is the acceptor's choice. */
  readonly acceptorSubkey: boolean
  /** Whether tokens are laid out as Windows has them for RPC. */
  readonly dceStyle: boolean
}

/** A token that was opened. */
export interface Opened {
  readonly message: Uint8Array
  readonly encrypted: boolean
  readonly sequenceNumber: number
}

const sealUsage = ({ fromAcceptor }: Direction) => (fromAcceptor ? keyUsages.acceptorSeal : keyUsages.initiatorSeal)
const signUsage = ({ fromAcceptor }: Direction) => (fromAcceptor ? keyUsages.acceptorSign : keyUsages.initiatorSign)

/** MIC token over `message` (RFC 4121 §4.2.6.1). */
function makeMic(message: Uint8Array, sequenceNumber: number, direction: Direction): Uint8Array {
  const head = header(MIC_ID, direction, false, sequenceNumber)
  head.fill(FILLER, 3, 8)
  return concat(head, direction.key.checksum(signUsage(direction), [message, head]))
}

/** Checks a MIC token; gives its sequence number. Throws {@link GssError}. */
function verifyMic(message: Uint8Array, token: Uint8Array, direction: Direction): number {
  const head = readHeader(token, MIC_ID, direction)
  for (let i = 3; i < 8; i++) if (token[i] !== FILLER) throw defective('its filler is not FF')
  if (head.sealed) throw defective('its flags say that it is sealed')
  if (token.length !== HEADER_SIZE + direction.key.enctype.checksumSize) throw defective('its length is wrong')
  const signed = [message, token.subarray(0, HEADER_SIZE)]
  if (!direction.key.verify(signUsage(direction), signed, token.subarray(HEADER_SIZE))) throw badSignature()
  return head.sequenceNumber
}

/** The header being sealed: written anew for each token, as an array of its own costs as much as encrypting it. */
const sealedHead = new Uint8Array(HEADER_SIZE)

/** Wrap token around `message` (RFC 4121 §4.2.6.2), never rotated. */
function makeWrap(
  message: Uint8Array,
  encrypt: boolean,
  sequenceNumber: number,
  direction: Direction,
  random: Random,
): Uint8Array {
  if (!encrypt) {
    const { header: head, payload } = sealEnvelope([message], { encrypt, sequenceNumber }, direction, random)
    return concat(head, payload)
  }
  writeHeader(sealedHead, WRAP_ID, direction, true, sequenceNumber)
  const token = direction.key.encryptBehind(HEADER_SIZE, sealUsage(direction), [message, sealedHead], random)
  for (let i = 0; i < HEADER_SIZE; i++) token[i] = sealedHead[i]!
  return token
}

/** How an {@link sealEnvelope envelope} is made. */
export interface EnvelopeOptions {
  readonly encrypt: boolean
  readonly sequenceNumber: number
  /** Octets of filler behind the message ("extra count"), where it is encrypted. */
  readonly filler?: number
}

/** A wrap token in two parts: the header, whose rotation is for the caller to set, and what follows, unrotated. */
export function sealEnvelope(
  parts: readonly Part[],
  { encrypt, sequenceNumber, filler = 0 }: EnvelopeOptions,
  direction: Direction,
  random: Random,
): { readonly header: Uint8Array; readonly payload: Uint8Array } {
  const { key } = direction
  const usage = sealUsage(direction)
  const head = header(WRAP_ID, direction, encrypt, sequenceNumber)
  if (encrypt) {
    head[5] = filler
    const extra = filler === 0 ? [] : [new Uint8Array(filler).fill(FILLER)]
    return { header: head, payload: key.encryptBehind(0, usage, [...parts, ...extra, head], random) }
  }
  const signed = parts.map((part) => (isSignOnly(part) ? part.signOnly : part))
  const checksum = key.checksum(usage, [...signed, head])
  head[4] = checksum.length >> 8
  head[5] = checksum.length
  return { header: head, payload: concat(...parts.flatMap((part) => (isSignOnly(part) ? [] : [part])), checksum) }
}

/** Opens a wrap token, rotated or not (RFC 4121 §4.2.4, §4.2.5). Throws {@link GssError}. */
const openWrap = (token: Uint8Array, direction: Direction): Opened => openEnvelope(token, direction, [])

/**
 * Opens a wrap token together with what was only signed; `rotated` says that its rotation is undone already, and what it
 * was. Throws {@link GssError}.
 */
export function openEnvelope(
  token: Uint8Array,
  direction: Direction,
  signed: readonly SignedAt[],
  rotated?: number,
): Opened {
  const { key } = direction
  const { sealed, sequenceNumber } = readHeader(token, WRAP_ID, direction)
  if (token[3] !== FILLER) throw defective('its filler is not FF')
  const extra = (token[4]! << 8) | token[5]!
  const rotation = (token[6]! << 8) | token[7]!
  if (rotated !== undefined && rotated !== rotation) throw defective('its rotation is not that of its pieces')
  // For RPC, Windows rotates by the extra count as well (MS-KILE §3.4.5.4.1).
  const shift = sealed && direction.dceStyle && rotation > 0 ? rotation + extra : rotation
  const payload = rotateLeft(token.subarray(HEADER_SIZE), rotated === undefined ? shift : 0)
  if (!sealed) {
    const size = payload.length - key.enctype.checksumSize
    if (extra !== key.enctype.checksumSize || size < 0)
      throw defective('its extra count is not the size of its checksum')
    const head = token.slice(0, HEADER_SIZE).fill(0, 4, 8)
    const message = payload.subarray(0, size)
    if (!key.verify(sealUsage(direction), [...interleaved(message, signed), head], payload.subarray(size)))
      throw badSignature()
    return { message, encrypted: false, sequenceNumber }
  }
  const { enctype } = key
  const longest = Math.max(0, payload.length - enctype.overhead - HEADER_SIZE - extra)
  const within =
    signed.length === 0 ? signed : signed.map(({ signOnly, at }) => ({ signOnly, at: Math.min(at, longest) }))
  const plaintext = decrypt(key, sealUsage(direction), payload, within)
  const size = plaintext.length - HEADER_SIZE - extra
  if (size < 0) throw defective('its extra count is larger than its contents')
  // The clear header is believed only because the sealed copy says the same (CVE-2024-37370).
  if (!isSealedCopy(token, plaintext, plaintext.length - HEADER_SIZE)) throw badSignature()
  return { message: plaintext.subarray(0, size), encrypted: true, sequenceNumber }
}

/** Whether `plaintext` has at `at` the header of `token`, whose rotation was not known yet when that was sealed. */
function isSealedCopy(token: Uint8Array, plaintext: Uint8Array, at: number): boolean {
  let difference = plaintext[at + 6]! | plaintext[at + 7]!
  for (let i = 0; i < 6; i++) difference |= token[i]! ^ plaintext[at + i]!
  for (let i = 8; i < HEADER_SIZE; i++) difference |= token[i]! ^ plaintext[at + i]!
  return difference === 0
}

/** A message with what is only signed in its places. */
function interleaved(message: Uint8Array, signed: readonly SignedAt[]): readonly Uint8Array[] {
  const parts: Uint8Array[] = []
  let at = 0
  for (const { at: position, signOnly } of signed) {
    const next = Math.max(at, Math.min(message.length, position))
    parts.push(message.subarray(at, next), signOnly)
    at = next
  }
  return [...parts, message.subarray(at)]
}

/** The largest message whose wrap token has at most `size` octets; 0 when none fits. */
function largestMessage(size: number, encrypt: boolean, { key }: Direction): number {
  const overhead = encrypt ? 2 * HEADER_SIZE + key.enctype.overhead : HEADER_SIZE + key.enctype.checksumSize
  return Math.max(0, size - overhead)
}

function header(id: number, direction: Direction, sealed: boolean, sequenceNumber: number): Uint8Array {
  const octets = new Uint8Array(HEADER_SIZE)
  writeHeader(octets, id, direction, sealed, sequenceNumber)
  return octets
}

function writeHeader(
  octets: Uint8Array,
  id: number,
  { fromAcceptor, acceptorSubkey }: Direction,
  sealed: boolean,
  sequenceNumber: number,
): void {
  octets[0] = id >> 8
  octets[1] = id
  octets[2] = (fromAcceptor ? SENT_BY_ACCEPTOR : 0) | (sealed ? SEALED : 0) | (acceptorSubkey ? ACCEPTOR_SUBKEY : 0)
  octets[3] = FILLER
  const high = Math.floor(sequenceNumber / 2 ** 32)
  for (let i = 0; i < 4; i++) {
    octets[8 + i] = high >>> (24 - 8 * i)
    octets[12 + i] = sequenceNumber >>> (24 - 8 * i)
  }
}

function readHeader(token: Uint8Array, expected: number, { fromAcceptor, acceptorSubkey }: Direction) {
  if (token.length < HEADER_SIZE) throw defective(`it has ${token.length} octets, the header alone ${HEADER_SIZE}`)
  const id = (token[0]! << 8) | token[1]!
  if (id !== expected) throw defective(`its identifier is ${id.toString(16).padStart(4, '0')}`)
  const flags = token[2]!
  if ((flags & SENT_BY_ACCEPTOR) !== (fromAcceptor ? SENT_BY_ACCEPTOR : 0))
    throw new GssError('GSS_S_BAD_SIG', 'the token was sent by this very side')
  if ((flags & ACCEPTOR_SUBKEY) !== (acceptorSubkey ? ACCEPTOR_SUBKEY : 0))
    throw defective('it names another key than the context has')
  let sequenceNumber = 0
  for (let i = 8; i < HEADER_SIZE; i++) sequenceNumber = sequenceNumber * 256 + token[i]!
  // They begin below 2^32: nobody sends that many, and those behind would be taken for one another.
  if (sequenceNumber > LAST_SEQUENCE_NUMBER) throw defective('its number is larger than any that a context comes to')
  return { sealed: (flags & SEALED) !== 0, sequenceNumber }
}

/** Undoes a right rotation by `count` octets (RFC 4121 §4.2.5). */
function rotateLeft(payload: Uint8Array, count: number): Uint8Array {
  const shift = payload.length === 0 ? 0 : count % payload.length
  return shift === 0 ? payload : concat(payload.subarray(shift), payload.subarray(0, shift))
}

function decrypt(key: Key, usage: number, ciphertext: Uint8Array, signed: readonly SignedAt[]): Uint8Array {
  try {
    return key.decrypt(usage, ciphertext, signed)
  } catch (cause) {
    if (!(cause instanceof IntegrityError)) throw cause
    throw badSignature(cause)
  }
}

const defective = (why: string) => new GssError('GSS_S_DEFECTIVE_TOKEN', `the message token is malformed: ${why}`)
const badSignature = (cause?: unknown) =>
  new GssError('GSS_S_BAD_SIG', 'the message token was changed, or made with another key', { cause })

/** The tokens of RFC 4121, as one of two families. */
export const rfc4121 = { makeMic, verifyMic, makeWrap, openWrap, largestMessage } as const
