import { randomFillSync } from 'node:crypto'
import type { Random } from '../crypto/random.ts'

/** Octets fetched from the system's source of randomness at a time: asking for few costs as much as asking for many. */
const POOL = 16_384
const pool = new Uint8Array(POOL)
let used = POOL

/** What was handed out is wiped from the pool. */
function fill(target: Uint8Array): void {
  const size = target.length
  if (size > POOL) {
    randomFillSync(target)
    return
  }
  if (used + size > POOL) {
    randomFillSync(pool)
    used = 0
  }
  for (let i = 0; i < size; i++) {
    target[i] = pool[used]!
    pool[used++] = 0
  }
}

/** Cryptographically strong octets. */
export const random: Random = Object.assign(
  (size: number) => {
    const octets = new Uint8Array(size)
    fill(octets)
    return octets
  },
  { fill },
)
