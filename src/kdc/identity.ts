/** What Active Directory would know of an account, and the logon information that comes of it (MS-PAC §2.5). @module */
import type { Principal } from '../krb5/names.ts'
import { groupAttributes, type LogonInfo, userFlags } from '../krb5/pac/logoninfo.ts'
import { parseSid, splitSid } from '../krb5/pac/sid.ts'

/** What Active Directory would know of an account; SIDs as text. */
export interface Identity {
  /** Of the account: that of its domain, and a number. */
  readonly sid: string
  readonly fullName?: string | undefined
  /** The user principal name; `name@realm` unless said. */
  readonly upn?: string | undefined
  /** Numbers of groups in the account's domain, the primary one first; 513, the domain's users, unless said. */
  readonly groups?: readonly number[] | undefined
  /** Groups of other domains, and well-known ones. */
  readonly extraSids?: readonly string[] | undefined
}

/** Domain Users (MS-DTYP §2.4.2.4) */
const DOMAIN_USERS = 513
/** S-1-18-1: the identity was asserted by whoever holds the account's key (MS-DTYP §2.4.2.4). */
const ASSERTED_IDENTITY = 'S-1-18-1'
/** UF_NORMAL_ACCOUNT as the PAC has it (MS-SAMR §2.2.1.12, USER_NORMAL_ACCOUNT). */
const NORMAL_ACCOUNT = 0x10
const ENABLED = groupAttributes.mandatory | groupAttributes.enabledByDefault | groupAttributes.enabled

/** Throws TypeError for an identity that no account can have: here, rather than when a ticket is asked for. */
export function requireAccount({ sid, extraSids = [] }: Identity): { readonly domain: string; readonly rid: number } {
  const account = splitSid(sid)
  if (!account) throw new TypeError(`${sid} is the SID of no account`)
  for (const extra of extraSids) parseSid(extra)
  return account
}

/** What the KDC says of the account of that name, which logged in at `authtime`. Throws TypeError when its SID is of no account. */
export function logonInfoOf(identity: Identity, { components, realm }: Principal, authtime: number): LogonInfo {
  const { fullName = '', groups = [], extraSids = [] } = identity
  const account = requireAccount(identity)
  const [primaryGroupId = DOMAIN_USERS] = groups
  const domain = realm.split('.')[0]!
  return {
    logonTime: authtime,
    logoffTime: 'never',
    kickOffTime: 'never',
    passwordLastSet: 'unset',
    passwordCanChange: 'unset',
    passwordMustChange: 'never',
    effectiveName: components.join('/'),
    fullName,
    logonScript: '',
    profilePath: '',
    homeDirectory: '',
    homeDirectoryDrive: '',
    logonCount: 0,
    badPasswordCount: 0,
    userId: account.rid,
    primaryGroupId,
    groupIds: [...new Set([primaryGroupId, ...groups])].map((rid) => ({ rid, attributes: ENABLED })),
    userFlags: userFlags.extraSids,
    logonServer: 'KDC',
    logonDomainName: domain,
    logonDomainId: account.domain,
    userAccountControl: NORMAL_ACCOUNT,
    subAuthStatus: 0,
    lastSuccessfulLogon: 'unset',
    lastFailedLogon: 'unset',
    failedLogonCount: 0,
    extraSids: [ASSERTED_IDENTITY, ...extraSids].map((sid) => ({ sid, attributes: ENABLED })),
    resourceGroupDomainSid: undefined,
    resourceGroupIds: [],
  }
}
