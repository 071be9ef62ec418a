/** Locks of the system on files, which Node cannot take, and Linux tells of. @module */
import { fstatSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { FileError } from '../files.ts'

/** Linux's list of all locks: `1: OFDLCK ADVISORY  WRITE -1 fe:00:1234 0 EOF`. */
const LOCKS = '/proc/locks'

/** Milliseconds for which a C program may be at a file; less than a lock of ours may last. */
const PATIENCE = 2000

/**
 * Waits until nobody holds a lock for writing on an open file; at once where the system does not tell. Throws FileError
 * when one lasts.
 */
export async function untilUnlocked(file: number, path: string): Promise<void> {
  const { ino } = fstatSync(file, { bigint: true })
  const held = new RegExp(`^\\d+: \\S+ +\\S+ +WRITE +\\S+ [0-9a-f]+:[0-9a-f]+:${ino} `, 'm')
  for (let waited = 0; held.test(locks()); waited++) {
    if (waited > PATIENCE) throw new FileError(path, 'LOCKED')
    await wait(1)
  }
}

function locks(): string {
  try {
    return readFileSync(LOCKS, 'latin1')
  } catch {
    return ''
  }
}
