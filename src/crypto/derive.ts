import { concat, utf8 } from '../bytes/index.ts'
import { Key } from './key.ts'
import type { HashName, Primitives } from './primitives/primitives.ts'

/** n-fold: spreads `input` evenly over `size` octets (RFC 3961 §5.1). */
export function nfold(input: Uint8Array, size: number): Uint8Array {
  const copies = lcm(input.length, size) / input.length
  const bits = input.length * 8
  const bit = (position: number) => (input[position >> 3]! >> (7 - (position & 7))) & 1
  const long = new Uint8Array(copies * input.length)
  for (let copy = 0; copy < copies; copy++)
    for (let i = 0; i < input.length; i++)
      for (let b = 0; b < 8; b++) {
        const position = (((i * 8 + b - 13 * copy) % bits) + bits) % bits
        long[copy * input.length + i]! |= bit(position) << (7 - b)
      }
  const sum = new Uint8Array(size)
  for (let at = 0; at < long.length; at += size) addOnesComplement(sum, long.subarray(at, at + size))
  return sum
}

/** The derived random octets DR, which are the key DK for AES (RFC 3961 §5.1; RFC 3962 §6). */
export function deriveKey(primitives: Primitives, key: Uint8Array, constant: Uint8Array): Uint8Array {
  const derived = new Uint8Array(key.length)
  let block = constant.length === 16 ? constant : nfold(constant, 16)
  for (let at = 0; at < key.length; at += 16) {
    block = primitives.aesCbcEncrypt(key, block)
    derived.set(block, at)
  }
  return derived
}

/** KDF-HMAC-SHA2 (RFC 8009 §3): one block of SP 800-108 counter mode, `size` octets of it. */
export function kdfHmacSha2(
  primitives: Primitives,
  hash: HashName,
  key: Uint8Array,
  label: Uint8Array,
  size: number,
  context: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const input = concat(uint32(1), label, Uint8Array.of(0), context, uint32(size * 8))
  return primitives.hmac(hash, key, input).slice(0, size)
}

/** A key usage number and the octet that says what the derived key is for (RFC 3961 §5.3). */
export function usageConstant(usage: number, purpose: 'encrypt' | 'integrity' | 'checksum'): Uint8Array {
  return concat(uint32(usage), Uint8Array.of({ encrypt: 0xaa, integrity: 0x55, checksum: 0x99 }[purpose]))
}

/** PRF+ (RFC 6113 §5.1): `size` octets out of `key` and `pepper`. */
export function prfPlus(key: Key, pepper: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size)
  for (let at = 0, counter = 1; at < size; counter++) {
    if (counter > 255) throw new RangeError('PRF+ has at most 255 rounds')
    const block = key.prf(concat(Uint8Array.of(counter), pepper))
    out.set(block.subarray(0, size - at), at)
    at += block.length
  }
  return out
}

/** KRB-FX-CF2 (RFC 6113 §5.1): one key out of two, of the first one's enctype. */
export function krbFxCf2(key1: Key, key2: Key, pepper1: string, pepper2: string): Key {
  const size = key1.enctype.seedSize
  const seed = prfPlus(key1, utf8(pepper1), size)
  const other = prfPlus(key2, utf8(pepper2), size)
  for (let i = 0; i < size; i++) seed[i]! ^= other[i]!
  const key = new Key(key1.enctype, seed)
  seed.fill(0)
  other.fill(0)
  return key
}

const uint32 = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)

function lcm(a: number, b: number): number {
  let [x, y] = [a, b]
  while (y !== 0) [x, y] = [y, x % y]
  return (a * b) / x
}

function addOnesComplement(sum: Uint8Array, addend: Uint8Array): void {
  let carry = 0
  for (let i = sum.length - 1; i >= 0; i--) {
    const total = sum[i]! + addend[i]! + carry
    sum[i] = total
    carry = total >> 8
  }
  for (let i = sum.length - 1; carry && i >= 0; i--) {
    const total = sum[i]! + carry
    sum[i] = total
    carry = total >> 8
  }
}
