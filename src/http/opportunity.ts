/**
 * Whether a token goes out before anybody asks: `true` for each request to the origin that the caller named (and to those
 * in `origins`), `after-challenge` where a page of the same folder asked before. No unless said.
 */
export type OpportunisticAuth = boolean | 'after-challenge'

/** Folders that are remembered to ask who is there; the oldest makes room for the next. */
export const ASKING_MAX = 256

/** Where somebody asked who is there: the folder of the page and all below it (as RFC 7617 §2.2 has it for Basic). */
export class AskingFolders {
  readonly #folders = new Set<string>()

  /** Remembers the folder of `url`. */
  add(url: URL): void {
    const folder = new URL('.', url).href
    this.#folders.delete(folder)
    for (const oldest of this.#folders) {
      if (this.#folders.size < ASKING_MAX) break
      this.#folders.delete(oldest)
    }
    this.#folders.add(folder)
  }

  /** Whether `url` is in such a folder. */
  has({ href }: URL): boolean {
    for (const folder of this.#folders) if (href.startsWith(folder)) return true
    return false
  }
}
