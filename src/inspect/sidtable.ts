/** Names that Windows gives to SIDs of everybody's and of every domain (MS-DTYP §2.4.2.4). @module */

const wellKnown: Readonly<Record<string, string>> = {
  'S-1-1-0': 'Everyone',
  'S-1-3-0': 'Creator Owner',
  'S-1-5-2': 'Network',
  'S-1-5-6': 'Service',
  'S-1-5-7': 'Anonymous',
  'S-1-5-9': 'Enterprise Domain Controllers',
  'S-1-5-11': 'Authenticated Users',
  'S-1-5-15': 'This Organization',
  'S-1-5-18': 'Local System',
  'S-1-5-21-0-0-0-496': 'Compounded Authentication',
  'S-1-5-21-0-0-0-497': 'Claims Valid',
  'S-1-5-32-544': 'Administrators',
  'S-1-5-32-545': 'Users',
  'S-1-5-32-546': 'Guests',
  'S-1-5-32-548': 'Account Operators',
  'S-1-5-32-549': 'Server Operators',
  'S-1-5-32-551': 'Backup Operators',
  'S-1-5-32-554': 'Pre-Windows 2000 Compatible Access',
  'S-1-5-65-1': 'This Organization Certificate',
  'S-1-5-1000': 'Other Organization',
  'S-1-18-1': 'Authentication Authority Asserted Identity',
  'S-1-18-2': 'Service Asserted Identity',
  'S-1-18-3': 'Fresh Public Key Identity',
  'S-1-18-4': 'Key Trust Identity',
  'S-1-18-5': 'Key Property MFA',
  'S-1-18-6': 'Key Property Attestation',
}

/** Accounts and groups of every domain, by the last number of their SID. */
const inDomain: Readonly<Record<number, string>> = {
  498: 'Enterprise Read-only Domain Controllers',
  500: 'Administrator',
  501: 'Guest',
  502: 'krbtgt',
  512: 'Domain Admins',
  513: 'Domain Users',
  514: 'Domain Guests',
  515: 'Domain Computers',
  516: 'Domain Controllers',
  517: 'Cert Publishers',
  518: 'Schema Admins',
  519: 'Enterprise Admins',
  520: 'Group Policy Creator Owners',
  521: 'Read-only Domain Controllers',
  522: 'Cloneable Domain Controllers',
  525: 'Protected Users',
  526: 'Key Admins',
  527: 'Enterprise Key Admins',
  553: 'RAS and IAS Servers',
  571: 'Allowed RODC Password Replication Group',
  572: 'Denied RODC Password Replication Group',
}

/** A SID with its name where it has one that is everybody's. */
export function formatSidName(sid: string): string {
  const rid = /^S-1-5-21-\d+-\d+-\d+-(\d{3})$/.exec(sid)?.[1]
  const name = wellKnown[sid] ?? (rid === undefined ? undefined : inDomain[Number(rid)])
  return name === undefined ? sid : `${sid} (${name})`
}

/** The same of the last number alone, where the domain is known from elsewhere. */
export const formatRid = (rid: number): string => (inDomain[rid] === undefined ? `${rid}` : `${rid} (${inDomain[rid]})`)
