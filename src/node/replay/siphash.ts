const MASK = (1n << 64n) - 1n
const rotate = (word: bigint, bits: bigint): bigint => ((word << bits) | (word >> (64n - bits))) & MASK

/** SipHash-2-4 (Aumasson and Bernstein 2012) of `message` under a key of 16 octets: 64 bits. */
export function sipHash(key: Uint8Array, message: Uint8Array): bigint {
  const words = new DataView(key.buffer, key.byteOffset, 16)
  const [k0, k1] = [words.getBigUint64(0, true), words.getBigUint64(8, true)]
  const v = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn, k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n]
  const padded = new Uint8Array((message.length >> 3) * 8 + 8)
  padded.set(message)
  padded[padded.length - 1] = message.length
  const blocks = new DataView(padded.buffer)
  for (let at = 0; at < padded.length; at += 8) {
    const block = blocks.getBigUint64(at, true)
    v[3]! ^= block
    rounds(v, 2)
    v[0]! ^= block
  }
  v[2]! ^= 0xffn
  rounds(v, 4)
  return v[0]! ^ v[1]! ^ v[2]! ^ v[3]!
}

function rounds(v: bigint[], count: number): void {
  let [a, b, c, d] = v as [bigint, bigint, bigint, bigint]
  for (let i = 0; i < count; i++) {
    a = (a + b) & MASK
    c = (c + d) & MASK
    b = rotate(b, 13n) ^ a
    d = rotate(d, 16n) ^ c
    a = rotate(a, 32n)
    c = (c + b) & MASK
    a = (a + d) & MASK
    b = rotate(b, 17n) ^ c
    d = rotate(d, 21n) ^ a
    c = rotate(c, 32n)
  }
  v.splice(0, 4, a, b, c, d)
}
