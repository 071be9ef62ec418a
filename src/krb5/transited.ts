/** The realms between a client's and a server's, and the ones that a ticket went through (RFC 4120 §1.2, §3.3.3.2). @module */
import type { Env } from './env.ts'

/**
 * Realms on the way from one realm to another, without the two: as configured, or up and down the tree of names (RFC 4120
 * §1.2): from A.B.C to D.C by B.C and C.
 */
export const realmPath = ({ paths }: Pick<Env, 'paths'>, from: string, to: string): readonly string[] =>
  paths?.(from, to) ?? hierarchy(from, to)

function hierarchy(from: string, to: string): readonly string[] {
  const up = ancestors(from)
  const down = ancestors(to)
  const common = up.find((realm) => down.includes(realm))
  if (common === undefined || from === to) return []
  const way = [...up.slice(0, up.indexOf(common) + 1), ...down.slice(0, down.indexOf(common)).reverse()]
  return way.filter((realm) => realm !== from && realm !== to)
}

/** A realm and those above it, the nearest first; X.500 names have their root in front. */
function ancestors(realm: string): readonly string[] {
  if (realm.startsWith('/')) {
    const parts = realm.split('/')
    return parts.slice(1).map((_, i) => parts.slice(0, parts.length - i).join('/'))
  }
  const labels = realm.split('.')
  return labels.map((_, i) => labels.slice(i).join('.'))
}
