/** Milliseconds that a server which did not answer is asked last. */
const DISTRUST = 300_000
/** Servers that are remembered. */
const MAX_REMEMBERED = 256

/** Which servers did not answer of late: they are asked last. Bounded; the clock goes forward only. */
export class Reputation {
  readonly #clock: () => number
  readonly #until = new Map<string, number>()

  /** `clock` gives milliseconds. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Notes that a server did not answer, for five minutes. */
  failed(server: string): void {
    this.#until.delete(server)
    const [oldest] = this.#until.keys()
    if (this.#until.size >= MAX_REMEMBERED && oldest !== undefined) this.#until.delete(oldest)
    this.#until.set(server, this.#clock() + DISTRUST)
  }

  /** Notes that it answered. */
  answered(server: string): void {
    this.#until.delete(server)
  }

  /** Whether it did not answer of late. */
  isBad(server: string): boolean {
    return (this.#until.get(server) ?? 0) > this.#clock()
  }
}
