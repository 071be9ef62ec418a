/** What gssproxy 0.9.1 and its clients said to each other, as it was recorded (`vectors/gssproxy`). */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProcedureName, procedures } from '../../src/gssproxy/procedures.ts'

const root = 'vectors/gssproxy'

/** A recorded message, without its record mark. */
export interface Recorded {
  readonly file: string
  readonly procedure: ProcedureName
  readonly direction: 'call' | 'reply'
  readonly octets: Uint8Array
}

/** Every message that was recorded. */
export const recorded: readonly Recorded[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .sort()
  .flatMap((file) => {
    const [, direction] = /\b(call|reply)\b/.exec(file) ?? []
    const procedure = (Object.keys(procedures) as ProcedureName[]).find((name) =>
      new RegExp(`-${name}(-(call|reply))?\\.bin$`).test(file),
    )
    if (!direction || !procedure) return []
    return { file, procedure, direction: direction as 'call' | 'reply', octets: octetsOf(file) }
  })

/** A file of the recordings. */
export function octetsOf(file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(root, file)))
}
