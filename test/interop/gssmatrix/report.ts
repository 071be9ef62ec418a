/** What was tried of GSS-API, as a page of the documentation. */
import { page } from '../matrix/page.ts'
import { type Column, cannotOf, columns, type Row } from './cells.ts'
import { mechanisms, type SampleMechanism } from './samples.ts'
import { clientRows, type SampleRow, serverRows } from './sampletable.ts'

const names = Object.keys(columns) as Column[]

/** What a cell is called among those that held. */
export const cellName = ({ mechanism }: Row, column: Column): string => `${mechanism}: ${columns[column]}`

/** The programs of MIT's that are tried, and with what. */
export const programs = {
  'gss-client → kerb': { what: 'Options of gss-client', rows: clientRows },
  'kerb → gss-server': { what: 'Options of gss-server, or what our client does', rows: serverRows },
} as const

/** One of them. */
export type Program = keyof typeof programs

/** What a cell of theirs is called. */
export const programCell = (program: Program, { options }: SampleRow, mech: SampleMechanism): string =>
  `${program}: ${options}: ${mech}`

/** The page; `held` has the names of the cells that were proved. */
export function report(rows: readonly Row[], held: ReadonlySet<string>): string {
  const lines = rows.map((row) => ({
    what: row.mechanism,
    source: row.source,
    found: names.map((name) => held.has(cellName(row, name)) && (cannotOf(row, name)?.because ?? true)),
  }))
  const head = [
    '# GSS-API with other libraries',
    '',
    'Written by `npx vitest run --project interop test/interop/gssmatrix.test.ts -u`, and compared with what every run finds.',
    'Each cell is a run: a `yes` worked, and where a note says that a library cannot, it was tried and failed so.',
    'MIT is krb5 1.20, Heimdal 7.8, python-gssapi 1.8 over MIT, as in Debian 12; the arrow goes from the initiator to the acceptor.',
  ]
  const tables = (Object.keys(programs) as Program[]).map((program) => {
    const { what, rows } = programs[program]
    const lines = rows.map((row) => ({
      what: row.options,
      found: mechanisms.map(
        (mech) => held.has(programCell(program, row, mech)) && (row.cannot?.[mech]?.because ?? true),
      ),
    }))
    return { title: program, what, headings: mechanisms, lines }
  })
  return page(head, [
    { title: 'Libraries', what: 'Done', headings: names.map((name) => columns[name]), lines },
    ...tables,
  ])
}
