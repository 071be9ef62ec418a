/** The arithmetic of SPAKE's groups: by itself, since its curves weigh more than the rest of a login. @module */
import {
  edwards25519Points,
  type PointGroup,
  p256Points,
  p384Points,
  p521Points,
} from '../../../crypto/groups/elliptic.ts'
import type { SpakeGroup } from './groups.ts'

const points: Readonly<Record<string, PointGroup>> = {
  edwards25519: edwards25519Points,
  'P-256': p256Points,
  'P-384': p384Points,
  'P-521': p521Points,
}

/** What calculates in a group of RFC 9588. Throws TypeError for any other. */
export function pointsOf({ name }: Pick<SpakeGroup, 'name'>): PointGroup {
  const found = points[name]
  if (!found) throw new TypeError(`no arithmetic for the group ${name}`)
  return found
}
