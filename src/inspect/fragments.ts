/** Datagrams that the network cut into pieces (RFC 791 §3.2, RFC 8200 §4.5), put together again. @module */
import { concat } from '../bytes/index.ts'

/** One piece. */
export interface Fragment {
  /** What all pieces of one datagram have in common: who sent it to whom, and its number. */
  readonly of: string
  /** Where in the datagram it belongs, in octets. */
  readonly offset: number
  readonly isLast: boolean
  readonly octets: Uint8Array
}

/** Most datagrams that are waited for at once: the oldest goes. */
const MAX_DATAGRAMS = 256
/** Most pieces of one, and most octets. */
const MAX_PIECES = 128
const MAX_SIZE = 65_535

/** Pieces that wait for others. */
export class Fragments {
  readonly #waiting = new Map<string, Fragment[]>()

  /** How many datagrams were begun and are not whole. */
  get unfinished(): number {
    return this.#waiting.size
  }

  /** The datagram that this piece completes; undefined while others are missing. */
  add(fragment: Fragment): Uint8Array | undefined {
    const { of, offset, octets } = fragment
    const pieces = this.#waiting.get(of) ?? []
    if (pieces.length >= MAX_PIECES || offset + octets.length > MAX_SIZE) return undefined
    pieces.push(fragment)
    const whole = joined(pieces)
    if (whole) this.#waiting.delete(of)
    else this.#keep(of, pieces)
    return whole
  }

  #keep(of: string, pieces: Fragment[]): void {
    const [oldest] = this.#waiting.keys()
    if (this.#waiting.size >= MAX_DATAGRAMS && !this.#waiting.has(of) && oldest !== undefined)
      this.#waiting.delete(oldest)
    this.#waiting.set(of, pieces)
  }
}

/** Pieces from the first to the last without a gap; what comes twice counts once. */
function joined(pieces: readonly Fragment[]): Uint8Array | undefined {
  const sorted = [...pieces].sort((a, b) => a.offset - b.offset)
  const parts: Uint8Array[] = []
  let end = 0
  for (const { offset, octets, isLast } of sorted) {
    if (offset > end) return undefined
    const fresh = octets.subarray(end - offset)
    parts.push(fresh)
    end += fresh.length
    if (isLast) return concat(...parts)
  }
  return undefined
}
