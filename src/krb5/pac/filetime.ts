/** FILETIME (MS-DTYP §2.3.3): 64 bits of 100 ns since 1601. @module */

/**
 * Whole seconds since the Unix epoch; `never` for the largest value and beyond, `unset` for zero (MS-PAC §2.5).
 */
export type FileTime = number | 'never' | 'unset'

const NEVER = 0x7fff_ffff_ffff_ffffn
const TICKS = 10_000_000n
/** 1601-01-01 to 1970-01-01. */
const EPOCH = 11_644_473_600n

/** The time that 64 bits stand for. */
export function fileTimeOf(ticks: bigint): FileTime {
  if (ticks === 0n) return 'unset'
  if (ticks >= NEVER) return 'never'
  return Number(ticks / TICKS - EPOCH)
}

/** The 64 bits of a time. Throws RangeError for one before 1601 or of no whole seconds. */
export function ticksOf(time: FileTime): bigint {
  if (time === 'unset') return 0n
  if (time === 'never') return NEVER
  const ticks = (BigInt(time) + EPOCH) * TICKS
  if (ticks <= 0n || ticks >= NEVER) throw new RangeError(`no FILETIME holds ${time} s since the epoch`)
  return ticks
}
