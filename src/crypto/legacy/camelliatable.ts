/** The substitution s1 of Camellia (RFC 3713 §2.4.1), of which s2, s3 and s4 are turned versions. */
export const SBOX: Uint8Array = Uint8Array.of(
  112, 130,  44, 236, 179,  39, 192, 229, 228, 133,  87,  53, 234,  12, 174,  65,
   35, 239, 107, 147,  69,  25, 165,  33, 237,  14,  79,  78,  29, 101, 146, 189,
  134, 184, 175, 143, 124, 235,  31, 206,  62,  48, 220,  95,  94, 197,  11,  26,
  166, 225,  57, 202, 213,  71,  93,  61, 217,   1,  90, 214,  81,  86, 108,  77,
  139,  13, 154, 102, 251, 204, 176,  45, 116,  18,  43,  32, 240, 177, 132, 153,
  223,  76, 203, 194,  52, 126, 118,   5, 109, 183, 169,  49, 209,  23,   4, 215,
   20,  88,  58,  97, 222,  27,  17,  28,  50,  15, 156,  22,  83,  24, 242,  34,
  254,  68, 207, 178, 195, 181, 122, 145,  36,   8, 232, 168,  96, 252, 105,  80,
  170, 208, 160, 125, 161, 137,  98, 151,  84,  91,  30, 149, 224, 255, 100, 210,
   16, 196,   0,  72, 163, 247, 117, 219, 138,   3, 230, 218,   9,  63, 221, 148,
  135,  92, 131,   2, 205,  74, 144,  51, 115, 103, 246, 243, 157, 127, 191, 226,
   82, 155, 216,  38, 200,  55, 198,  59, 129, 150, 111,  75,  19, 190,  99,  46,
  233, 121, 167, 140, 159, 110, 188, 142,  41, 245, 249, 182,  47, 253, 180,  89,
  120, 152,   6, 106, 231,  70, 113, 186, 212,  37, 171,  66, 136, 162, 141, 250,
  114,   7, 185,  85, 248, 238, 172,  10,  54,  73,  42, 104,  60,  56, 241, 164,
   64,  40, 211, 123, 187, 201,  67, 193,  21, 227, 173, 244, 119, 199, 128, 158,
)

/** The constants of the key schedule, as two words each (RFC 3713 §2.2). */
export const SIGMA: Int32Array = Int32Array.of(
  0xa09e667f, 0x3bcc908b,
  0xb67ae858, 0x4caa73b2,
  0xc6ef372f, 0xe94f82be,
  0x54ff53a5, 0xf1d36f1c,
  0x10e527fa, 0xde682d1d,
  0xb05688c2, 0xb3e6c1fd,
)

/** Where a subkey comes from: 64 bits of `source`, turned left, from bit 0 (`half` 0) or bit 64. */
export interface Subkey {
  readonly source: 'KL' | 'KR' | 'KA' | 'KB'
  readonly turn: number
  readonly half: 0 | 1
}

const from = (source: Subkey['source'], turn: number, half: 0 | 1): Subkey => ({ source, turn, half })
const both = (source: Subkey['source'], turn: number): Subkey[] => [from(source, turn, 0), from(source, turn, 1)]

/** kw1, kw2, k1..k6, ke1, ke2, k7..k12, ke3, ke4, k13..k18, kw3, kw4 of a 128-bit key (RFC 3713 §2.2). */
export const SUBKEYS_128: readonly Subkey[] = [
  ...both('KL', 0), ...both('KA', 0), ...both('KL', 15), ...both('KA', 15),
  ...both('KA', 30),
  ...both('KL', 45), from('KA', 45, 0), from('KL', 60, 1), ...both('KA', 60),
  ...both('KL', 77),
  ...both('KL', 94), ...both('KA', 94), ...both('KL', 111),
  ...both('KA', 111),
]

/** kw1, kw2, k1..k6, ke1, ke2, k7..k12, ke3, ke4, k13..k18, ke5, ke6, k19..k24, kw3, kw4 of a 256-bit key (RFC 3713 §2.2). */
export const SUBKEYS_256: readonly Subkey[] = [
  ...both('KL', 0), ...both('KB', 0), ...both('KR', 15), ...both('KA', 15),
  ...both('KR', 30),
  ...both('KB', 30), ...both('KL', 45), ...both('KA', 45),
  ...both('KL', 60),
  ...both('KR', 60), ...both('KB', 60), ...both('KL', 77),
  ...both('KA', 77),
  ...both('KR', 94), ...both('KA', 94), ...both('KL', 111),
  ...both('KB', 111),
]
