/** The page that the figures stand on: README.md, whose table and circumstances a run writes anew. @module */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { formatTable, type Row } from './row.ts'

/** What else was the case when the figures were measured. */
export interface Circumstances {
  /** As `MIT krb5 1.20.1`; undefined where it is missing. */
  readonly mit: string | undefined
  /** Processes that wanted to run, on average of a minute, before the run and after it. */
  readonly load: readonly [before: number, after: number]
  /** Of the command line. */
  readonly arguments: readonly string[]
}

const BEGIN = '<!-- what follows is written by the run -->'
const END = '<!-- what precedes was written by the run -->'

/** Replaces what stands between the marks of the page at `path`. Throws TypeError when it has none. */
export function writePage(path: string, rows: readonly Row[], circumstances: Circumstances): void {
  const page = readFileSync(path, 'utf8')
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (before < 0 || after < before) throw new TypeError(`${path} has no place for the figures`)
  const written = `${BEGIN}\n\n${described(circumstances)}\n\n${formatTable(rows)}\n\n`
  writeFileSync(path, page.slice(0, before) + written + page.slice(after))
}

function described({ mit, load, arguments: given }: Circumstances): string {
  const processors = cpus()
  const command = ['npm run bench', ...(given.length > 0 ? ['--', ...given] : [])].join(' ')
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)} by \`${command}\`:`,
    `${processors.length} cores (${processors[0]?.model.trim() ?? 'unknown'}), Node ${process.versions.node},`,
    `V8 ${process.versions.v8}, ${mit ?? 'without MIT krb5'};`,
    `load average ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after.`,
  ].join('\n')
}
