/** What a figure is, and how it is counted. @module */

/** Work that can be done over and over. */
export interface Work {
  /** Does it `count` times. */
  run(count: number): void | Promise<void>
  /** Makes what `run(count)` uses up, outside its time. */
  prepare?(count: number): void
}

/** Somebody else who does the same work: a figure of mit.c, as `wrap 1024`, or code of this process. */
type Peer = { readonly mit: string } | { readonly name: string; readonly work: Work }

/** One line of the table. */
export interface Figure {
  readonly name: string
  readonly unit: Unit
  /** Octets that one operation deals with; 1 unless said. */
  readonly octets?: number
  readonly work: Work
  readonly peers: readonly Peer[]
  /** CPU time in milliseconds that kerb's side runs before anything counts, so that V8 has compiled it; {@link WARM_UP} unless said. */
  readonly warmUp?: number
}

/** What most figures take to be compiled. */
export const WARM_UP = 600

/** A {@link Figure} as other processes know it. */
export interface Description extends Required<Pick<Figure, 'name' | 'unit' | 'octets' | 'warmUp'>> {
  readonly peers: readonly ({ readonly mit: string } | { readonly name: string })[]
}

/** What a group of figures is made for. */
export interface Subject {
  /** The name of a provider of cryptographic primitives: a key of `providers`. */
  readonly provider: string
  /** Tickets that MIT's KDC granted; without them the embedded KDC grants some. */
  readonly mit?: Tickets | undefined
}

/** Where tickets lie, and what they are for. */
export interface Tickets {
  readonly ccache: string
  readonly keytab: string
  /** A service whose tickets carry a PAC. */
  readonly withPac: string
  /** One whose tickets carry none. */
  readonly withoutPac: string
}

/** A group of figures that are measured in one process, once with each provider that it is run with. */
export interface Group {
  readonly name: string
  /** Whether to measure with every provider there is, or with the choice that users get alone. */
  readonly everyProvider: boolean
  /** Measured only when `--only` names it. */
  readonly onRequest?: boolean
  figures(subject: Subject): Promise<readonly Figure[]>
}

/** What a figure is told in, from the nanoseconds and octets of one operation. */
export const units = {
  µs: (nanoseconds: number) => nanoseconds / 1e3,
  ms: (nanoseconds: number) => nanoseconds / 1e6,
  '1/s': (nanoseconds: number) => 1e9 / nanoseconds,
  'MB/s': (nanoseconds: number, octets: number) => (octets * 1e3) / nanoseconds,
} satisfies Record<string, (nanoseconds: number, octets: number) => number>

/** The name of one of {@link units}. */
type Unit = keyof typeof units

/** The value in the middle, of an odd number of them; the mean of the two in the middle otherwise. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** How many times as much `above` is as `below`, round by round: the machine changes its speed from one to another. */
export const ratioOf = (above: readonly number[], below: readonly number[]): number =>
  median(above.map((value, round) => value / below[round]!))
