/** Keytabs by their names, whatever keeps them. @module */
import { concat } from '../bytes/index.ts'
import { KrbError } from '../krb5/errors.ts'
import { samePrincipal } from '../krb5/names.ts'
import {
  formatEntry,
  formatKeytab,
  type Keytab,
  type KeytabEntry,
  keytabHole,
  locateKeys,
  parseKeytab,
} from '../store/keytab.ts'
import { appendTo, asStoreError, FileError, openFile, overwrite, readWhole, replaceFile } from './files.ts'
import { parseStoreName, refusedType } from './names.ts'

/** One keytab. Every method throws StoreError when the store fails. */
export interface KeytabStore {
  /** The full name, as KRB5_KTNAME has it: `FILE:/etc/krb5.keytab`. */
  readonly name: string
  /** What is in it. Throws KrbError NO_KEY when there is no such keytab. */
  read(): Promise<Keytab>
  /** Adds entries, each in place of one for the same principal, version and enctype; makes the keytab if there is none. */
  add(...entries: readonly KeytabEntry[]): Promise<void>
  /** Removes the entries that `which` picks; how many those were. Throws KrbError NO_KEY when there is no such keytab. */
  remove(which: (entry: KeytabEntry) => boolean): Promise<number>
}

/** The keytabs that names reach from here. MEMORY ones live in this object alone. */
export class Keytabs {
  readonly #memory = new Map<string, readonly KeytabEntry[]>()

  /** The keytab of this name: `FILE:`, `WRFILE:`, `MEMORY:` or a path. Throws KrbError NAME_REFUSED for other types. */
  resolve(name: string): KeytabStore {
    const { type, rest } = parseStoreName(name)
    if (type === 'FILE' || type === 'WRFILE') return new FileKeytab(rest)
    if (type === 'MEMORY') return new MemoryKeytab(rest, this.#memory)
    throw refusedType(name, 'keytab')
  }
}

/** Whether the one takes the place of the other. */
const sameEntry = (a: KeytabEntry, b: KeytabEntry): boolean =>
  samePrincipal(a.principal, b.principal) && a.kvno === b.kvno && a.key.keytype === b.key.keytype

/** A keytab in a file, changed in place: its owner and mode stay, as do other programs' holes. */
class FileKeytab implements KeytabStore {
  readonly name: string
  readonly #path: string

  constructor(path: string) {
    this.#path = path
    this.name = `FILE:${path}`
  }

  async read(): Promise<Keytab> {
    try {
      return parseKeytab(await readWhole(this.#path))
    } catch (error) {
      throw absent(error)
    }
  }

  async add(...entries: readonly KeytabEntry[]): Promise<void> {
    try {
      await this.#change((entry) => entries.some((newer) => sameEntry(entry, newer)), entries)
    } catch (error) {
      if (!(error instanceof FileError && error.code === 'ENOENT')) throw asStoreError('keytab', error)
      await replaceFile(this.#path, formatKeytab(entries)).catch((error) => {
        throw asStoreError('keytab', error)
      })
    }
  }

  async remove(which: (entry: KeytabEntry) => boolean): Promise<number> {
    try {
      return await this.#change(which, [])
    } catch (error) {
      throw error instanceof FileError && error.code === 'ENOENT' ? absent(error) : asStoreError('keytab', error)
    }
  }

  /** Adds, then makes holes of what `which` picks, so that readers never miss a key; how many holes that were. */
  async #change(which: (entry: KeytabEntry) => boolean, added: readonly KeytabEntry[]): Promise<number> {
    await using file = await openFile(this.#path, 'change')
    const { version, located, end } = locateKeys(file.octets)
    const stale = located.filter(({ entry }) => which(entry))
    if (version === 2 && end === file.octets.length) {
      if (added.length > 0) await appendTo(this.#path, file, concat(...added.map(formatEntry)))
      for (const { offset, size } of stale) await overwrite(this.#path, file, offset, keytabHole(size))
    } else {
      const kept = located.filter((place) => !stale.includes(place)).map(({ entry }) => entry)
      await replaceFile(this.#path, formatKeytab([...kept, ...added]), file.stats)
    }
    return stale.length
  }
}

class MemoryKeytab implements KeytabStore {
  readonly name: string
  readonly #key: string
  readonly #keytabs: Map<string, readonly KeytabEntry[]>

  constructor(key: string, keytabs: Map<string, readonly KeytabEntry[]>) {
    this.name = `MEMORY:${key}`
    this.#key = key
    this.#keytabs = keytabs
  }

  async read(): Promise<Keytab> {
    const entries = this.#keytabs.get(this.#key)
    if (!entries) throw new KrbError('NO_KEY', `no keytab ${this.name} (nothing was put into it)`)
    return { entries }
  }

  async add(...entries: readonly KeytabEntry[]): Promise<void> {
    const before = this.#keytabs.get(this.#key) ?? []
    this.#keytabs.set(this.#key, [
      ...before.filter((old) => !entries.some((entry) => sameEntry(old, entry))),
      ...entries,
    ])
  }

  async remove(which: (entry: KeytabEntry) => boolean): Promise<number> {
    const { entries } = await this.read()
    const kept = entries.filter((entry) => !which(entry))
    this.#keytabs.set(this.#key, kept)
    return entries.length - kept.length
  }
}

function absent(error: unknown): unknown {
  if (!(error instanceof FileError)) return error
  return new KrbError('NO_KEY', `no keytab ${error.message}`, { cause: error })
}
