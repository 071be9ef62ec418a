/** Octets of no schema that is known here: as ASN.1 if they are that, else as they are. @module */
import { type BaseBlock, Constructed, fromBER, ObjectIdentifier } from 'asn1js'
import { formatOctets, nameOid } from './names.ts'
import type { Outline } from './outline.ts'

/** Largest encoding that is taken apart. */
const MAX_SIZE = 1 << 18
/** Deepest nesting that the parser, which recurses, is given. */
const MAX_NESTING = 40
/** Classes of tags (X.690 §8.1.2.2). */
const classes: Readonly<Record<number, string>> = { 2: 'APPLICATION ', 3: '', 4: 'PRIVATE ' }

/** Explains octets that nobody else knows. */
export function explainUnknown(octets: Uint8Array, outline: Outline): void {
  const parsed = octets.length > 2 && octets.length <= MAX_SIZE && nesting(octets) <= MAX_NESTING && parse(octets)
  if (parsed && parsed.offset === octets.length) {
    explainBlock(parsed.result, outline.add('ASN.1', `${octets.length} octets of a type that is not known here`))
  } else outline.add('octets', formatOctets(octets))
}

/** What the parser makes of hostile octets is for it to know: whatever it throws, they are none of ASN.1's. */
function parse(octets: Uint8Array): ReturnType<typeof fromBER> | undefined {
  try {
    return fromBER(octets)
  } catch {
    return undefined
  }
}

function explainBlock(block: BaseBlock, outline: Outline): void {
  if (outline.full) return
  const { tagClass, tagNumber } = block.idBlock
  const name = tagClass === 1 ? block.constructor.name : `[${classes[tagClass] ?? ''}${tagNumber}]`
  if (block instanceof Constructed) {
    const line = outline.add(name)
    for (const inner of block.valueBlock.value) explainBlock(inner, line)
  } else if (block instanceof ObjectIdentifier) outline.add(name, nameOid(block.valueBlock.toString()))
  else outline.add(name, formatOctets(contentsOf(block)))
}

function contentsOf({ idBlock, lenBlock, valueBeforeDecodeView }: BaseBlock): Uint8Array {
  return valueBeforeDecodeView.subarray(idBlock.blockLength + lenBlock.blockLength)
}

/** How deep constructed elements nest at the front of one another; a length that is not minimal counts as one as well. */
function nesting(octets: Uint8Array): number {
  const CONSTRUCTED = 0x20
  const ends: number[] = []
  let deepest = 0
  for (let at = 0; at + 1 < octets.length; ) {
    while (ends.length > 0 && at >= ends.at(-1)!) ends.pop()
    const identifier = octets[at]!
    let size = octets[at + 1]!
    let start = at + 2
    if (size > 0x84 || size === 0x80) return MAX_NESTING + 1
    if (size > 0x80) {
      const count = size & 0x7f
      size = 0
      for (let i = 0; i < count; i++) size = size * 256 + (octets[start + i] ?? 0)
      start += count
    }
    if (identifier & CONSTRUCTED) {
      ends.push(start + size)
      deepest = Math.max(deepest, ends.length)
      if (deepest > MAX_NESTING) return deepest
      at = start
    } else at = start + size
  }
  return deepest
}
