/** DIR: a folder of caches, as MIT krb5 has it. @module */
import { randomInt } from 'node:crypto'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fromUtf8, utf8 } from '../../bytes/index.ts'
import { KrbError } from '../../krb5/errors.ts'
import { StoreError } from '../../store/error.ts'
import { asStoreError, FileError, readWhole, replaceFile } from '../files.ts'
import type { CacheCollection, CredentialCache } from './cache.ts'
import { FileCache } from './file.ts'

/** The file that names the primary, a line. */
const PRIMARY = 'primary'
/** The primary of a collection that names none. */
const FIRST = 'tkt'
/** A cache's file name. */
const CACHE_FILE = /^tkt[^/\0\n]{0,200}$/
/** More caches than one user has. */
const MAX_CACHES = 4096
const OWNER_ONLY = 0o700
/** Characters behind `tkt` in the name of a new cache. */
const SUFFIX = 6

/** The caches in a folder. The folder and its `primary` are made when the first cache is. */
export class DirectoryCollection implements CacheCollection {
  readonly switchable = true
  readonly #folder: string

  constructor(folder: string) {
    if (!folder) throw new KrbError('NAME_REFUSED', 'DIR: names no folder', { hint: 'write DIR:/path/to/folder' })
    this.#folder = folder
  }

  async list(): Promise<CredentialCache[]> {
    const primary = await this.#primaryFile()
    const others = (await this.#files()).filter((file) => file !== primary).sort()
    const first = (await isThere(join(this.#folder, primary))) ? [primary] : []
    return [...first, ...others].map((file) => this.#cache(file))
  }

  async primary(): Promise<CredentialCache> {
    return this.#cache(await this.#primaryFile())
  }

  async switchTo({ name }: CredentialCache): Promise<void> {
    const path = /^DIR::(.*)$/s.exec(name)?.[1] ?? ''
    const file = basename(path)
    if (path !== join(this.#folder, file) || !CACHE_FILE.test(file))
      throw new KrbError('NAME_REFUSED', `${name} is no cache of DIR:${this.#folder}`, { hint: 'klist -l lists them' })
    await this.#writePrimary(file)
  }

  async unique(): Promise<CredentialCache> {
    const taken = await this.#files()
    for (;;) {
      const file = `${FIRST}${letters(SUFFIX)}`
      if (!taken.includes(file)) return this.#cache(file)
    }
  }

  #cache(file: string): CredentialCache {
    const path = join(this.#folder, file)
    return new FileCache(path, `DIR::${path}`, () => this.#prepare())
  }

  async #files(): Promise<string[]> {
    try {
      const files = (await readdir(this.#folder)).filter((file) => CACHE_FILE.test(file))
      if (files.length > MAX_CACHES) throw new StoreError('ccache', `${this.#folder} has ${files.length} caches`)
      return files
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  async #primaryFile(): Promise<string> {
    const path = join(this.#folder, PRIMARY)
    try {
      const [, file] = /^([^\n]*)\n$/.exec(fromUtf8(await readWhole(path))) ?? []
      if (file !== undefined && CACHE_FILE.test(file)) return file
    } catch (error) {
      if (error instanceof FileError && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return FIRST
      if (!(error instanceof TypeError)) throw error
    }
    throw new StoreError('ccache', `${path} does not name a cache: one line that begins with tkt is wanted`, {
      remedy: 'take it away, or switch to a cache (kswitch)',
    })
  }

  async #prepare(): Promise<void> {
    try {
      await mkdir(this.#folder, { mode: OWNER_ONLY })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST') throw new FileError(this.#folder, code ?? 'EIO', { cause: error })
    }
    if (!(await isThere(join(this.#folder, PRIMARY)))) await this.#writePrimary(FIRST)
  }

  async #writePrimary(file: string): Promise<void> {
    try {
      await replaceFile(join(this.#folder, PRIMARY), utf8(`${file}\n`))
    } catch (error) {
      throw asStoreError('ccache', error)
    }
  }
}

/** One cache of a folder, named `DIR::path`: the collection is that cache alone. Throws KrbError NAME_REFUSED. */
export function directoryCache(path: string): CredentialCache {
  if (!CACHE_FILE.test(basename(path)) || !path.includes('/'))
    throw new KrbError('NAME_REFUSED', `DIR::${path} names no cache`, { hint: 'its file name has to begin with tkt' })
  return new FileCache(path, `DIR::${path}`, async () => {
    await mkdir(dirname(path), { mode: OWNER_ONLY }).catch(() => undefined)
  })
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** As many letters and digits, by chance. */
const letters = (count: number): string =>
  Array.from({ length: count }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
