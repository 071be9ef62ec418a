/** Contexts with every C library, in both roles; docs/gss-interop.md shows the outcome. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lab, peer } from '../lab/index.ts'
import { type Column, cannotOf, columns, partsOf } from './gssmatrix/cells.ts'
import { type Library, type Pair, pairsWith } from './gssmatrix/pair.ts'
import { cellName, type Program, programCell, programs, report } from './gssmatrix/report.ts'
import { rows } from './gssmatrix/rowtable.ts'
import { mechanisms } from './gssmatrix/samples.ts'

peer(['mit', 'heimdal', 'gssapi', 'cc', 'heimdalcc', 'samples'], 'contexts', () => {
  const pairs = new Map<Library, Awaited<ReturnType<typeof pairsWith>>>()
  beforeAll(async () => {
    for (const library of ['mit', 'heimdal', 'python'] as const)
      pairs.set(library, await pairsWith(library, library === 'heimdal' ? lab.heimdal : lab.mit))
  })
  afterAll(() => {
    for (const { initiate } of pairs.values()) initiate.peer[Symbol.dispose]()
  })
  const pairOf = (column: Column): Pair => {
    const { library, we } = partsOf(column)
    return pairs.get(library)![we]
  }

  const held = new Set<string>()

  describe.each(rows)('$mechanism', (row) => {
    test.each(Object.keys(columns) as Column[])('%s', async (column) => {
      const cannot = cannotOf(row, column)
      if (cannot) await expect(row.run(pairOf(column))).rejects.toThrow(cannot.says)
      else await row.run(pairOf(column))
      held.add(cellName(row, column))
    })
  })

  describe.each(Object.keys(programs) as Program[])('%s', (program) => {
    describe.each(programs[program].rows)('$options', (row) => {
      test.each(mechanisms)('%s', async (mech) => {
        const cannot = row.cannot?.[mech]
        if (cannot) await expect(row.run(mech)).rejects.toThrow(cannot.says)
        else await row.run(mech)
        held.add(programCell(program, row, mech))
      })
    })
  })

  test('is what docs/gss-interop.md says', async () => {
    await expect(report(rows, held)).toMatchFileSnapshot('../../docs/gss-interop.md')
  })
})
