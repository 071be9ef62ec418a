import { randomBytes } from 'node:crypto'
import { KrbError } from '../../krb5/errors.ts'
import type { CacheContents } from '../../store/ccache.ts'
import { type CcacheEntry, sameEntry } from '../../store/ccacheentry.ts'
import { StoredKey } from '../../store/storedkey.ts'
import type { CacheCollection, CredentialCache } from './cache.ts'

/** MEMORY: caches that nobody else sees, gone with the object that holds them. */
export class MemoryCollection implements CacheCollection {
  readonly switchable = true
  readonly #caches = new Map<string, CacheContents>()
  #primary: string | undefined

  /** The cache of this name, whether it is there yet or not. */
  cache(name: string): CredentialCache {
    return new MemoryCache(name, this.#caches)
  }

  /** This collection, seen with the cache of this name as its primary as long as none was switched to. */
  from(name: string): CacheCollection {
    this.#primary ??= name
    return this
  }

  async list(): Promise<CredentialCache[]> {
    const names = [...this.#caches.keys()].sort((a, b) => Number(b === this.#primary) - Number(a === this.#primary))
    return names.map((name) => this.cache(name))
  }

  async primary(): Promise<CredentialCache> {
    return this.cache(this.#primary ?? '')
  }

  async switchTo({ name }: CredentialCache): Promise<void> {
    this.#primary = name.replace(/^MEMORY:/, '')
  }

  async unique(): Promise<CredentialCache> {
    return this.cache(randomBytes(6).toString('hex'))
  }
}

class MemoryCache implements CredentialCache {
  readonly name: string
  readonly #key: string
  readonly #caches: Map<string, CacheContents>

  constructor(key: string, caches: Map<string, CacheContents>) {
    this.name = `MEMORY:${key}`
    this.#key = key
    this.#caches = caches
  }

  async read(): Promise<CacheContents> {
    const { entries, ...contents } = this.#contents()
    return { ...contents, entries: entries.map(copied) }
  }

  async replace({ entries, ...contents }: CacheContents): Promise<void> {
    const fresh = entries.map(copied)
    for (const { key } of this.#caches.get(this.#key)?.entries ?? []) key[Symbol.dispose]()
    this.#caches.set(this.#key, { ...contents, entries: fresh })
  }

  async add(...added: readonly CcacheEntry[]): Promise<void> {
    const { entries, ...contents } = this.#contents()
    const kept = entries.filter((entry) => !added.some((newer) => sameEntry(entry, newer)))
    this.#keep({ ...contents, entries: [...kept, ...added.map(copied)] }, entries)
  }

  async remove(which: (entry: CcacheEntry) => boolean): Promise<number> {
    const { entries, ...contents } = this.#contents()
    const kept = entries.filter((entry) => !which(entry))
    this.#keep({ ...contents, entries: kept }, entries)
    return entries.length - kept.length
  }

  async destroy(): Promise<void> {
    for (const { key } of this.#contents().entries) key[Symbol.dispose]()
    this.#caches.delete(this.#key)
  }

  #keep(contents: CacheContents, before: readonly CcacheEntry[]): void {
    for (const entry of before) if (!contents.entries.includes(entry)) entry.key[Symbol.dispose]()
    this.#caches.set(this.#key, contents)
  }

  #contents(): CacheContents {
    const contents = this.#caches.get(this.#key)
    if (contents) return contents
    throw new KrbError('NO_TICKET', `no credential cache ${this.name} (nothing was put into it)`)
  }
}

/** The entry with a key of its own: whoever holds the one may wipe it. */
function copied(entry: CcacheEntry): CcacheEntry {
  const octets = entry.key.octets()
  const key = new StoredKey(entry.key.keytype, octets)
  octets.fill(0)
  return { ...entry, key }
}
