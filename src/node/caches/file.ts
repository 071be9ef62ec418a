import { concat } from '../../bytes/index.ts'
import { KrbError } from '../../krb5/errors.ts'
import { type CacheContents, formatCcache, type LocatedEntry, locateEntries, parseCcache } from '../../store/ccache.ts'
import { type CcacheEntry, formatCcacheEntry, removedEntry, sameEntry } from '../../store/ccacheentry.ts'
import { StoreError } from '../../store/error.ts'
import {
  appendTo,
  asStoreError,
  destroyFile,
  FileError,
  type OpenFile,
  openFile,
  overwrite,
  readWhole,
  replaceFile,
} from '../files.ts'
import type { CredentialCache } from './cache.ts'

/** Times, and milliseconds between them, that a cache is read anew whose end somebody seems to be writing. */
const READS = 4
const PAUSE = 5

/** What is to be done to a cache. */
interface Change {
  readonly stale: readonly LocatedEntry[]
  readonly added: readonly CcacheEntry[]
}

/**
 * A cache in a file (version 4; older ones are read). What C programs and we do to it at the same moment goes together without
 * locks: additions are appended in one write, removals overwrite in place, replacements are a new file.
 */
export class FileCache implements CredentialCache {
  readonly name: string
  readonly #path: string
  readonly #prepare: () => Promise<void>

  /** `prepare` is done before the file is made. */
  constructor(path: string, name = `FILE:${path}`, prepare: () => Promise<void> = async () => {}) {
    this.#path = path
    this.name = name
    this.#prepare = prepare
  }

  async read(): Promise<CacheContents> {
    for (let reads = 1; ; reads++)
      try {
        const { principal, clockOffset, entries } = parseCcache(await readWhole(this.#path))
        return { principal, clockOffset, entries }
      } catch (error) {
        const mayBeWritten = error instanceof StoreError && error.offset !== 0
        if (!mayBeWritten || reads === READS) throw this.#absent(error)
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
      }
  }

  async replace(contents: CacheContents): Promise<void> {
    try {
      await this.#prepare()
      await replaceFile(this.#path, formatCcache(contents))
    } catch (error) {
      throw asStoreError('ccache', error)
    }
  }

  async add(...entries: readonly CcacheEntry[]): Promise<void> {
    await this.#change((located) => ({
      stale: located.filter(({ entry }) => entries.some((newer) => sameEntry(entry, newer))),
      added: entries,
    }))
  }

  async remove(which: (entry: CcacheEntry) => boolean): Promise<number> {
    return this.#change((located) => ({ stale: located.filter(({ entry }) => which(entry)), added: [] }))
  }

  async destroy(): Promise<void> {
    try {
      await destroyFile(this.#path)
    } catch (error) {
      throw isAbsent(error) ? this.#absent(error) : asStoreError('ccache', error)
    }
  }

  /** Changes the file, anew when somebody replaced it meanwhile; how many entries were removed. */
  async #change(plan: (located: readonly LocatedEntry[]) => Change): Promise<number> {
    for (let tries = 1; ; tries++)
      try {
        return await this.#changeOnce(plan)
      } catch (error) {
        if (!(error instanceof FileError && error.code === 'REPLACED') || tries === READS)
          throw asStoreError('ccache', error)
      }
  }

  /** Adds, then removes, so that readers never miss a ticket. */
  async #changeOnce(plan: (located: readonly LocatedEntry[]) => Change): Promise<number> {
    await using file = await openFile(this.#path, 'change').catch((error) => {
      throw isAbsent(error) ? this.#absent(error) : error
    })
    const { version, located, ...contents } = locateEntries(file.octets)
    const { stale, added } = plan(located)
    if (version === 4 && stale.every((place) => canRemove(file, place))) {
      if (added.length > 0) await appendTo(this.#path, file, concat(...added.map(formatCcacheEntry)))
      for (const { entry, offset } of stale)
        await overwrite(this.#path, file, offset, formatCcacheEntry(removedEntry(entry)))
    } else if (added.length + stale.length > 0) {
      const kept = located.filter((place) => !stale.includes(place)).map(({ entry }) => entry)
      await replaceFile(this.#path, formatCcache({ ...contents, entries: [...kept, ...added] }))
    }
    return stale.length
  }

  #absent(error: unknown): unknown {
    if (!(error instanceof FileError)) return error
    return new KrbError('NO_TICKET', `no credential cache ${error.message}`, { cause: error })
  }
}

const isAbsent = (error: unknown) => error instanceof FileError && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

/** Whether the entry is in the file as we would write it, octet for octet. */
function canRemove({ octets }: OpenFile, { entry, offset }: LocatedEntry): boolean {
  const ours = formatCcacheEntry(entry)
  return ours.every((octet, i) => octet === octets[offset + i])
}
