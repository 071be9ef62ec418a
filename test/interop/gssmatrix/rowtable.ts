/** All that is tried with every library. */

import { bindingRows } from './bindingtable.ts'
import type { Row } from './cells.ts'
import { contextRows } from './contexttable.ts'
import { enctypeRows } from './enctypetable.ts'
import { flagRows } from './flagtable.ts'
import { pieceRows } from './piecetable.ts'

export const rows: readonly Row[] = [...enctypeRows, ...flagRows, ...bindingRows, ...pieceRows, ...contextRows]
