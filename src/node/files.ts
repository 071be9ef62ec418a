/** Files that hold keys: read with bounds, replaced at one stroke, changed in place. @module */
import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../store/error.ts'

/** The largest file that is read: far more than any cache or keytab has. */
const MAX_FILE = 64 * 1024 * 1024
const OWNER_ONLY = 0o600
const STICKY = 0o1000
const WRITABLE_BY_ALL = 0o002

/** Why a file cannot be used, as `code`: the system's ENOENT, EACCES and so on, or our own NOT_REGULAR, TOO_BIG, NOT_OURS, REPLACED, LOCKED. */
export class FileError extends Error {
  override readonly name = 'FileError'
  readonly code: string

  constructor(path: string, code: string, options: ErrorOptions = {}) {
    super(`${path} (${words[code] ?? code})`, options)
    this.code = code
  }
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such folder',
  EACCES: 'its mode forbids it to this user',
  EPERM: 'this user may not',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a symbolic link, which is not followed',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
  NOT_REGULAR: 'it is no regular file',
  TOO_BIG: `it has more than ${MAX_FILE} octets`,
  LOCKED: 'another process holds it for longer than this takes',
  REPLACED: 'somebody replaced it at the same moment',
  NOT_OURS: 'somebody else put it into a folder where everybody may write',
}

/** A file that is open, and what was in it when it was opened. */
export interface OpenFile extends AsyncDisposable {
  readonly handle: FileHandle
  readonly octets: Uint8Array<ArrayBuffer>
  readonly stats: Stats
}

/** Opens a regular file and reads all of it. With `change` it can be written as well, and is not reached through a link. Throws {@link FileError}. */
export async function openFile(path: string, change?: 'change'): Promise<OpenFile> {
  // Without O_NONBLOCK, opening a named pipe would wait for its other end.
  const flags = (change ? constants.O_RDWR | constants.O_NOFOLLOW : constants.O_RDONLY) | constants.O_NONBLOCK
  const handle = await attempt(path, open(path, flags))
  try {
    const stats = await handle.stat()
    await refuseOddities(path, stats)
    const octets = new Uint8Array(await attempt(path, handle.readFile()))
    return { handle, octets, stats, [Symbol.asyncDispose]: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Reads a whole regular file. Throws {@link FileError}. */
export async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  await using file = await openFile(path)
  return file.octets
}

/**
 * In a folder where everybody may write, a file of somebody else's is a trap: their ticket would make us act in their name
 * (the rule of Linux's fs.protected_regular). The superuser may look at everybody's.
 */
async function refuseOddities(path: string, stats: Stats): Promise<void> {
  const { uid, size } = stats
  if (stats.isDirectory()) throw new FileError(path, 'EISDIR')
  if (!stats.isFile()) throw new FileError(path, 'NOT_REGULAR')
  if (size > MAX_FILE) throw new FileError(path, 'TOO_BIG')
  const self = process.geteuid?.()
  if (self === undefined || self === 0 || uid === self) return
  const folder = await stat(dirname(path))
  if (folder.mode & STICKY && folder.mode & WRITABLE_BY_ALL && uid !== folder.uid) throw new FileError(path, 'NOT_OURS')
}

/** Appends to the very file that is open, in one piece that no other writer's can get into. Throws {@link FileError}. */
export async function appendTo(path: string, { stats }: OpenFile, octets: Uint8Array): Promise<void> {
  const handle = await attempt(path, open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW))
  try {
    const { ino, dev, size } = await handle.stat()
    if (ino !== stats.ino || dev !== stats.dev) throw new FileError(path, 'REPLACED')
    const { bytesWritten } = await attempt(path, handle.write(octets))
    if (bytesWritten === octets.length) return
    // A piece would make the whole file unreadable; it is cut off unless somebody wrote behind it meanwhile.
    if ((await handle.stat()).size === size + bytesWritten) await handle.truncate(size)
    throw new FileError(path, 'ENOSPC')
  } finally {
    await handle.close()
  }
}

/** Writes over the octets at `offset`, as many as are given. Throws {@link FileError}. */
export async function overwrite(path: string, { handle }: OpenFile, offset: number, octets: Uint8Array): Promise<void> {
  await attempt(path, handle.write(octets, 0, octets.length, offset))
}

/**
 * A new file for its owner alone beside the old one, then renamed over it: whoever reads sees the old or the new, never half of
 * one. With `like` it gets that one's owner and mode. Throws {@link FileError}.
 */
export async function replaceFile(path: string, octets: Uint8Array, like?: Pick<Stats, 'uid' | 'gid' | 'mode'>) {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`
  const file = await attempt(path, open(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, OWNER_ONLY))
  try {
    await attempt(path, file.writeFile(octets))
    if (like) {
      if (process.geteuid?.() === 0) await file.chown(like.uid, like.gid)
      await file.chmod(like.mode & 0o777)
    }
    await file.close()
    await attempt(path, rename(fresh, path))
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(fresh, { force: true })
    throw error
  }
}

/** Overwrites a file with zeros if it is ours alone, and takes it away. Throws {@link FileError}. */
export async function destroyFile(path: string): Promise<void> {
  const file = await attempt(path, open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK))
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new FileError(path, 'NOT_REGULAR')
    if (stats.nlink === 1) await attempt(path, file.write(new Uint8Array(Math.min(stats.size, MAX_FILE)), 0, null, 0))
  } finally {
    await file.close()
  }
  await attempt(path, rm(path))
}

/** A FileError of a write as the {@link StoreError} that tells what to do; other errors as they are. */
export function asStoreError(kind: 'ccache' | 'keytab', error: unknown): unknown {
  if (!(error instanceof FileError)) return error
  const remedy = kind === 'ccache' ? 'name another one in KRB5CCNAME' : 'name another one, or have its owner do it'
  return new StoreError(kind, `${error.message} cannot be written`, { remedy, cause: error })
}

async function attempt<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined || error instanceof FileError) throw error
    throw new FileError(path, code, { cause: error })
  }
}
