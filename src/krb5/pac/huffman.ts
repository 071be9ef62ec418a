/** LZ77 with Huffman codes (MS-XCA §2.2). @module */
import type { OctetReader } from '../../bytes/cursor.ts'
import { PacError } from './error.ts'
import type { Unpacked } from './unpacked.ts'

/** Octets of output after which a new code begins. */
const BLOCK = 65_536
const SYMBOLS = 512
const MAX_BITS = 15
/** Octets of a code's description: a length of four bits for each symbol. */
const TABLE = SYMBOLS / 2
/** Symbols below stand for themselves, those above for a length and a distance. */
const LITERALS = 256
/** Bits are fetched ahead of need by so many octets, of which the last of the input may not be there. */
const AHEAD = 4

/** Unpacks blocks until `output` is full. Throws PacError and BoundsError. */
export function unpackHuffman(input: OctetReader, output: Unpacked): void {
  while (!output.full) {
    const { symbols, lengths } = readCode(input.octets(TABLE))
    const bits = new Bits(input)
    const end = output.length + BLOCK
    while (!output.full && output.length < end) {
      const symbol = symbols[bits.peek(MAX_BITS)]!
      bits.skip(lengths[symbol]!)
      if (symbol < LITERALS) output.octet(symbol)
      else unpackMatch(symbol - LITERALS, bits, input, output)
    }
  }
}

function unpackMatch(symbol: number, bits: Bits, input: OctetReader, output: Unpacked): void {
  const distanceBits = symbol >> 4
  let length = symbol & 15
  if (length === 15) {
    const octet = input.uint8()
    length = octet === 255 ? input.uint16() || input.uint32() : octet + 15
    if (length < 15) throw new PacError(`compressed length ${length} is written longer than it need be`)
  }
  const distance = (1 << distanceBits) + bits.peek(distanceBits)
  bits.skip(distanceBits)
  output.copy(distance, length + 3)
}

/** A canonical code (MS-XCA §2.2.4): for every 15 bits the symbol that they begin with, and for every symbol its length. */
function readCode(table: Uint8Array): { readonly symbols: Uint16Array; readonly lengths: Uint8Array } {
  const lengths = new Uint8Array(SYMBOLS)
  table.forEach((octet, i) => {
    lengths[2 * i] = octet & 15
    lengths[2 * i + 1] = octet >> 4
  })
  const symbols = new Uint16Array(1 << MAX_BITS)
  let at = 0
  for (let length = 1; length <= MAX_BITS; length++)
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      if (lengths[symbol] !== length) continue
      const next = at + (1 << (MAX_BITS - length))
      if (next > symbols.length) throw new PacError('a Huffman code with more words than there can be')
      symbols.fill(symbol, at, next)
      at = next
    }
  if (at !== symbols.length) throw new PacError('a Huffman code with words that mean nothing')
  return { symbols, lengths }
}

/** The bit stream, in words of 16 bits; octets of long lengths stand between the words. */
class Bits {
  readonly #input: OctetReader
  /** 32 bits, of which the next comes first. */
  #next: number
  /** How many there are beyond the first 16. */
  #extra = 16
  #missing = 0

  constructor(input: OctetReader) {
    this.#input = input
    this.#next = ((input.uint16() << 16) | input.uint16()) >>> 0
  }

  /** The next `count` bits, at most 16. */
  peek(count: number): number {
    return count === 0 ? 0 : this.#next >>> (32 - count)
  }

  skip(count: number): void {
    this.#next = (this.#next << count) >>> 0
    this.#extra -= count
    if (this.#extra >= 0) return
    this.#next = (this.#next | (this.#word() << -this.#extra)) >>> 0
    this.#extra += 16
  }

  #word(): number {
    if (this.#input.remaining >= 2) return this.#input.uint16()
    this.#missing += 2
    if (this.#missing > AHEAD) throw new PacError('compressed data ends too early')
    return 0
  }
}
