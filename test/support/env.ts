import { enctypes } from '../../src/crypto/enctypes/table.ts'
import type { Env } from '../../src/krb5/env.ts'

/** An environment that never changes: its clock stands at `time` seconds, its randomness is a counter from `seed`. */
export function fixedEnv(time = 1_800_000_000, seed = 1, more: Partial<Env> = {}): Env {
  let state = seed
  return {
    now: () => time * 1e6,
    random: (size) =>
      Uint8Array.from({ length: size }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        return state >>> 16
      }),
    enctypes,
    ...more,
  }
}
