import type { DispatchController } from './dispatch.ts'

/** What the caller stops and pauses: the request that is on its way at the moment, or the wait between two of them. */
export class RequestController implements DispatchController {
  readonly #stop = new AbortController()
  readonly #stopped: (reason: Error) => void
  #current: DispatchController | undefined
  #paused = false
  #reason: Error | null = null

  /** `stopped` is told of an abort while no request is on its way. */
  constructor(stopped: (reason: Error) => void) {
    this.#stopped = stopped
  }

  /** Ends waits that an abort is to end. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  get aborted(): boolean {
    return this.#reason !== null
  }

  get reason(): Error | null {
    return this.#reason
  }

  get paused(): boolean {
    return this.#paused
  }

  get rawHeaders(): unknown {
    return this.#current?.rawHeaders
  }

  get rawTrailers(): unknown {
    return this.#current?.rawTrailers
  }

  /** Stands for `current` from now on. */
  take(current: DispatchController): void {
    this.#current = current
    if (this.#reason) current.abort(this.#reason)
  }

  abort(reason: Error): void {
    if (this.#reason) return
    this.#reason = reason
    this.end(reason)
    this.#stopped(reason)
  }

  /** Ends all that is on its way, though nobody aborted it. */
  end(reason: Error): void {
    this.#stop.abort(reason)
    this.#current?.abort(reason)
  }

  pause(): void {
    this.#paused = true
    this.#current?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#current?.resume()
  }
}
