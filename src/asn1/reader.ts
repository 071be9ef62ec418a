/**
 * DER framing, inwards. What BER would allow beyond DER (indefinite and padded lengths) is refused here, and no
 * length is believed before it is compared with the octets at hand. Nothing is copied, and nothing is read deeper than
 * the schema asks, so hostile nesting costs nothing.
 * @module
 */
import { Asn1Error } from './error.ts'
import { TAG_NUMBER } from './identifiers.ts'

/** Octets of a length after the first: enough for 4 GiB (X.690 §8.1.3.5). */
const LENGTH_OCTETS_MAX = 4

/** One cursor over one encoding. The codecs move it; whoever holds it knows where its container ends. */
export class Reader {
  readonly octets: Uint8Array
  /** Where the next element starts. */
  at = 0

  constructor(octets: Uint8Array) {
    this.octets = octets
  }

  /** The identifier octet at the cursor, -1 at `end`. */
  peek(end: number): number {
    return this.at < end ? this.octets[this.at]! : -1
  }

  /**
   * Steps over the header of an element that must have `identifier`, to its contents; `name` is what the schema calls
   * it. Returns where the contents end, never past `end`. Throws {@link Asn1Error}.
   */
  enter(identifier: number, name: string, end: number): number {
    const at = this.at
    if (at >= end) throw new Asn1Error(`expected ${name}, found nothing`)
    if (this.octets[at] !== identifier) throw mismatch(name, this.octets[at]!)
    return this.open(end)
  }

  /** Steps over one whole element of any type; its contents are not looked at. Throws {@link Asn1Error}. */
  skip(end: number): void {
    const identifier = this.peek(end)
    if (identifier < 0) throw new Asn1Error('expected an element, found nothing')
    if ((identifier & TAG_NUMBER) === TAG_NUMBER) throw new Asn1Error('tag numbers above 30 are not in use')
    if (identifier === 0) throw new Asn1Error('end-of-contents octets are not DER')
    this.at = this.open(end)
  }

  /** As {@link enter}, for an element whose identifier octet was looked at already. */
  open(end: number): number {
    const start = this.at + 2
    if (start > end) throw new Asn1Error('the header is cut short')
    const size = this.octets[start - 1]!
    if (size >= 0x80) return this.#longContents(size & 0x7f, start, end)
    if (size > end - start) throw pastContainer(size, end - start)
    this.at = start
    return start + size
  }

  #longContents(count: number, from: number, end: number): number {
    if (count === 0) throw new Asn1Error('an indefinite length is not DER')
    if (count > LENGTH_OCTETS_MAX) throw new Asn1Error(`a length of ${count} octets is too long`)
    const start = from + count
    if (start > end) throw new Asn1Error('the header is cut short')
    let size = 0
    for (let at = from; at < start; at++) size = size * 256 + this.octets[at]!
    if (size < 0x80 || this.octets[from] === 0) throw new Asn1Error('the length is not minimal')
    if (size > end - start) throw pastContainer(size, end - start)
    this.at = start
    return start + size
  }
}

/** The failure of an element whose identifier octet is not the one that `name` has. */
export function mismatch(name: string, found: number): Asn1Error {
  return new Asn1Error(`expected ${name}, found tag 0x${found.toString(16)}`)
}

function pastContainer(size: number, left: number): Asn1Error {
  return new Asn1Error(`the value runs past its container: it claims ${size} octets, ${left} are left`)
}
