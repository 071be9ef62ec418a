import type { ClaimsArray } from './claims.ts'
import { PacError } from './error.ts'
import { groupAttributes, type LogonInfo, userFlags, userSid } from './logoninfo.ts'
import { sidInDomain } from './sid.ts'
import type { PacVerdict } from './verify.ts'

/** What a PAC gives its client the right to act as; SIDs as text. */
export interface PacAuthorization {
  /** Undefined in a PAC without logon information, as MIT's KDC makes them. */
  readonly user: string | undefined
  /** The primary group first, each of them once. */
  readonly groups: readonly string[]
  /** Groups that count only where access is denied. */
  readonly denied: readonly string[]
  readonly claims: readonly ClaimsArray[]
}

/**
 * What a PAC authorizes. Only a `verified` one does; with `accept: 'partial'` also one that was signed with the service's
 * own key, which is right where nobody has that key but the service itself and the KDC. Throws PacError for any other.
 */
export function authorizationOf(
  verdict: PacVerdict,
  { accept = 'verified' }: { readonly accept?: 'verified' | 'partial' } = {},
): PacAuthorization {
  if (verdict.state === 'invalid') throw verdict.error
  if (verdict.state === 'absent') throw new PacError('the ticket has none, so nothing is authorized')
  if (verdict.state !== 'verified' && accept !== 'partial')
    throw new PacError("the KDC's signatures were not verified; give the key of the ticket-granting service")
  const { logonInfo, clientClaims = [] } = verdict.pac
  if (!logonInfo) return { user: undefined, groups: [], denied: [], claims: clientClaims }
  const memberships = membershipsOf(logonInfo)
  const sids = (denied: boolean) => [
    ...new Set(
      memberships
        .filter(({ attributes }) => ((attributes & groupAttributes.denyOnly) !== 0) === denied)
        .map(({ sid }) => sid),
    ),
  ]
  return { user: userSid(logonInfo), groups: sids(false), denied: sids(true), claims: clientClaims }
}

interface Membership {
  readonly sid: string
  readonly attributes: number
}

function membershipsOf(info: LogonInfo): readonly Membership[] {
  const { logonDomainId, primaryGroupId, groupIds, extraSids, resourceGroupDomainSid, resourceGroupIds } = info
  const inDomain = (domain: string | undefined, groups: LogonInfo['groupIds']) =>
    domain ? groups.map(({ rid, attributes }) => ({ sid: sidInDomain(domain, rid), attributes })) : []
  const primary = groupIds.filter(({ rid }) => rid === primaryGroupId)
  const flagged = (flag: number) => (info.userFlags & flag) !== 0
  return [
    ...inDomain(logonDomainId, [...primary, ...groupIds]),
    ...(flagged(userFlags.extraSids)
      ? extraSids.flatMap(({ sid, attributes }) => (sid ? [{ sid, attributes }] : []))
      : []),
    ...(flagged(userFlags.resourceGroups) ? inDomain(resourceGroupDomainSid, resourceGroupIds) : []),
  ]
}
