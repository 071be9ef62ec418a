/** What a row of the page on GSS-API is made of: one thing to do, tried with each library in both roles. */
import type { Library, Pair } from './pair.ts'

/** The pairs that are tried, and their heading: who initiates, and who accepts. */
export const columns = {
  mitInitiate: 'kerb → MIT',
  mitAccept: 'MIT → kerb',
  heimdalInitiate: 'kerb → Heimdal',
  heimdalAccept: 'Heimdal → kerb',
  pythonInitiate: 'kerb → python-gssapi',
  pythonAccept: 'python-gssapi → kerb',
} as const

/** A pair by its short name. */
export type Column = keyof typeof columns

/** Why the other library cannot, and what it says when it is tried: what is run must fail so. */
export interface Cannot {
  readonly because: string
  readonly says: RegExp
}

/** Something to do with a pair, which fails where it does not work. */
export interface Row {
  readonly mechanism: string
  /** Where it is specified. */
  readonly source: string
  readonly run: (pair: Pair) => Promise<void>
  /** Who cannot, by library, or by library and what we do. */
  readonly cannot?: { readonly [C in Library | Column]?: Cannot }
}

/** A column's library, and what we do in it. */
export function partsOf(column: Column): { readonly library: Library; readonly we: Pair['we'] } {
  const [, library, we] = /^(mit|heimdal|python)(Initiate|Accept)$/.exec(column)!
  return { library: library as Library, we: we === 'Initiate' ? 'initiate' : 'accept' }
}

/** Why a cell cannot be; undefined where it must. */
export const cannotOf = ({ cannot = {} }: Row, column: Column): Cannot | undefined =>
  cannot[column] ?? cannot[partsOf(column).library]
