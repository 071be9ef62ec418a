/** The matrix as a page of the documentation. */
import { type Column, cellName, columns, type Row } from './cells.ts'

const names = Object.keys(columns) as Column[]

/** The page; `held` has `mechanism` and column of every cell that was proved. */
export function report(rows: readonly Row[], held: ReadonlySet<string>): string {
  const reasons: string[] = []
  const note = (reason: string) => {
    if (!reasons.includes(reason)) reasons.push(reason)
    return `${reasons.indexOf(reason) + 1}`
  }
  const line = (row: Row) => {
    const cells = names.map((name) => {
      const cell = row[name]
      if (typeof cell === 'string') return `– [${note(cell)}]`
      return held.has(cellName(row, name)) ? 'yes' : '**no**'
    })
    return `| ${[row.mechanism, row.source, ...cells].join(' | ')} |`
  }
  const body = rows.map(line)
  return [
    '# Interoperability',
    '',
    'Written by `npx vitest run --project interop test/interop/matrix.test.ts -u`, and compared with what every run finds.',
    'Each `yes` is a login with the mechanism, seen in the trace of the client, and a service ticket bought with its result.',
    'MIT is krb5 1.20, Heimdal 7.8, Samba 4.17, as in Debian 12; the arrow goes from the client to the KDC.',
    '',
    `| Mechanism | Source | ${names.map((name) => columns[name]).join(' | ')} |`,
    `|---|---|${names.map(() => '---').join('|')}|`,
    ...body,
    '',
    ...reasons.map((reason, i) => `${i + 1}. ${reason}`),
    '',
  ].join('\n')
}
