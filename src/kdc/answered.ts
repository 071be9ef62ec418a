/**
 * Requests that were answered lately (RFC 4120 §3.2.3, as §3.3.3 asks of a TGS-REQ): an authenticator is good once. A client
 * whose reply was lost sends its request again, octet by octet; it gets the reply that there was, and any other request with
 * that authenticator is a replay.
 * @module
 */
import { equal } from '../bytes/index.ts'
import type { Outcome } from './outcome.ts'

/** Octets of all requests and replies that are remembered; the oldest make room for new ones. */
const MEMORY = 1 << 20
/** Octets of the longest request with its reply that is remembered. */
const LONGEST = MEMORY / 16
/** Octets at the end of an authenticator's ciphertext by which it is looked up. */
const TAG = 4

/** A request and its reply, one behind the other in the memory. */
interface Entry {
  /** Of the request. */
  readonly start: number
  /** Of the authenticator's ciphertext, within the request. */
  readonly proof: number
  readonly proofSize: number
  /** Where the request ends and the reply begins. */
  readonly middle: number
  readonly end: number
  readonly about: Omit<Outcome, 'reply'>
}

/** Where in a request its authenticator is. */
export interface Proof {
  /** The request, whole. */
  readonly request: Uint8Array
  /** The authenticator's ciphertext: a view of the same octets. */
  readonly cipher: Uint8Array
}

/** The memory of one KDC: one array for all, so that the garbage collector has nothing to do with it. */
export class Answered {
  #octets: Uint8Array | undefined
  #next = 0
  /** By the end of the authenticator's ciphertext, the oldest first. */
  readonly #entries = new Map<number, Entry>()

  /** Requests that are remembered at the moment. */
  get size(): number {
    return this.#entries.size
  }

  /** What the very same request was answered with; `replayed` for another one with its authenticator, undefined for a new one. */
  find({ request, cipher }: Proof): Outcome | 'replayed' | undefined {
    const entry = this.#entries.get(tagOf(cipher))
    const octets = this.#octets
    if (!entry || !octets) return undefined
    const { start, proof, proofSize, middle, end, about } = entry
    if (!equal(octets.subarray(proof, proof + proofSize), cipher)) return undefined
    return equal(octets.subarray(start, middle), request) ? { ...about, reply: octets.slice(middle, end) } : 'replayed'
  }

  /** Remembers a request that was answered. */
  keep({ request, cipher }: Proof, { reply, client, service, enctype }: Outcome): void {
    const size = request.length + reply.length
    if (size > LONGEST) return
    const octets = (this.#octets ??= new Uint8Array(MEMORY))
    const start = this.#room(size)
    const middle = start + request.length
    const proof = start + cipher.byteOffset - request.byteOffset
    octets.set(request, start)
    octets.set(reply, middle)
    const tag = tagOf(cipher)
    this.#entries.delete(tag) // to be the youngest
    const about = { client, service, enctype }
    this.#entries.set(tag, { start, proof, proofSize: cipher.length, middle, end: middle + reply.length, about })
  }

  /** Where the next `size` octets go; what was there, at the head of the line, is forgotten. */
  #room(size: number): number {
    const wraps = this.#next + size > MEMORY
    const start = wraps ? 0 : this.#next
    const end = start + size
    for (const [tag, entry] of this.#entries) {
      // behind the last one are the oldest; at the end of the memory those that a new round has to pass over
      const isBehind = wraps
        ? entry.start >= this.#next || entry.start < end
        : entry.start >= start && entry.start < end
      if (!isBehind) break
      this.#entries.delete(tag)
    }
    this.#next = end
    return start
  }
}

/** Of two with the same number, the later one is remembered. */
function tagOf(cipher: Uint8Array): number {
  let tag = 0
  for (let at = Math.max(0, cipher.length - TAG); at < cipher.length; at++) tag = (tag << 8) | cipher[at]!
  return tag
}
