/** A source of cryptographically strong octets. */
export type Random = (size: number) => Uint8Array
