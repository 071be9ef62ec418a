/** All that is tried with every library. */
import type { Row } from './cells.ts'
import { enctypeRows } from './enctypetable.ts'

export const rows: readonly Row[] = [...enctypeRows]
