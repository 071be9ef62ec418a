/** KERB_VALIDATION_INFO (MS-PAC §2.5), member by member. @module */
import { counted, type NdrValue, pointer, struct } from './ndr.ts'
import { fileTime, groupMembership, reserved, rpcSid, uint16, uint32, unicodeString } from './ndrtypes.ts'
import { sidInDomain } from './sid.ts'

/** KERB_SID_AND_ATTRIBUTES (MS-PAC §2.2.1) */
export const sidAndAttributes = struct({ sid: pointer(rpcSid), attributes: uint32 })

/** KERB_VALIDATION_INFO; the session key, which only NTLM fills (MS-PAC §2.5), is left out. */
export const logonInfo = struct({
  logonTime: fileTime,
  logoffTime: fileTime,
  kickOffTime: fileTime,
  passwordLastSet: fileTime,
  passwordCanChange: fileTime,
  passwordMustChange: fileTime,
  effectiveName: unicodeString,
  fullName: unicodeString,
  logonScript: unicodeString,
  profilePath: unicodeString,
  homeDirectory: unicodeString,
  homeDirectoryDrive: unicodeString,
  logonCount: uint16,
  badPasswordCount: uint16,
  userId: uint32,
  primaryGroupId: uint32,
  groupIds: counted(groupMembership),
  userFlags: uint32,
  userSessionKey: reserved(4),
  logonServer: unicodeString,
  logonDomainName: unicodeString,
  logonDomainId: pointer(rpcSid),
  reserved1: reserved(2),
  userAccountControl: uint32,
  subAuthStatus: uint32,
  lastSuccessfulLogon: fileTime,
  lastFailedLogon: fileTime,
  failedLogonCount: uint32,
  reserved3: reserved(1),
  extraSids: counted(sidAndAttributes),
  resourceGroupDomainSid: pointer(rpcSid),
  resourceGroupIds: counted(groupMembership),
})
/** What a domain says of a user who logged on (MS-PAC §2.5); times in seconds, SIDs as text. */
export interface LogonInfo extends NdrValue<typeof logonInfo> {}

/** What {@link LogonInfo.userFlags} says of its members (MS-PAC §2.5): those whose flag is missing are not to be used. */
export const userFlags = { guest: 0x1, extraSids: 0x20, resourceGroups: 0x200 } as const

/** SE_GROUP attributes (MS-PAC §2.2.1). */
export const groupAttributes = {
  mandatory: 0x1,
  enabledByDefault: 0x2,
  enabled: 0x4,
  owner: 0x8,
  denyOnly: 0x10,
  resource: 0x2000_0000,
} as const

/** The user's own SID: where the user has no account in the domain, it is the first of the extra ones (MS-PAC §2.5). */
export function userSid({ userId, logonDomainId, extraSids }: LogonInfo): string | undefined {
  if (userId === 0) return extraSids[0]?.sid
  return logonDomainId && sidInDomain(logonDomainId, userId)
}
