/** Tickets that were bought with what handles hold: they are bought once for as long as the handle is good. @module */

/** Handles of one service that tickets are kept for; those that were longest unused go first. */
export const MAX_HANDLES = 1024
/** Octets that are kept for them all. */
export const MAX_OCTETS = 16 * 1024 * 1024

interface Held {
  readonly octets: Uint8Array
  /** Seconds since the epoch. */
  readonly until: number
}

/** Tickets by the handle that they belong to. */
export class BoughtTickets {
  readonly #held = new Map<string, Held>()
  #size = 0

  /** Handles that tickets are kept for at the moment. */
  get size(): number {
    return this.#held.size
  }

  /** Keeps all the tickets of a handle until a time in seconds since the epoch; wipes them then, or when there are too many. */
  keep(handle: string, octets: Uint8Array, until: number): void {
    this.#drop(handle)
    this.#held.set(handle, { octets, until })
    this.#size += octets.length
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= MAX_HANDLES && this.#size <= MAX_OCTETS) break
      this.#drop(oldest)
    }
  }

  /** All the tickets of a handle, the caller's to wipe; undefined when none were bought. `now` is in seconds. */
  of(handle: string, now: number): Uint8Array | undefined {
    const held = this.#held.get(handle)
    if (!held) return undefined
    if (held.until <= now) {
      this.#drop(handle)
      return undefined
    }
    this.#held.delete(handle)
    this.#held.set(handle, held)
    return held.octets.slice()
  }

  #drop(handle: string): void {
    const held = this.#held.get(handle)
    if (!held) return
    held.octets.fill(0)
    this.#size -= held.octets.length
    this.#held.delete(handle)
  }
}
