/** Tables of what was tried, as a page of the documentation. */

/** What became of a cell: proved or not; or why there is nothing to prove. */
export type Finding = boolean | string

/** One line: what was tried, where it is specified if the table tells, and what became of it column by column. */
export interface Line {
  readonly what: string
  readonly source?: string
  readonly found: readonly Finding[]
}

/** One table. */
export interface Section {
  readonly title?: string
  /** Heading of the first column. */
  readonly what: string
  readonly headings: readonly string[]
  readonly lines: readonly Line[]
}

/** The page: its head, its tables, and the reasons as notes below them. */
export function page(head: readonly string[], sections: readonly Section[]): string {
  const reasons: string[] = []
  const note = (reason: string) => {
    if (!reasons.includes(reason)) reasons.push(reason)
    return `${reasons.indexOf(reason) + 1}`
  }
  const text = (found: Finding) => (typeof found === 'string' ? `– [${note(found)}]` : found ? 'yes' : '**no**')
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const tables = sections.flatMap(({ title, what, headings, lines }) => {
    const columns = [what, ...(lines.some(({ source }) => source) ? ['Source'] : []), ...headings]
    return [
      ...(title ? [`## ${title}`, ''] : []),
      row(columns),
      `|${columns.map(() => '---').join('|')}|`,
      ...lines.map((line) => row([line.what, ...(line.source ? [line.source] : []), ...line.found.map(text)])),
      '',
    ]
  })
  return [...head, '', ...tables, ...reasons.map((reason, i) => `${i + 1}. ${reason}`), ''].join('\n')
}
