/** Users as this machine's files have them; its other directories are reached through C libraries alone. @module */
import { readFileSync } from 'node:fs'

/** Groups of one user at most, as Linux has it (NGROUPS_MAX). */
const MAX_GROUPS = 65_536

/** A user of this machine. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

/** The user of this name, or of this number where it is one, in /etc/passwd; undefined for none. */
export function accountOf(user: string | number): Account | undefined {
  const wanted = String(user)
  if (!/^[^:/\n\0]+$/.test(wanted) || wanted === '.' || wanted === '..') return undefined
  const field = typeof user === 'number' ? 2 : 0
  const line = linesOf('/etc/passwd').find((fields) => fields[field] === wanted)
  const [name, , uid, gid, , home] = line ?? []
  return name && uid && gid && home ? { name, uid: Number(uid), gid: Number(gid), home } : undefined
}

/** The numbers of the groups that list a user, besides the user's own, in /etc/group. */
export const groupsOf = ({ name, gid }: Account): readonly number[] =>
  linesOf('/etc/group')
    .filter(([, , , members]) => members?.split(',').includes(name))
    .map(([, , number]) => Number(number))
    .filter((number) => number !== gid)
    .slice(0, MAX_GROUPS)

const linesOf = (path: string): readonly (readonly string[])[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
