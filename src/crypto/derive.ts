/** Keys and octets out of other keys: PRF+, KRB-FX-CF2, and the key derivations of PKINIT. @module */
import { concat, utf8 } from '../bytes/index.ts'
import type { Enctype } from './enctypes/profile.ts'
import { Key } from './key.ts'
import { type HashName, hashSizes, type Primitives } from './primitives/primitives.ts'

export { nfold } from './nfold.ts'

/** Rounds of PRF+ and of the derivations of PKINIT: they count in one octet. */
const MOST_ROUNDS = 255

/** PRF+ (RFC 6113 §5.1): `size` octets out of `key` and `pepper`. Throws RangeError for more than 255 rounds give. */
export function prfPlus(key: Key, pepper: Uint8Array, size: number): Uint8Array {
  return inRounds(size, (counter) => key.prf(concat(Uint8Array.of(counter), pepper)))
}

/** KRB-FX-CF2 (RFC 6113 §5.1): one key out of two, of the first one's enctype. */
export function krbFxCf2(key1: Key, key2: Key, pepper1: string, pepper2: string): Key {
  const size = key1.enctype.seedSize
  const seed = prfPlus(key1, utf8(pepper1), size)
  const other = prfPlus(key2, utf8(pepper2), size)
  for (let i = 0; i < size; i++) seed[i]! ^= other[i]!
  other.fill(0)
  return keyOfSeed(key1.enctype, seed)
}

/** octetstring2key (RFC 4556 §3.2.3.1): the reply key of PKINIT out of a Diffie-Hellman result and the nonces. */
export function octetStringToKey(enctype: Enctype, secret: Uint8Array, { hash }: Pick<Primitives, 'hash'>): Key {
  const seed = inRounds(enctype.seedSize, (counter) => hash('sha1', concat(Uint8Array.of(counter - 1), secret)))
  return keyOfSeed(enctype, seed)
}

/** The key derivation of RFC 8636 §4 (SP 800-56A): `otherInfo` is the DER of PkinitSuppPubInfo's envelope. */
export function pkinitKey(
  enctype: Enctype,
  name: HashName,
  secret: Uint8Array,
  otherInfo: Uint8Array,
  { hash }: Pick<Primitives, 'hash'>,
): Key {
  const seed = new Uint8Array(enctype.seedSize)
  for (let at = 0, counter = 1; at < seed.length; at += hashSizes[name], counter++) {
    const block = hash(name, concat(Uint8Array.of(0, 0, 0, counter), secret, otherInfo))
    seed.set(block.subarray(0, seed.length - at), at)
  }
  return keyOfSeed(enctype, seed)
}

function keyOfSeed(enctype: Enctype, seed: Uint8Array): Key {
  const key = Key.fromSeed(enctype, seed)
  seed.fill(0)
  return key
}

/** The blocks of `round` for 1, 2, 3 …, joined and cut to `size` octets. */
function inRounds(size: number, round: (counter: number) => Uint8Array): Uint8Array {
  const out = new Uint8Array(size)
  for (let at = 0, counter = 1; at < size; counter++) {
    if (counter > MOST_ROUNDS) throw new RangeError(`${size} octets are more than ${MOST_ROUNDS} rounds give`)
    const block = round(counter)
    out.set(block.subarray(0, size - at), at)
    at += block.length
    block.fill(0)
  }
  return out
}
