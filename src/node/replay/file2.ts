/**
 * The replay cache that MIT krb5 has kept in a file since 1.18, its type `file2`: C programs of the host and ours refuse what
 * the others took. A seed of 16 octets, then hash tables of 1023, 2048, 4096 … records; a record is the first 12
 * octets of the authenticator's integrity tag and the second at which it came.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { equal } from '../../bytes/index.ts'
import { CLOCK_SKEW, seconds } from '../../krb5/env.ts'
import { KrbError } from '../../krb5/errors.ts'
import type { ReplayRecord } from '../../krb5/questions.ts'
import { FileError } from '../files.ts'
import { random } from '../random.ts'
import { LockFile } from './lock.ts'
import { untilUnlocked } from './oslocks.ts'
import { sipHash } from './siphash.ts'

const SEED_SIZE = 16
const TAG_SIZE = 12
const RECORD_SIZE = TAG_SIZE + 4
const FIRST_TABLE = 1023
/** The largest file that MIT makes: with all tables up to this, room for 67 million records. */
const MAX_FILE = 2 ** 31 - 1
const OWNER_ONLY = 0o600

/**
 * A replay cache in MIT's format, at `path`. It is made when first needed, for its owner alone.
 *
 * Programs of this library take turns by a lock beside the file. Of C programs, which lock the file itself as Node cannot,
 * a record is written first where they would not write, then waited for until none of them is at it, and looked for
 * theirs: either sees the other's. Linux tells who is at it. What is left are the microseconds between search and record
 * where a single place is free in the tables; and elsewhere than on Linux, or in a container whose file system tells
 * another inode, those of the C program, too: the very same token can be accepted twice if both get it within them.
 */
export class File2ReplayCache {
  readonly path: string
  readonly #skew: number
  readonly #lock: LockFile

  /** `skew` is how long a record counts, in microseconds; MIT's `clockskew` of krb5.conf. */
  constructor(path: string, { skew = CLOCK_SKEW }: { readonly skew?: number } = {}) {
    this.path = path
    this.#skew = skew
    this.#lock = new LockFile(`${path}.lock`)
  }

  /**
   * Whether `record` was seen before by anybody; it counts as seen from now on. Throws KrbError REPLAY_CACHE_FULL, and
   * REPLAY_CACHE_UNUSABLE for a file that is not ours or not there to be written.
   */
  seen(record: ReplayRecord): Promise<boolean> {
    return this.#lock
      .holding(() => this.#seen(record))
      .catch((error: unknown) => {
        if (!(error instanceof FileError)) throw error
        throw new KrbError('REPLAY_CACHE_UNUSABLE', error.message, { cause: error })
      })
  }

  async #seen({ tag, time, now }: ReplayRecord): Promise<boolean> {
    const file = openCache(this.path)
    try {
      const key = new Uint8Array(TAG_SIZE)
      key.set(tag.subarray(0, TAG_SIZE))
      // MIT keeps a record for the skew after it came. A later date makes it keep what is dated ahead for as long as it counts.
      const stamp = seconds(Math.max(now, time))
      const noted = note(file, key, stamp, seconds(now), this.#skew / 1e6)
      if (!noted) return true
      await untilUnlocked(file, this.path)
      return isNotedBeside(file, key, noted)
    } finally {
      closeSync(file)
    }
  }
}

function openCache(path: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  let file: number
  try {
    file = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, OWNER_ONLY)
  } catch (error) {
    throw new FileError(path, (error as NodeJS.ErrnoException).code ?? 'EIO', { cause: error })
  }
  const stats = fstatSync(file)
  const odd = !stats.isFile()
    ? 'NOT_REGULAR'
    : stats.uid !== (process.geteuid?.() ?? stats.uid)
      ? 'NOT_OURS'
      : undefined
  if (!odd) return file
  closeSync(file)
  throw new FileError(path, odd)
}

/** Where a record of ours stands, and the second that it tells. */
interface Noted {
  readonly place: number
  readonly stamp: number
}

/**
 * Looks for `tag` in the tables, and writes it to a place that is free when it is in none: not to the first, which is where
 * a C program would write the same tag at the same moment; or there with a second that it would not write. Gives what it
 * wrote; undefined when the tag is there.
 */
function note(file: number, tag: Uint8Array, stamp: number, now: number, skew: number): Noted | undefined {
  const free: number[] = []
  for (const { place, record } of placesOf(file, tag)) {
    if (record && equal(record.tag, tag)) return undefined
    if (!record || record.stamp + 2 * skew < now) free.push(place)
  }
  const [first, second] = free
  if (first === undefined) throw new KrbError('REPLAY_CACHE_FULL', 'every place of the file is taken')
  const noted = second === undefined ? { place: first, stamp: stamp + 1 } : { place: second, stamp }
  const octets = new Uint8Array(RECORD_SIZE)
  octets.set(tag)
  new DataView(octets.buffer).setUint32(TAG_SIZE, noted.stamp)
  writeSync(file, octets, 0, RECORD_SIZE, noted.place)
  return noted
}

/** Whether somebody else has noted `tag` as well, beside our record or in its place. */
function isNotedBeside(file: number, tag: Uint8Array, ours: Noted): boolean {
  for (const { place, record } of placesOf(file, tag))
    if (record?.stamp && equal(record.tag, tag) && (place !== ours.place || record.stamp !== ours.stamp)) return true
  return false
}

/** The places where MIT looks for a tag, with what is there: two in each table, up to one that was never written. */
function* placesOf(
  file: number,
  tag: Uint8Array,
): Generator<{ readonly place: number; readonly record: Stamped | undefined }> {
  const seed = seedOf(file)
  for (const { offset, records } of tables()) {
    const place = offset + Number(sipHash(seed, tag) % BigInt(records)) * RECORD_SIZE
    const [first, second] = recordsAt(file, place)
    yield { place, record: first }
    yield { place: place + RECORD_SIZE, record: second }
    if (!first?.stamp || !second?.stamp) return
    seed[0]! += 1
  }
}

interface Stamped {
  readonly tag: Uint8Array
  /** Seconds since the epoch; 0 for a place that was never written. */
  readonly stamp: number
}

function* tables(): Generator<{ readonly offset: number; readonly records: number }> {
  let offset = SEED_SIZE
  for (let records = FIRST_TABLE; offset + records * RECORD_SIZE <= MAX_FILE; ) {
    yield { offset, records }
    offset += records * RECORD_SIZE
    records = records === FIRST_TABLE ? 2 * (FIRST_TABLE + 1) : 2 * records
  }
}

/** The seed of a file, which the first one to use it draws. */
function seedOf(file: number): Uint8Array {
  const seed = new Uint8Array(SEED_SIZE)
  if (readSync(file, seed, 0, SEED_SIZE, 0) === SEED_SIZE) return seed
  seed.set(random(SEED_SIZE))
  writeSync(file, seed, 0, SEED_SIZE, 0)
  return seed
}

/** The two records from `place` on, as far as the file reaches. */
function recordsAt(file: number, place: number): readonly Stamped[] {
  const octets = new Uint8Array(2 * RECORD_SIZE)
  const size = readSync(file, octets, 0, octets.length, place)
  const view = new DataView(octets.buffer)
  return [0, RECORD_SIZE]
    .filter((at) => at + RECORD_SIZE <= size)
    .map((at) => ({ tag: octets.subarray(at, at + TAG_SIZE), stamp: view.getUint32(at + TAG_SIZE) }))
}
