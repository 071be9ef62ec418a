/**
 * Tickets that were opened: a client shows the same one at every connection, and opening it, reading it and deriving the
 * session key's keys is half of what accepting costs.
 * @module
 */
import { equal } from '../../bytes/index.ts'
import type { Key } from '../../crypto/key.ts'
import type { ServiceKey } from '../credential.ts'
import type { EncTicketPart } from '../messages/ticket.ts'

/** A ticket, what is in it, and whose key opened it: a key with its name, or, for a KDC, the key alone. */
export interface OpenedTicket<Opener = ServiceKey> {
  /** The sealed part, whole: what opens the same is the same. */
  readonly cipher: Uint8Array
  readonly part: EncTicketPart
  readonly serviceKey: Opener
  readonly sessionKey: Key
}

interface Entry<Opener> extends OpenedTicket<Opener> {
  /** Accepted contexts that work with the session key at the moment. */
  uses: number
  forgotten: boolean
}

/** Tickets remembered unless told otherwise: some 2 KiB each, with a large PAC some 10. */
const DEFAULT_CAPACITY = 512
/** Octets of the longest ciphertext that is remembered: what clients have put into a ticket must not fill the memory. */
const LONGEST = 32_768
/** Octets at a ciphertext's end, where its checksum is, by which it is looked up: as many as a number has that V8 looks up best. */
const TAG = 4

/** Tickets opened lately. Disposing of it wipes their session keys; one in use is wiped after its last use. */
export class OpenedTickets<Opener = ServiceKey> implements Disposable {
  readonly #capacity: number
  readonly #entries = new Map<number, Entry<Opener>>()

  /** With a `capacity` of 0 nothing is remembered. */
  constructor({ capacity = DEFAULT_CAPACITY }: { readonly capacity?: number } = {}) {
    this.#capacity = capacity
  }

  /** Tickets remembered at the moment. */
  get size(): number {
    return this.#entries.size
  }

  /** The ticket of this ciphertext that one of `keys` opened, for the caller to {@link release}; undefined when it is new. */
  take(cipher: Uint8Array, keys: readonly Opener[]): OpenedTicket<Opener> | undefined {
    const entry = this.#entries.get(tagOf(cipher))
    if (!entry || !equal(entry.cipher, cipher)) return undefined
    if (!keys.includes(entry.serviceKey)) return undefined
    entry.uses++
    return entry
  }

  /** Remembers a ticket that its holder has proved to be its own; the session key is this one's to wipe from now on. */
  keep(opened: OpenedTicket<Opener>): OpenedTicket<Opener> {
    const entry: Entry<Opener> = { ...opened, cipher: opened.cipher.slice(), uses: 1, forgotten: false }
    if (this.#capacity === 0 || entry.cipher.length > LONGEST) {
      entry.forgotten = true
      return entry
    }
    const tag = tagOf(entry.cipher)
    const [oldest] = this.#entries.keys()
    if (this.#entries.has(tag)) this.#forget(tag)
    else if (this.#entries.size >= this.#capacity) this.#forget(oldest!)
    this.#entries.set(tag, entry)
    return entry
  }

  /** Says that an accepted context is done with the ticket. */
  release(opened: OpenedTicket<Opener>): void {
    const entry = opened as Entry<Opener>
    entry.uses--
    if (entry.forgotten && entry.uses === 0) wipe(entry)
  }

  #forget(tag: number): void {
    const entry = this.#entries.get(tag)!
    this.#entries.delete(tag)
    entry.forgotten = true
    if (entry.uses === 0) wipe(entry)
  }

  [Symbol.dispose](): void {
    for (const tag of [...this.#entries.keys()]) this.#forget(tag)
  }
}

function wipe({ part, sessionKey }: OpenedTicket<unknown>): void {
  sessionKey[Symbol.dispose]()
  part.key.keyvalue.fill(0)
}

/** Of two with the same number, the later one is remembered. */
function tagOf(cipher: Uint8Array): number {
  let tag = 0
  for (let at = Math.max(0, cipher.length - TAG); at < cipher.length; at++) tag = (tag << 8) | cipher[at]!
  return tag
}
