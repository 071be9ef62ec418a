/** The matrix as a page of the documentation. */
import { type Column, cellName, columns, type Row } from './cells.ts'
import { page } from './page.ts'

const names = Object.keys(columns) as Column[]

/** The page; `held` has `mechanism` and column of every cell that was proved. */
export function report(rows: readonly Row[], held: ReadonlySet<string>): string {
  const found = (row: Row) =>
    names.map((name) => {
      const cell = row[name]
      return typeof cell === 'string' ? cell : held.has(cellName(row, name))
    })
  const lines = rows.map((row) => ({ what: row.mechanism, source: row.source, found: found(row) }))
  const head = [
    '# Interoperability',
    '',
    'Written by `npx vitest run --project interop test/interop/matrix.test.ts -u`, and compared with what every run finds.',
    'Each `yes` is a login with the mechanism, seen in the trace of the client, and a service ticket bought with its result.',
    'MIT is krb5 1.20, Heimdal 7.8, Samba 4.17, as in Debian 12; the arrow goes from the client to the KDC.',
  ]
  return page(head, [{ what: 'Mechanism', headings: names.map((name) => columns[name]), lines }])
}
