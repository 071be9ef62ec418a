/** What every type of credential cache can do. @module */
import type { CacheContents } from '../../store/ccache.ts'
import type { CcacheEntry } from '../../store/ccacheentry.ts'

/** One credential cache. Every method throws StoreError when the store fails; only `replace` makes a cache that was not there. */
export interface CredentialCache {
  /** The full name, as KRB5CCNAME has it: `DIR::/run/user/1000/krb5cc/tkt`. */
  readonly name: string
  /** What is in it at this moment, the keys the caller's to dispose of. Throws KrbError NO_TICKET when there is no such cache. */
  read(): Promise<CacheContents>
  /** Puts `contents` in place of what is there, at one stroke where the type can. */
  replace(contents: CacheContents): Promise<void>
  /** Adds entries, each in place of one for the same client and service. Throws KrbError NO_TICKET when there is no such cache. */
  add(...entries: readonly CcacheEntry[]): Promise<void>
  /** Removes the entries that `which` picks; how many those were. Throws KrbError NO_TICKET when there is no such cache. */
  remove(which: (entry: CcacheEntry) => boolean): Promise<number>
  /** Takes the cache away. Throws KrbError NO_TICKET when there is none. */
  destroy(): Promise<void>
}

/** Caches that belong together: one of them is the primary, which is meant when only the collection is named. */
export interface CacheCollection {
  /** The caches that there are, the primary first. */
  list(): Promise<CredentialCache[]>
  /** The primary, whether it is there yet or not. */
  primary(): Promise<CredentialCache>
  /** Makes `cache` the primary. Throws KrbError NAME_REFUSED where there is only one cache. */
  switchTo(cache: CredentialCache): Promise<void>
  /** A cache that is not there yet, to be filled by `replace`. */
  unique(): Promise<CredentialCache>
  /** Whether there can be several caches and one of them be switched to. */
  readonly switchable: boolean
}
