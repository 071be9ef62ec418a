import { closeSync, openSync, rmSync, statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { FileError } from '../files.ts'

/** Milliseconds after which a lock was left behind by a process that died: what is done under one takes microseconds. */
const STALE = 5000
/** Milliseconds between two tries, at most, and for how long it is tried. */
const PAUSE = 4
const PATIENCE = 10_000

/** A lock file beside the file that several processes change. */
export class LockFile {
  readonly #path: string
  /** Who waits in this process: they need not fight over it. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Does `work` while nobody else holds the lock. Throws FileError when it cannot be had. `work` is to be over well before
   * others take the lock for one that was left behind.
   */
  holding<T>(work: () => T | Promise<T>): Promise<T> {
    const mine = this.#queue.then(() => this.#hold(work))
    this.#queue = mine.catch(() => undefined)
    return mine
  }

  async #hold<T>(work: () => T | Promise<T>): Promise<T> {
    for (let waited = 0; !this.#taken(); waited += PAUSE) {
      if (waited > PATIENCE) throw new FileError(this.#path, 'LOCKED')
      await wait(1 + Math.random() * (PAUSE - 1))
    }
    try {
      return await work()
    } finally {
      rmSync(this.#path, { force: true })
    }
  }

  /** Makes the lock file, unless there is one that somebody holds. */
  #taken(): boolean {
    try {
      closeSync(openSync(this.#path, 'wx', 0o600))
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST') throw new FileError(this.#path, code ?? 'EIO', { cause: error })
    }
    const stats = statSync(this.#path, { throwIfNoEntry: false })
    if (stats && Date.now() - stats.mtimeMs > STALE) rmSync(this.#path, { force: true })
    return false
  }
}
