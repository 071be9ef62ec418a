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
