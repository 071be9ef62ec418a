/** Fewest rounds that a KDC may ask for: what RFC 3962 §4 had as its default, long ago. */
const MIN_ITERATIONS = 4096
/** Most rounds that a KDC may ask for, lest it hang the client: a second or two of work. */
const MAX_ITERATIONS = 1 << 20

/**
 * The PBKDF2 round count in string-to-key parameters (RFC 3962 §4, RFC 6803 §4, RFC 8009 §4), `standard` without any.
 * Throws RangeError below `fewest` and above {@link MAX_ITERATIONS}.
 */
export function iterationCount(
  parameters: Uint8Array | undefined,
  standard: number,
  name: string,
  fewest: number = MIN_ITERATIONS,
): number {
  if (!parameters) return standard
  if (parameters.length !== 4)
    throw new RangeError(`${name}: string-to-key parameters of ${parameters.length} octets, 4 expected`)
  const count = new DataView(parameters.buffer, parameters.byteOffset).getUint32(0)
  if (count < fewest || count > MAX_ITERATIONS)
    throw new RangeError(`${name}: the KDC asks for ${count} rounds, not between ${fewest} and ${MAX_ITERATIONS}`)
  return count
}
