/** Names for what peers offer and send, so that errors can say it. @module */
import { equal, utf8 } from '../bytes/index.ts'
import { mechanismOids, type Oid } from '../gss/index.ts'

const names: ReadonlyMap<Oid, string> = new Map(Object.entries(mechanismOids).map(([name, oid]) => [oid, name]))

/** `oid` as people say it; dotted when nobody has a word for it. */
export const mechanismName = (oid: Oid): string => names.get(oid) ?? oid

/** How every NTLM message begins (MS-NLMP §2.2.1). */
const NTLM_SIGNATURE = utf8('NTLMSSP\0')

/** Whether `token` is a bare NTLM message, which Windows clients send where they have no ticket. */
export function isNtlm(token: Uint8Array): boolean {
  return equal(token.subarray(0, NTLM_SIGNATURE.length), NTLM_SIGNATURE)
}

/** What to look at when a peer comes with NTLM: by far the most frequent reason is a missing SPN. */
export const ntlmAdvice =
  'it has no Kerberos ticket for this service; check that the SPN is registered, that the host is named as in the SPN ' +
  'and not by its address, that the site is trusted by the browser, and that a KDC can be reached'
