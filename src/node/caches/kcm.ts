/** KCM: caches that a daemon keeps, Heimdal's kcm or sssd-kcm. @module */
import { KrbError } from '../../krb5/errors.ts'
import type { CacheContents } from '../../store/ccache.ts'
import { type CcacheEntry, formatCcacheEntry, sameEntry } from '../../store/ccacheentry.ts'
import { StoreError } from '../../store/error.ts'
import {
  isUnsupported,
  type KcmOperation,
  kcmClockOffset,
  kcmContents,
  kcmMatch,
  kcmName,
  kcmPrincipal,
  kcmStatus,
  parseKcmClockOffset,
  parseKcmCredential,
  parseKcmCredentials,
  parseKcmIds,
  parseKcmName,
  parseKcmPrincipal,
} from '../../store/kcm.ts'
import type { CacheCollection, CredentialCache } from './cache.ts'
import { type KcmAnswer, KcmConnection } from './kcmsocket.ts'

/** The caches of this user that the daemon at a socket keeps. */
export class KcmCollection implements CacheCollection {
  readonly switchable = true
  readonly #socket: string

  constructor(socket: string) {
    this.#socket = socket
  }

  /** The cache of this name, whether it is there yet or not. */
  cache(name: string): CredentialCache {
    return new KcmCache(name, this.#socket)
  }

  async list(): Promise<CredentialCache[]> {
    await using kcm = await KcmConnection.open(this.#socket)
    const ids = await kcm.ask('cacheIds')
    if (ids.status === kcmStatus.end || ids.status === kcmStatus.noCache) return []
    const names: string[] = []
    for (const id of parseKcmIds(succeeded('cacheIds', ids))) {
      const { status, result } = await kcm.ask('cacheById', id)
      if (status === kcmStatus.ok) names.push(parseKcmName(result)) // the others are gone since
    }
    const primary = await primaryName(kcm)
    return names.sort((a, b) => Number(b === primary) - Number(a === primary)).map((name) => this.cache(name))
  }

  async primary(): Promise<CredentialCache> {
    await using kcm = await KcmConnection.open(this.#socket)
    return this.cache(await primaryName(kcm))
  }

  async switchTo({ name }: CredentialCache): Promise<void> {
    await using kcm = await KcmConnection.open(this.#socket)
    succeeded('setDefaultCache', await kcm.ask('setDefaultCache', kcmName(name.replace(/^KCM:/, ''))), name)
  }

  async unique(): Promise<CredentialCache> {
    await using kcm = await KcmConnection.open(this.#socket)
    return this.cache(parseKcmName(succeeded('generateNew', await kcm.ask('generateNew'))))
  }
}

class KcmCache implements CredentialCache {
  readonly name: string
  readonly #key: Uint8Array
  readonly #socket: string

  constructor(name: string, socket: string) {
    this.name = `KCM:${name}`
    this.#key = kcmName(name)
    this.#socket = socket
  }

  async read(): Promise<CacheContents> {
    await using kcm = await KcmConnection.open(this.#socket)
    return await this.#contents(kcm)
  }

  async replace(contents: CacheContents): Promise<void> {
    await using kcm = await KcmConnection.open(this.#socket)
    await this.#replace(kcm, contents)
  }

  async add(...entries: readonly CcacheEntry[]): Promise<void> {
    await using kcm = await KcmConnection.open(this.#socket)
    const { entries: before } = await this.#contents(kcm)
    for (const entry of entries) {
      // A daemon that cannot remove keeps both, and whoever looks for a ticket passes over the one that has expired.
      if (before.some((older) => sameEntry(older, entry)))
        this.#done('removeCredential', await this.#ask(kcm, 'removeCredential', kcmMatch(entry)), isUnsupported)
      this.#done('store', await this.#ask(kcm, 'store', formatCcacheEntry(entry)))
    }
  }

  async remove(which: (entry: CcacheEntry) => boolean): Promise<number> {
    await using kcm = await KcmConnection.open(this.#socket)
    const { entries, ...contents } = await this.#contents(kcm)
    const kept = entries.filter((entry) => !which(entry))
    if (kept.length < entries.length) await this.#replace(kcm, { ...contents, entries: kept })
    return entries.length - kept.length
  }

  async destroy(): Promise<void> {
    await using kcm = await KcmConnection.open(this.#socket)
    this.#done('destroy', await this.#ask(kcm, 'destroy'))
  }

  async #contents(kcm: KcmConnection): Promise<CacheContents> {
    const principal = parseKcmPrincipal(this.#done('principal', await this.#ask(kcm, 'principal')))
    const offset = await this.#ask(kcm, 'clockOffset')
    const clockOffset = offset.status === kcmStatus.ok ? parseKcmClockOffset(offset.result) : 0
    return { principal, clockOffset, entries: await this.#entries(kcm) }
  }

  /** All at once where the daemon can (MIT's extension), else one by one. */
  async #entries(kcm: KcmConnection): Promise<CcacheEntry[]> {
    const list = await this.#ask(kcm, 'credentialList')
    if (!isUnsupported(list.status)) return parseKcmCredentials(this.#done('credentialList', list))
    const ids = await this.#ask(kcm, 'credentialIds')
    if (ids.status === kcmStatus.end) return []
    const entries: CcacheEntry[] = []
    for (const id of parseKcmIds(this.#done('credentialIds', ids))) {
      const { status, result } = await this.#ask(kcm, 'credentialById', id)
      if (status === kcmStatus.ok) entries.push(parseKcmCredential(result)) // the others are gone since
    }
    return entries
  }

  /** At one stroke where the daemon can (MIT's extension), else emptied and filled again. */
  async #replace(kcm: KcmConnection, contents: CacheContents): Promise<void> {
    const answer = await this.#ask(kcm, 'replace', kcmContents(contents))
    if (this.#done('replace', answer, isUnsupported)) return
    this.#done('initialize', await this.#ask(kcm, 'initialize', kcmPrincipal(contents.principal)))
    // Also when it is 0: Heimdal's daemon leaves in a new cache what its memory happens to hold.
    const offset = await this.#ask(kcm, 'setClockOffset', kcmClockOffset(contents.clockOffset))
    this.#done('setClockOffset', offset, isUnsupported)
    for (const entry of contents.entries) this.#done('store', await this.#ask(kcm, 'store', formatCcacheEntry(entry)))
  }

  #ask(kcm: KcmConnection, operation: KcmOperation, ...parts: readonly Uint8Array[]): Promise<KcmAnswer> {
    return kcm.ask(operation, this.#key, ...parts)
  }

  #done(operation: KcmOperation, answer: KcmAnswer): Uint8Array
  #done(operation: KcmOperation, answer: KcmAnswer, forgiven: (status: number) => boolean): Uint8Array | undefined
  #done(operation: KcmOperation, answer: KcmAnswer, forgiven = (_status: number) => false): Uint8Array | undefined {
    return forgiven(answer.status) ? undefined : succeeded(operation, answer, this.name)
  }
}

/** What the daemon says that the primary is; Heimdal's has a name for it even when there is no such cache. */
async function primaryName(kcm: KcmConnection): Promise<string> {
  const { status, result } = await kcm.ask('defaultCache')
  return status === kcmStatus.ok && result.length > 1 ? parseKcmName(result) : String(process.getuid?.() ?? 0)
}

function succeeded(operation: KcmOperation, { status, result }: KcmAnswer, name = 'KCM:'): Uint8Array {
  if (status === kcmStatus.ok) return result
  if (status === kcmStatus.noCache || status === kcmStatus.notFound || status === kcmStatus.end)
    throw new KrbError('NO_TICKET', `no credential cache ${name} (the KCM daemon has none of that name)`)
  const why = status === kcmStatus.permission ? 'it is not for this user' : `status ${status}`
  throw new StoreError('ccache', `the KCM daemon refuses ${operation} of ${name}: ${why}`, {
    remedy: 'its log says more; or use FILE:path in KRB5CCNAME',
  })
}
