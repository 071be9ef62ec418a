/** Bits of context flags (RFC 2744 §3.9, RFC 4757 §7, RFC 5896 §4, MIT's GSS_C_CHANNEL_BOUND_FLAG). */
export const flagBits = {
  delegateToPeer: 1,
  mutualAuthentication: 2,
  replayDetection: 4,
  outOfSequenceDetection: 8,
  confidentiality: 16,
  integrity: 32,
  anonymity: 64,
  protectionReady: 128,
  transferable: 256,
  channelBound: 2048,
  dceStyle: 4096,
  identify: 8192,
  extendedError: 16384,
  okAsDelegate: 32768,
} as const

/** A service asked of a context, or granted by it, in python-gssapi's words. */
export type GssFlag = keyof typeof flagBits

/** What is asked for when the caller does not say: python-gssapi's default. */
export const defaultFlags: readonly GssFlag[] = ['mutualAuthentication', 'outOfSequenceDetection']

const named = Object.keys(flagBits) as GssFlag[]

/** The flags in a 32-bit mask; unknown bits are ignored. */
export function flagsOf(mask: number): ReadonlySet<GssFlag> {
  const flags = new Set<GssFlag>()
  for (const flag of named) if (mask & flagBits[flag]) flags.add(flag)
  return flags
}

/** The 32-bit mask of a set of flags. */
export function flagMask(flags: Iterable<GssFlag>): number {
  let mask = 0
  for (const flag of flags) mask |= flagBits[flag]
  return mask
}
