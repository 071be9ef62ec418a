import type { SecurityContext } from '../gss/index.ts'

/** Contexts that may wait for another leg at a time; the oldest makes room for the next. */
export const PENDING_MAX = 1024

/** Seconds that a context waits for its next leg. */
export const PENDING_SECONDS = 60

/** Contexts that want another leg, by their connection: bounded in number and, where there is a clock, in time. */
export class PendingContexts {
  readonly #waiting = new Map<object, { readonly context: SecurityContext; readonly until: number }>()
  readonly #now: () => number

  /** `now` gives microseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The context that waits for this connection, which then waits no more; undefined when there is none. */
  take(connection: object | undefined): SecurityContext | undefined {
    this.#sweep()
    const found = connection && this.#waiting.get(connection)
    if (connection) this.#waiting.delete(connection)
    return found?.context
  }

  /** Has `context` wait. What waited longest is wiped when there is no room. */
  keep(connection: object, context: SecurityContext): void {
    this.#waiting.get(connection)?.context[Symbol.dispose]()
    this.#waiting.delete(connection)
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size < PENDING_MAX) break
      this.#drop(oldest)
    }
    this.#waiting.set(connection, { context, until: this.#now() + PENDING_SECONDS * 1e6 })
  }

  #sweep(): void {
    const now = this.#now()
    for (const [connection, { until }] of this.#waiting) {
      if (until > now) return
      this.#drop(connection)
    }
  }

  #drop(connection: object): void {
    this.#waiting.get(connection)?.context[Symbol.dispose]()
    this.#waiting.delete(connection)
  }
}
