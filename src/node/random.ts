import { randomFillSync } from 'node:crypto'

/** Octets fetched from the system's source of randomness at a time: asking for few costs as much as asking for many. */
const POOL = 16_384
const pool = new Uint8Array(POOL)
let used = POOL

/** Cryptographically strong octets; what was handed out is wiped from the pool. */
export function random(size: number): Uint8Array {
  if (size > POOL) return randomFillSync(new Uint8Array(size))
  if (used + size > POOL) {
    randomFillSync(pool)
    used = 0
  }
  const octets = new Uint8Array(size)
  for (let i = 0; i < size; i++) {
    octets[i] = pool[used]!
    pool[used++] = 0
  }
  return octets
}
