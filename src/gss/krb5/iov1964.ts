/** Wrap tokens of RFC 1964 in pieces, as MIT's gss_wrap_iov lays them out: no state. @module */
import { concat } from '../../bytes/index.ts'
import type { Random } from '../../crypto/random.ts'
import { GssError } from '../error.ts'
import type { IovBuffer } from '../iov.ts'
import { unframeToken } from './framing.ts'
import { type OpenedPieces, only } from './iov.ts'
import type { Direction } from './tokens.ts'
import { blockOf, CONFOUNDER_SIZE, openText, paddingFor, sealText } from './tokens1964.ts'

const EMPTY = new Uint8Array(0)

/**
 * The pieces filled in, the trailer with nothing. Throws {@link GssError} GSS_S_FAILURE without a header or padding, and in
 * DCE style, which has no padding, for data that is not of whole blocks.
 */
export function wrapOlderPieces(
  buffers: readonly IovBuffer[],
  encrypt: boolean,
  sequenceNumber: number,
  direction: Direction,
  random: Random,
): readonly IovBuffer[] {
  if (!only(buffers, 'header')) throw new GssError('GSS_S_FAILURE', 'a message in pieces needs one for the header')
  const { dceStyle, key } = direction
  if (!dceStyle && !only(buffers, 'padding'))
    throw new GssError('GSS_S_FAILURE', `a message in pieces under a ${key.enctype.name} key needs one for the padding`)
  const data = concat(...buffers.flatMap(({ type, octets = EMPTY }) => (type === 'data' ? [octets] : [])))
  const block = blockOf(direction)
  const fill = dceStyle ? EMPTY : paddingFor(data.length, block)
  if (dceStyle && data.length % block !== 0)
    throw new GssError('GSS_S_FAILURE', `in DCE style the data has to be of whole blocks of ${block} octets`)
  const filled = buffers.map(({ type, octets = EMPTY }) => ({ type, octets: madeOf(type, octets, fill) }))
  const confounder = random(CONFOUNDER_SIZE)
  const signed = filled.flatMap(({ type, octets }) => (type === 'signOnly' || isPayload(type) ? [octets] : []))
  const text = concat(confounder, ...filled.flatMap(({ type, octets }) => (isPayload(type) ? [octets] : [])))
  const framed = dceStyle ? CONFOUNDER_SIZE : text.length
  const token = sealText(text, [confounder, ...signed], { encrypt, sequenceNumber, framed }, direction)
  const header = token.subarray(0, token.length - framed + CONFOUNDER_SIZE)
  let at = CONFOUNDER_SIZE
  return filled.map(({ type, octets }) => {
    if (type === 'header') return { type, octets: header }
    return { type, octets: isPayload(type) ? text.subarray(at, (at += octets.length)) : octets }
  })
}

/** The pieces as they were before; padding may stand in its piece or at the end of the data. Throws {@link GssError}. */
export function unwrapOlderPieces(buffers: readonly IovBuffer[], direction: Direction): OpenedPieces {
  const stream = only(buffers, 'stream')
  const header = stream ?? only(buffers, 'header')
  if (!header?.octets) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'there is no header among the pieces')
  const payload = stream
    ? EMPTY
    : concat(...buffers.flatMap(({ type, octets = EMPTY }) => (isPayload(type) ? [octets] : [])))
  const { dceStyle } = direction
  const inner = unframeToken(dceStyle ? header.octets : concat(header.octets, payload))
  const text = dceStyle ? concat(inner, payload) : inner
  const sizes = (size: number) => dataSizes(buffers, size, stream !== undefined)
  const padded = !dceStyle || stream !== undefined
  const { message, ...opened } = openText(text, direction, {
    padded,
    signed: (octets, size) => signedParts(octets, buffers, sizes(size)),
  })
  let at = 0
  const given = sizes(message.length)
  const unwrapped = buffers.map((buffer, i) =>
    buffer.type === 'data' ? { type: buffer.type, octets: message.subarray(at, (at += given[i]!)) } : buffer,
  )
  return { ...opened, buffers: unwrapped }
}

const isPayload = (type: IovBuffer['type']): boolean => type === 'data' || type === 'padding'

function madeOf(type: IovBuffer['type'], octets: Uint8Array, fill: Uint8Array): Uint8Array {
  if (type === 'padding') return fill
  return type === 'trailer' ? EMPTY : octets
}

/** How many of `total` octets go into each buffer: as many as it has, the rest into the last of data. */
function dataSizes(buffers: readonly IovBuffer[], total: number, isStream: boolean): readonly number[] {
  const last = buffers.map(({ type }) => type).lastIndexOf('data')
  let left = total
  return buffers.map(({ type, octets = EMPTY }, i) => {
    if (type !== 'data') return 0
    const size = i === last ? left : Math.min(isStream ? 0 : octets.length, left)
    left -= size
    return size
  })
}

/** What the checksum covers: confounder, data and what is only signed in their order, and padding where it stands, or last. */
function signedParts(text: Uint8Array, buffers: readonly IovBuffer[], sizes: readonly number[]): readonly Uint8Array[] {
  const parts = [text.subarray(0, CONFOUNDER_SIZE)]
  const end = CONFOUNDER_SIZE + sizes.reduce((sum, size) => sum + size, 0)
  let at = CONFOUNDER_SIZE
  let fill = text.subarray(end)
  for (const [i, { type, octets = EMPTY }] of buffers.entries()) {
    if (type === 'data') parts.push(text.subarray(at, (at += sizes[i]!)))
    if (type === 'signOnly') parts.push(octets)
    if (type !== 'padding') continue
    parts.push(fill)
    fill = EMPTY
  }
  return [...parts, fill]
}
