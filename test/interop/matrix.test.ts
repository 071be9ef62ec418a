/** Every mechanism between kerb and every peer that has it, in both directions; docs/interop.md shows the outcome. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lab, peer } from '../lab/index.ts'
import { type Column, cellName, columns, type Row } from './matrix/cells.ts'
import { rows } from './matrix/mechanismtable.ts'
import { report } from './matrix/report.ts'
import { type OurRealm, startOurRealm } from './matrix/theirs.ts'

peer(['mit', 'heimdal', 'samba', 'kkdcp'], 'the matrix', () => {
  const held = new Set<string>()
  let our: Omit<OurRealm, 'client'>
  beforeAll(async () => {
    our = await startOurRealm()
  })
  afterAll(() => our.realm[Symbol.asyncDispose]())

  const prove: { readonly [C in Column]: (row: Row) => (() => Promise<void>) | undefined } = {
    mit: ({ mit }) => (typeof mit === 'string' ? undefined : () => mit(lab.mit)),
    heimdal: ({ heimdal }) => (typeof heimdal === 'string' ? undefined : () => heimdal(lab.heimdal)),
    samba: ({ samba }) => (typeof samba === 'string' ? undefined : () => samba(lab.samba)),
    fromMit: ({ fromMit }) => (typeof fromMit === 'string' ? undefined : () => fromMit({ ...our, client: 'mit' })),
    fromHeimdal: ({ fromHeimdal }) =>
      typeof fromHeimdal === 'string' ? undefined : () => fromHeimdal({ ...our, client: 'heimdal' }),
  }

  // What no peer has is told in the notes alone: there is nothing to prove.
  const proved = rows.filter((row) => (Object.keys(columns) as Column[]).some((column) => prove[column](row)))

  describe.each(proved)('$mechanism', (row) => {
    for (const [column, heading] of Object.entries(columns) as [Column, string][]) {
      const cell = prove[column](row)
      if (!cell) continue
      test(heading, async () => {
        await cell()
        held.add(cellName(row, column))
      })
    }
  })

  test('is what docs/interop.md says', async () => {
    await expect(report(rows, held)).toMatchFileSnapshot('../../docs/interop.md')
  })
})
