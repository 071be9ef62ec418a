import type { Credentials } from '../gss/credentials.ts'

/** Seconds after which a keytab is read anew: keys change. */
const SECONDS = 60
/** Names of one server at a time; the oldest makes room, as clients may choose which. */
const NAMES_MAX = 64

interface Held {
  readonly credentials: Promise<Credentials>
  /** Milliseconds since the epoch. */
  readonly until: number
  /** What was held before, which contexts that were under way may still need. */
  readonly before?: Promise<Credentials> | undefined
}

/** A server's credentials by the name that it accepts as, acquired anew once in a while. */
export class HeldCredentials {
  readonly #acquire: (name: string) => Promise<Credentials>
  readonly #held = new Map<string, Held>()

  constructor(acquire: (name: string) => Promise<Credentials>) {
    this.#acquire = acquire
  }

  /** Rejects with what acquiring them rejects with, and then tries again the next time. */
  of(name: string): Promise<Credentials> {
    const now = Date.now()
    const held = this.#held.get(name)
    if (held && held.until > now) return held.credentials
    held?.before?.then(wipe, () => {})
    this.#held.delete(name)
    const [oldest] = this.#held.keys()
    if (oldest !== undefined && this.#held.size >= NAMES_MAX) this.#held.delete(oldest)
    const credentials = this.#acquire(name)
    this.#held.set(name, { credentials, until: now + SECONDS * 1000, before: held?.credentials })
    credentials.catch(() => this.#held.delete(name))
    return credentials
  }
}

const wipe = (credentials: Credentials): void => credentials[Symbol.dispose]()
