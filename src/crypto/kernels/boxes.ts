/**
 * The tables of AES for columns held as little-endian words (FIPS 197 §5.1.1, §5.1.3): a substitution and the mixing of
 * a column are one look-up. Looking up by secret octets shows in the cache, as it does with @noble's AES. @module
 */

/** SubBytes. */
export const SBOX = new Int32Array(256)
/** InvSubBytes. */
export const INVERSE = new Int32Array(256)
/** SubBytes and MixColumns of an octet in row 0. */
export const E0 = new Int32Array(256)
/** The same in row 1. */
export const E1 = new Int32Array(256)
/** The same in row 2. */
export const E2 = new Int32Array(256)
/** The same in row 3. */
export const E3 = new Int32Array(256)
/** InvSubBytes and InvMixColumns of an octet in row 0. */
export const D0 = new Int32Array(256)
/** The same in row 1. */
export const D1 = new Int32Array(256)
/** The same in row 2. */
export const D2 = new Int32Array(256)
/** The same in row 3. */
export const D3 = new Int32Array(256)

/** Twice an octet in GF(2^8) (FIPS 197 §4.2). */
const double = (octet: number) => ((octet << 1) ^ (octet & 0x80 ? 0x11b : 0)) & 0xff
const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits))

function fill(): void {
  // p runs through the powers of 3, q through those of its inverse: together they give every octet's inverse.
  let p = 1
  let q = 1
  do {
    p ^= double(p)
    q ^= q << 1
    q ^= q << 2
    q = (q ^ (q << 4)) & 0xff
    if (q & 0x80) q ^= 0x09
    const spread = q ^ (q << 1) ^ (q << 2) ^ (q << 3) ^ (q << 4)
    SBOX[p] = ((spread ^ (spread >> 8)) & 0xff) ^ 0x63
  } while (p !== 1)
  SBOX[0] = 0x63
  for (let octet = 0; octet < 256; octet++) {
    const s = SBOX[octet]!
    INVERSE[s] = octet
    E0[octet] = double(s) | (s << 8) | (s << 16) | ((double(s) ^ s) << 24)
    const two = double(octet)
    const four = double(two)
    const eight = double(four)
    D0[s] =
      (eight ^ four ^ two) | ((eight ^ octet) << 8) | ((eight ^ four ^ octet) << 16) | ((eight ^ two ^ octet) << 24)
  }
  for (let octet = 0; octet < 256; octet++) {
    E1[octet] = rotate(E0[octet]!, 8)
    E2[octet] = rotate(E0[octet]!, 16)
    E3[octet] = rotate(E0[octet]!, 24)
    D1[octet] = rotate(D0[octet]!, 8)
    D2[octet] = rotate(D0[octet]!, 16)
    D3[octet] = rotate(D0[octet]!, 24)
  }
}
fill()
