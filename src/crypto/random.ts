/** A source of cryptographically strong octets. */
export interface Random {
  /** `size` octets, in an array that is nobody else's. */
  (size: number): Uint8Array
  /** Overwrites `target` with such octets. Where there is this, no message costs an array for its confounder. */
  readonly fill?: (target: Uint8Array) => void
}
