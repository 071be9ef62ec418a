/** What was measured, as a table for people and as JSON for programs. @module */

/** A figure beside that of one peer. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly kerb: number
  /** Null where the peer is missing. */
  readonly peer: number | null
  readonly peerName: string
  /** How many times as fast as the peer kerb is, whatever the unit. */
  readonly ratio: number | null
}

const columns = ['figure', 'unit', 'kerb', 'peer', 'peer name', 'ratio'] as const

/** The rows as a Markdown table whose columns stand in line, one line a row. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map(({ name, unit, kerb, peer, peerName, ratio }) => [
    name,
    unit,
    inThreeDigits(kerb),
    peer === null ? '' : inThreeDigits(peer),
    peerName,
    ratio === null ? '' : `${inThreeDigits(ratio)} x`,
  ])
  const lines = [columns, ...cells]
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const isNumber = (column: number) => column === 2 || column === 3 || column === 5
  const format = (line: readonly string[]) =>
    `| ${line.map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => '-'.repeat(width + 1) + (isNumber(i) ? ':' : '-')).join('|')}|`
  return [format(columns), rule, ...cells.map(format)].join('\n')
}

/** `12345`, `123`, `12.3`, `1.23`, `0.123`: more digits than three are noise. */
function inThreeDigits(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(value)))
  return Number(value.toPrecision(3)).toFixed(Math.min(digits, 4))
}
