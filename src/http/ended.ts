/** Sessions whose users signed out: a cookie cannot be called back, so it is remembered until it expires. @module */

/** Which session, as far as that takes to remember it. */
export interface SessionRecord {
  /** 24 hexadecimal digits that no other session has. */
  readonly id: string
  /** When it began, in seconds since the epoch. */
  readonly begun: number
  /** When its cookie expires, in seconds since the epoch: it need not be remembered any longer. */
  readonly end: number
}

/** Whatever remembers who signed out: {@link MemoryEndedSessions}, or something that the servers of a site share. */
export interface EndedSessions {
  /** Remembers `session` until its end. What this throws, `signOut` rejects with. */
  add(session: SessionRecord): void | Promise<void>
  /** Whether `session` was ended. What this throws refuses the request. */
  has(session: SessionRecord): boolean | Promise<boolean>
}

/** Ended sessions that a {@link MemoryEndedSessions} holds unless told otherwise: some 100 octets each. */
export const ENDED_SESSIONS_MAX = 100_000

/**
 * Ended sessions in the memory of this process. Full of such as have not expired, it ends all sessions that began up to now
 * rather than forget any: their users authenticate anew.
 */
export class MemoryEndedSessions implements EndedSessions {
  readonly #now: () => number
  readonly #capacity: number
  /** When each expires. */
  readonly #ends = new Map<string, number>()
  /** Whoever began by then is ended. */
  #before = Number.NEGATIVE_INFINITY

  /** `now` gives microseconds since the epoch. */
  constructor(now: () => number, { capacity = ENDED_SESSIONS_MAX }: { readonly capacity?: number } = {}) {
    this.#now = now
    this.#capacity = capacity
  }

  /** Sessions remembered at the moment. */
  get size(): number {
    return this.#ends.size
  }

  add({ id, end }: SessionRecord): void {
    if (this.#ends.size >= this.#capacity) this.#makeRoom(this.#now() / 1e6)
    this.#ends.set(id, end)
  }

  has({ id, begun }: SessionRecord): boolean {
    return begun <= this.#before || this.#ends.has(id)
  }

  /** Half of all room at least, so that looking through all is rare. */
  #makeRoom(now: number): void {
    for (const [id, end] of this.#ends) if (end <= now) this.#ends.delete(id)
    if (this.#ends.size <= this.#capacity / 2) return
    this.#before = now
    this.#ends.clear()
  }
}
