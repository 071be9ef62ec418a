/** The longest that a timer of the runtime can wait, in milliseconds: some 24 days. */
const LONGEST = 2 ** 31 - 1

/**
 * A signal that aborts with a TimeoutError when `timeout` milliseconds have passed, or when one of `sources` does, with
 * its reason. Disposing of it stops the timer, lets go of the sources and gives up what still runs under the signal;
 * AbortSignal.timeout would leave its timer behind.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #sources: readonly AbortSignal[]
  #state: 'running' | 'expired' | 'over' = 'running'

  constructor(timeout: number, ...sources: readonly (AbortSignal | undefined)[]) {
    this.#sources = sources.filter((source) => source !== undefined)
    this.#timer = setTimeout(this.#expire, Math.min(timeout, LONGEST))
    for (const source of this.#sources) source.addEventListener('abort', this.#relay)
    this.#relay()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Whether the time ran out before the work was done. */
  get expired(): boolean {
    return this.#state === 'expired'
  }

  /** Whether this was disposed of. */
  get over(): boolean {
    return this.#state === 'over'
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const source of this.#sources) source.removeEventListener('abort', this.#relay)
    this.#state = 'over'
    this.#controller.abort(new DOMException('it is no longer needed', 'AbortError'))
  }

  readonly #expire = (): void => {
    if (this.signal.aborted) return
    this.#state = 'expired'
    this.#controller.abort(new DOMException('the time is up', 'TimeoutError'))
  }

  readonly #relay = (): void => {
    const source = this.#sources.find(({ aborted }) => aborted)
    if (source) this.#controller.abort(source.reason)
  }
}

/** What `promise` comes to, unless `signal` aborts before, which rejects with its reason. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
