/** Wrap tokens in pieces (RFC 4121 §4.2.4; MS-KILE §3.4.5.4 and MIT's gss_wrap_iov for what it leaves open): no state. @module */
import { concat } from '../../bytes/index.ts'
import type { Part, SignedAt } from '../../crypto/enctypes/profile.ts'
import type { Random } from '../../crypto/random.ts'
import { GssError } from '../error.ts'
import type { IovBuffer, IovType } from '../iov.ts'
import { type Direction, HEADER_SIZE, type Opened, openEnvelope, sealEnvelope } from './tokens.ts'

/** Octets of filler that DCE style puts before the copy of the header: Windows refuses none. */
const DCE_FILLER = 16
const EMPTY = new Uint8Array(0)

/** The pieces filled in. Throws {@link GssError} GSS_S_FAILURE without a header, or with a second one. */
export function wrapPieces(
  buffers: readonly IovBuffer[],
  encrypt: boolean,
  sequenceNumber: number,
  direction: Direction,
  random: Random,
): readonly IovBuffer[] {
  if (!only(buffers, 'header')) throw new GssError('GSS_S_FAILURE', 'a message in pieces needs one for the header')
  const trailing = only(buffers, 'trailer')
  const filler = encrypt && direction.dceStyle ? DCE_FILLER : 0
  const { header, payload } = sealEnvelope(partsOf(buffers), { encrypt, sequenceNumber, filler }, direction, random)
  const data = buffers.filter(({ type }) => type === 'data')
  const size = data.reduce((sum, { octets = EMPTY }) => sum + octets.length, 0)
  const head = encrypt ? direction.key.enctype.confounderSize : 0
  const [confounder, body, tail] = [
    payload.subarray(0, head),
    payload.subarray(head, head + size),
    payload.subarray(head + size),
  ]
  if (!trailing) {
    // Windows rotates by the filler, too, without saying so (MS-KILE §3.4.5.4.1).
    const rotation = tail.length - filler
    header[6] = rotation >> 8
    header[7] = rotation
  }
  let at = 0
  const next = (octets: Uint8Array) => body.subarray(at, (at += octets.length))
  return buffers.map(({ type, octets = EMPTY }) => {
    if (type === 'header')
      return { type, octets: trailing ? concat(header, confounder) : concat(header, tail, confounder) }
    if (type === 'data') return { type, octets: next(octets) }
    if (type === 'trailer') return { type, octets: tail }
    return { type, octets: type === 'padding' ? EMPTY : octets }
  })
}

/** What the pieces held. */
export interface OpenedPieces extends Omit<Opened, 'message'> {
  readonly buffers: readonly IovBuffer[]
}

/** The pieces as they were before. Throws {@link GssError}. */
export function unwrapPieces(buffers: readonly IovBuffer[], direction: Direction): OpenedPieces {
  const stream = only(buffers, 'stream')
  const { token, rotated } = stream
    ? { token: stream.octets ?? EMPTY, rotated: undefined }
    : assembled(buffers, direction)
  const { message, ...opened } = openEnvelope(token, direction, signedIn(buffers), rotated)
  let at = 0
  const given = buffers.filter(({ type }) => type === 'data')
  const unwrapped = buffers.map((buffer) => {
    if (buffer.type !== 'data') return buffer
    const last = buffer === given.at(-1)
    const size = stream || last ? message.length - at : Math.min(buffer.octets?.length ?? 0, message.length - at)
    return { type: buffer.type, octets: message.subarray(at, (at += size)) }
  })
  return { ...opened, buffers: unwrapped }
}

/** The token that the pieces are parts of, unrotated: `rotated` is the rotation that its header may name. */
function assembled(buffers: readonly IovBuffer[], direction: Direction) {
  const header = only(buffers, 'header')?.octets
  if (!header) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'there is no header among the pieces')
  if (header.length < HEADER_SIZE) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the header is too short')
  const of = (type: IovType) =>
    concat(...buffers.filter((buffer) => buffer.type === type).map(({ octets }) => octets ?? EMPTY))
  const sealed = (header[2]! & 2) !== 0
  const confounder = sealed ? direction.key.enctype.confounderSize : 0
  const [front, rest] = [header.subarray(0, HEADER_SIZE), header.subarray(HEADER_SIZE)]
  if (rest.length < confounder) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the header is too short')
  const split = rest.length - confounder
  const tail = concat(rest.subarray(0, split), of('padding'), of('trailer'))
  const extra = sealed && direction.dceStyle ? (header[4]! << 8) | header[5]! : 0
  return { token: concat(front, rest.subarray(split), of('data'), tail), rotated: split === 0 ? 0 : split - extra }
}

/** The buffer of a type of which there is one at most. Throws {@link GssError} GSS_S_FAILURE for more. */
export function only(buffers: readonly IovBuffer[], type: IovType): IovBuffer | undefined {
  const found = buffers.filter((buffer) => buffer.type === type)
  if (found.length > 1) throw new GssError('GSS_S_FAILURE', `there is more than one piece for the ${type}`)
  return found[0]
}

const partsOf = (buffers: readonly IovBuffer[]): Part[] =>
  buffers.flatMap<Part>(({ type, octets = EMPTY }) =>
    type === 'data' ? [octets] : type === 'signOnly' ? [{ signOnly: octets }] : [],
  )

/** What is only signed, with the octets of data in front of it; how many a stream has is not known yet. */
function signedIn(buffers: readonly IovBuffer[]): readonly SignedAt[] {
  let at = 0
  const inStream = buffers.some(({ type }) => type === 'stream')
  const signed: SignedAt[] = []
  for (const { type, octets = EMPTY } of buffers) {
    if (type === 'signOnly') signed.push({ at, signOnly: octets })
    if (type === 'data') at += inStream ? Number.POSITIVE_INFINITY : octets.length
  }
  return signed
}
