/** Credential caches by their names, whatever keeps them. @module */
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { KrbError } from '../../krb5/errors.ts'
import { type Principal, samePrincipal } from '../../krb5/names.ts'
import type { KeptTicket } from '../../krb5/questions.ts'
import { entryOf } from '../../store/ccacheentry.ts'
import { StoreError } from '../../store/error.ts'
import { parseStoreName, refusedType } from '../names.ts'
import type { CacheCollection, CredentialCache } from './cache.ts'
import { DirectoryCollection, directoryCache } from './directory.ts'
import { FileCache } from './file.ts'
import { KcmCollection } from './kcm.ts'
import { DEFAULT_KCM_SOCKET } from './kcmsocket.ts'
import { MemoryCollection } from './memory.ts'

/** The credential caches that names reach from here. MEMORY ones live in this object alone. */
export class CredentialCaches {
  /** The name that is meant when none is said. */
  readonly defaultName: string
  readonly #kcmSocket: string
  readonly #memory = new MemoryCollection()

  constructor({ defaultName, kcmSocket = DEFAULT_KCM_SOCKET }: CachesOptions) {
    this.defaultName = defaultName
    this.#kcmSocket = kcmSocket
  }

  /** The cache of this name, of a collection its primary. Throws KrbError NAME_REFUSED for types that are not to be had here. */
  async resolve(name: string = this.defaultName): Promise<CredentialCache> {
    const { type, rest } = parseStoreName(name)
    if (type === 'FILE') return new FileCache(rest)
    if (type === 'MEMORY') return this.#memory.cache(rest)
    if (type === 'KCM' && rest) return new KcmCollection(this.#kcmSocket).cache(rest)
    if (type === 'DIR' && rest.startsWith(':')) return directoryCache(rest.slice(1))
    return this.collection(name).primary()
  }

  /** The caches that belong with this name: those of its folder, its daemon, its memory; of a file, itself. Throws KrbError NAME_REFUSED. */
  collection(name: string = this.defaultName): CacheCollection {
    const { type, rest } = parseStoreName(name)
    if (type === 'FILE') return new SingleCache(new FileCache(rest))
    if (type === 'MEMORY') return this.#memory.from(rest)
    if (type === 'KCM') {
      const all = new KcmCollection(this.#kcmSocket)
      return rest ? new SingleCache(all.cache(rest)) : all
    }
    if (type === 'DIR')
      return rest.startsWith(':') ? new SingleCache(directoryCache(rest.slice(1))) : new DirectoryCollection(rest)
    throw refusedType(name, 'ccache')
  }

  /** The cache in the collection whose tickets are those of `principal`; undefined when there is none. */
  async find(principal: Principal, name?: string): Promise<CredentialCache | undefined> {
    for (const cache of await this.collection(name).list()) {
      const owner = await ownerOf(cache)
      if (owner && samePrincipal(owner, principal)) return cache
    }
    return undefined
  }

  /**
   * Has `save` fill the cache that a login of `principal` goes to, as MIT's kinit has it. It is the primary afterwards.
   */
  async login(principal: Principal, name: string | undefined, save: (cache: CredentialCache) => Promise<void>) {
    const collection = this.collection(name)
    const primary = await collection.primary()
    const cache = await this.homeOf(principal, name)
    await save(cache)
    if (cache.name !== primary.name) await collection.switchTo(cache)
  }

  /**
   * The cache that new tickets of `principal` go to: with a name that one; else theirs if the collection has one, the
   * primary if that is empty, or a new one.
   */
  async homeOf(principal: Principal, name?: string): Promise<CredentialCache> {
    const collection = this.collection(name)
    const primary = await collection.primary()
    if (name !== undefined || !collection.switchable || !(await ownerOf(primary))) return primary
    return (await this.find(principal)) ?? (await collection.unique())
  }

  /** Makes `cache` the primary of its collection. Throws KrbError NAME_REFUSED where there is none. */
  async switchTo(cache: CredentialCache): Promise<void> {
    await this.#around(cache).switchTo(cache)
  }

  /** Whether a cache is one of several, of which one is the primary. */
  isInCollection(cache: CredentialCache): boolean {
    return this.#around(cache).switchable
  }

  #around({ name }: CredentialCache): CacheCollection {
    const { type, rest } = parseStoreName(name)
    return this.collection(type === 'DIR' ? `DIR:${dirname(rest.slice(1))}` : type === 'FILE' ? name : `${type}:`)
  }

  /** Adds a ticket that was bought to the cache of this name, unless that is somebody else's by now. */
  async keep({ cache: name, credential, owner: holder = credential.client }: KeptTicket): Promise<void> {
    const cache = await this.resolve(name)
    const owner = await ownerOf(cache)
    if (owner && samePrincipal(owner, holder)) await cache.add(entryOf(credential))
  }
}

/** How names are understood. */
export interface CachesOptions {
  readonly defaultName: string
  /** The path of the KCM daemon's socket (kcm_socket). */
  readonly kcmSocket?: string | undefined
}

/** Whose tickets a cache holds; undefined when there is no such cache, or none that can be read. */
export async function ownerOf(cache: CredentialCache): Promise<Principal | undefined> {
  try {
    const { principal, entries } = await cache.read()
    for (const { key } of entries) key[Symbol.dispose]()
    return principal
  } catch (error) {
    if (error instanceof KrbError && error.code === 'NO_TICKET') return undefined
    if (error instanceof StoreError && error.offset !== undefined) return undefined
    throw error
  }
}

/** A cache that belongs to no collection. */
class SingleCache implements CacheCollection {
  readonly switchable = false
  readonly #cache: CredentialCache

  constructor(cache: CredentialCache) {
    this.#cache = cache
  }

  async list(): Promise<CredentialCache[]> {
    return (await ownerOf(this.#cache)) ? [this.#cache] : []
  }

  async primary(): Promise<CredentialCache> {
    return this.#cache
  }

  async switchTo(cache: CredentialCache): Promise<void> {
    throw new KrbError('NAME_REFUSED', `${cache.name} is one cache, there is none to switch to`, {
      hint: 'name a collection in KRB5CCNAME: DIR:path or KCM:',
    })
  }

  async unique(): Promise<CredentialCache> {
    return new FileCache(join(tmpdir(), `tkt${randomBytes(6).toString('hex')}`))
  }
}
