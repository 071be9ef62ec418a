const BLOCK = 64

/** The functions, constants, word orders and shifts of the three rounds (RFC 1320 §3.4). */
const ROUNDS = [
  {
    of: (x: number, y: number, z: number) => (x & y) | (~x & z),
    constant: 0,
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    shifts: [3, 7, 11, 19],
  },
  {
    of: (x: number, y: number, z: number) => (x & y) | (x & z) | (y & z),
    constant: 0x5a827999,
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    shifts: [3, 5, 9, 13],
  },
  {
    of: (x: number, y: number, z: number) => x ^ y ^ z,
    constant: 0x6ed9eba1,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    shifts: [3, 9, 11, 15],
  },
] as const

/** MD4 (RFC 1320), broken for everything but what RC4 keys are made of: the hash of a Windows password. */
export function md4(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((data.length + 9) / BLOCK) * BLOCK)
  padded.set(data)
  padded[data.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, data.length << 3, true)
  view.setUint32(padded.length - 4, Math.floor(data.length / 2 ** 29), true)
  let [a, b, c, d] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476]
  for (let block = 0; block < padded.length; block += BLOCK) {
    const before = [a, b, c, d] as const
    for (const { of, constant, order, shifts } of ROUNDS)
      for (let step = 0; step < 16; step++) {
        const sum = (a + of(b, c, d) + view.getInt32(block + 4 * order[step]!, true) + constant) | 0
        const shift = shifts[step & 3]!
        ;[a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c]
      }
    a = (a + before[0]) | 0
    b = (b + before[1]) | 0
    c = (c + before[2]) | 0
    d = (d + before[3]) | 0
  }
  padded.fill(0)
  const digest = new DataView(new ArrayBuffer(16))
  for (const [i, word] of [a, b, c, d].entries()) digest.setInt32(4 * i, word, true)
  return new Uint8Array(digest.buffer)
}
