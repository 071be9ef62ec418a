import { toHex } from '../bytes/index.ts'
import { CLOCK_SKEW } from './env.ts'
import { KrbError } from './errors.ts'
import type { ReplayRecord } from './questions.ts'

/** Records that a cache holds unless told otherwise: some 100 octets each. */
const DEFAULT_CAPACITY = 1_000_000

/** Microseconds that a record counts for: an authenticator dated ahead by the skew stays fresh for twice the skew. */
export const REPLAY_LIFETIME = 2 * CLOCK_SKEW

/**
 * All that makes a record unique, as one text (RFC 4120 §3.2.3). The service is not of it: where several names share a key,
 * as in every keytab of Active Directory, whoever is on the way picks among them, and the message would count as new.
 */
export const replayTuple = ({ client, time, tag }: ReplayRecord): string => `${time} ${toHex(tag)} ${client}`

/**
 * The same in few octets, which need not be readable: time and tag are characters of one octet. Half of what it takes in
 * memory is in that and in its being one text, not the pieces it was put together from.
 */
function compactTuple({ client, time, tag }: ReplayRecord): string {
  const low = time >>> 0
  const head = [low & 0xff, (low >>> 8) & 0xff, (low >>> 16) & 0xff, low >>> 24]
  const high = Math.floor(time / 0x1_0000_0000)
  const rest = [high & 0xff, (high >>> 8) & 0xff, (high >>> 16) & 0xff, tag.length]
  const text = String.fromCharCode(...head, ...rest, ...tag) + client
  text.charCodeAt(0) // has V8 put the pieces together
  return text
}

/**
 * A replay cache of this process (RFC 4120 §3.2.3): client, time and message, kept for twice the clock skew. Full, it
 * refuses everything rather than forget what may come again.
 */
export class MemoryReplayCache {
  readonly #capacity: number
  /** What was seen in the current span of {@link REPLAY_LIFETIME} and in the one before it. */
  #current = new Set<string>()
  #previous = new Set<string>()
  #since = Number.NEGATIVE_INFINITY

  constructor({ capacity = DEFAULT_CAPACITY }: { readonly capacity?: number } = {}) {
    this.#capacity = capacity
  }

  /** Records remembered at the moment. */
  get size(): number {
    return this.#current.size + this.#previous.size
  }

  /** Whether `record` was seen before; it counts as seen from now on. Throws KrbError REPLAY_CACHE_FULL. */
  seen(received: ReplayRecord): boolean {
    this.#rotate(received.now)
    const record = compactTuple(received)
    if (this.#previous.size > 0 && this.#previous.has(record)) return true
    if (this.size >= this.#capacity) {
      if (this.#current.has(record)) return true
      throw new KrbError('REPLAY_CACHE_FULL', `${this.size} authenticators came within ${REPLAY_LIFETIME / 1e6} s`)
    }
    // Whether it was there shows in the size: a search in a set that large costs as much as encrypting.
    const { size } = this.#current
    return this.#current.add(record).size === size
  }

  #rotate(now: number): void {
    const age = now - this.#since
    if (age < 0) this.#since = now // the clock was set back: forget nothing
    if (age < REPLAY_LIFETIME) return
    this.#previous = age < 2 * REPLAY_LIFETIME ? this.#current : new Set()
    this.#current = new Set()
    this.#since = now
  }
}
