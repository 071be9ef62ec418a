/** DER as the tree it is, to be pruned and grafted: what comes of it is well-formed, and says something else. */
import fc from 'fast-check'
import { concat } from '../../src/bytes/index.ts'

interface Node {
  readonly tag: number
  /** What a constructed one consists of. */
  readonly children?: Node[]
  /** What any other holds. */
  readonly contents?: Uint8Array
}

const CONSTRUCTED = 0x20

/** Reads what is known to be DER of short tags. */
function parse(der: Uint8Array): Node[] {
  const nodes: Node[] = []
  for (let at = 0; at < der.length; ) {
    const tag = der[at]!
    const first = der[at + 1]!
    const octets = first < 0x80 ? 0 : first & 0x7f
    const size =
      octets === 0 ? first : der.subarray(at + 2, at + 2 + octets).reduce((sum, octet) => sum * 256 + octet, 0)
    const begin = at + 2 + octets
    const contents = der.subarray(begin, begin + size)
    nodes.push(tag & CONSTRUCTED ? { tag, children: parse(contents) } : { tag, contents })
    at = begin + size
  }
  return nodes
}

function format({ tag, children, contents = new Uint8Array(0) }: Node): Uint8Array {
  const inside = children ? concat(...children.map(format)) : contents
  const length: number[] = []
  for (let rest = inside.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256)
  const size = inside.length < 0x80 ? [inside.length] : [0x80 | length.length, ...length]
  return concat(Uint8Array.of(tag, ...size), inside)
}

/** One change of a tree: where, and what. */
export interface Graft {
  readonly at: number
  readonly from: number
  readonly how: 'remove' | 'repeat' | 'exchange' | 'replace' | 'empty' | 'nest' | 'retag'
}

/** Changes for fast-check to pick. */
export const grafts: fc.Arbitrary<readonly Graft[]> = fc.array(
  fc.record({
    at: fc.nat({ max: 999 }),
    from: fc.nat({ max: 999 }),
    how: fc.constantFrom('remove', 'repeat', 'exchange', 'replace', 'empty', 'nest', 'retag'),
  }),
  { minLength: 1, maxLength: 3 },
)

/** `der` with its tree changed, also by what stands in `others`: what an adversary saw before. */
export function grafted(der: Uint8Array, others: readonly Uint8Array[], changes: readonly Graft[]): Uint8Array {
  const root = parse(der)
  for (const { at, from, how } of changes) {
    const places = placesIn(root)
    const donors = [...places, ...others.flatMap((other) => placesIn(parse(other)))]
    const place = places[at % places.length]
    if (!place) continue
    const { siblings, index } = place
    const node = siblings[index]!
    const donor = donors[from % donors.length]!
    const grown = structuredClone(donor.siblings[donor.index]!)
    if (how === 'remove') siblings.splice(index, 1)
    if (how === 'repeat') siblings.splice(index, 0, node)
    if (how === 'exchange') siblings.splice(index, 1, ...siblings.splice((index + 1) % siblings.length, 1), node)
    if (how === 'replace') siblings[index] = grown
    if (how === 'empty') siblings[index] = node.children ? { tag: node.tag, children: [] } : { tag: node.tag }
    if (how === 'nest') siblings[index] = { tag: node.tag | CONSTRUCTED, children: [node] }
    if (how === 'retag') siblings[index] = { ...node, tag: node.tag ^ (1 << (from % 5)) }
  }
  return concat(...root.map(format))
}

function placesIn(nodes: Node[]): { readonly siblings: Node[]; readonly index: number }[] {
  return nodes.flatMap(({ children }, index) => [{ siblings: nodes, index }, ...(children ? placesIn(children) : [])])
}
