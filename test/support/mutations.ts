/**
 * What happens to octets on a hostile way. `KERB_HOSTILE=long` tries every bit and every size where otherwise a choice is
 * made, which takes minutes (`npx vitest run --testTimeout=600000`); `KERB_HOSTILE_SEED` makes another choice.
 */

/** Whether to take the time for all there is. */
export const long = process.env['KERB_HOSTILE'] === 'long'
const SEED = Number(process.env['KERB_HOSTILE_SEED'] ?? 1)

/** Octets with one thing wrong with them, and what that is. */
export interface Mutation {
  readonly what: string
  /** The first octet that is not as it was. */
  readonly at: number
  readonly octets: Uint8Array
}

/** Every octet changed in one of its bits, which the seed picks; when `long`, in each of its bits. */
export function* flips(octets: Uint8Array, salt = 0): Generator<Mutation> {
  for (let at = 0; at < octets.length; at++)
    for (const bit of long ? [0, 1, 2, 3, 4, 5, 6, 7] : [picked(at, salt) % 8]) yield flipped(octets, at, bit)
}

/** One bit changed. */
export function flipped(octets: Uint8Array, at: number, bit: number): Mutation {
  const changed = octets.slice()
  changed[at]! ^= 1 << bit
  return { what: `bit ${bit} of octet ${at} flipped`, at, octets: changed }
}

/** Every shorter one, without its end. */
export function* cuts(octets: Uint8Array): Generator<Mutation> {
  for (let at = 0; at < octets.length; at++) yield { what: `cut to ${at} octets`, at, octets: octets.subarray(0, at) }
}

/** Both, of every octet; of one in `stride` where there is no time for all. */
export function* mutations(octets: Uint8Array, { salt = 0, stride = 1 } = {}): Generator<Mutation> {
  let count = picked(octets.length, salt)
  for (const each of [flips(octets, salt), cuts(octets)])
    for (const mutation of each) if (long || count++ % stride === 0) yield mutation
}

/** The mutations of `example`, to be made of others that are alike. */
export function* changes(example: Uint8Array, salt = 0) {
  for (const { what, at, octets } of mutations(example, { salt })) {
    const difference = (octets[at] ?? 0) ^ example[at]!
    const cut = octets.length < example.length
    const change = (of: Uint8Array) =>
      cut ? of.subarray(0, at) : of.map((octet, place) => (place === at ? octet ^ difference : octet))
    yield { what, change }
  }
}

/** A number that looks like chance (splitmix32), the same for the same seed. */
function picked(at: number, salt: number): number {
  let state = (at + Math.imul(SEED, 0x9e37_79b9) + Math.imul(salt, 0x85eb_ca6b)) | 0
  state = Math.imul(state ^ (state >>> 16), 0x21f0_aaad)
  state = Math.imul(state ^ (state >>> 15), 0x735a_2d97)
  return (state ^ (state >>> 15)) >>> 0
}
