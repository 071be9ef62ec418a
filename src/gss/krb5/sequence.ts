import type { SupplementaryCode } from '../error.ts'
import type { GssFlag } from '../flags.ts'

/** Numbers behind the newest that can still be told apart (RFC 2743 §1.2.3). */
const WINDOW = 64

/** Which of the two services the context has. */
export interface SequenceOptions {
  readonly detectReplay: boolean
  readonly detectDisorder: boolean
}

/** What a window remembers, to be carried on elsewhere. */
export interface SequenceState {
  /** The number that the peer began with. */
  readonly first: number
  /** The number expected next. */
  readonly next: number
  /** Bit i tells whether number `next - 1 - i` was received. */
  readonly received: bigint
}

/** The state before anything is known of the peer's numbers. */
export const nothingReceived: SequenceState = { first: 0, next: 0, received: 0n }

/** Which services a context's flags grant. */
export const detectionOf = (flags: ReadonlySet<GssFlag>): SequenceOptions => ({
  detectReplay: flags.has('replayDetection'),
  detectDisorder: flags.has('outOfSequenceDetection'),
})

/** What has been received: detects replays, gaps and disorder (RFC 2743 §1.2.3). */
export class SequenceWindow {
  /** The number expected next. */
  #next: number
  readonly #first: number
  /** Bit i of the 64 tells whether number `#next - 1 - i` was received. */
  #low = 0
  #high = 0
  readonly #options: SequenceOptions

  /** Begins with the number `start`, or where another window stopped. */
  constructor(start: number | SequenceState, options: SequenceOptions) {
    const { first, next, received } = typeof start === 'number' ? { first: start, next: start, received: 0n } : start
    this.#next = next
    this.#first = first
    this.#low = Number(BigInt.asIntN(32, received))
    this.#high = Number(BigInt.asIntN(32, received >> 32n))
    this.#options = options
  }

  /** What it remembers at the moment. */
  get state(): SequenceState {
    const received = (BigInt.asUintN(32, BigInt(this.#high)) << 32n) | BigInt.asUintN(32, BigInt(this.#low))
    return { first: this.#first, next: this.#next, received }
  }

  /**
   * Takes note of a token whose integrity has been checked: GSS_S_DUPLICATE_TOKEN or GSS_S_OLD_TOKEN when replays are
   * detected, GSS_S_UNSEQ_TOKEN or GSS_S_GAP_TOKEN when disorder is; undefined when all is well.
   */
  receive(number: number): SupplementaryCode | undefined {
    const { detectReplay, detectDisorder } = this.#options
    if (!detectReplay && !detectDisorder) return undefined
    const status = this.#note(number)
    return detectDisorder || status === 'GSS_S_DUPLICATE_TOKEN' || status === 'GSS_S_OLD_TOKEN' ? status : undefined
  }

  #note(number: number): SupplementaryCode | undefined {
    const ahead = number - this.#next
    if (ahead >= 0) {
      for (let i = 0; i < Math.min(ahead, WINDOW); i++) this.#shift(0)
      this.#shift(1)
      this.#next = number + 1
      return ahead === 0 ? undefined : 'GSS_S_GAP_TOKEN'
    }
    const behind = -ahead - 1
    if (number < this.#first || behind >= WINDOW) return 'GSS_S_OLD_TOKEN'
    const bit = 1 << (behind & 31)
    if ((behind < 32 ? this.#low : this.#high) & bit) return 'GSS_S_DUPLICATE_TOKEN'
    if (behind < 32) this.#low |= bit
    else this.#high |= bit
    return 'GSS_S_UNSEQ_TOKEN'
  }

  #shift(bit: 0 | 1): void {
    this.#high = (this.#high << 1) | (this.#low >>> 31)
    this.#low = (this.#low << 1) | bit
  }
}
