/** Where a ticket has its PAC: AD-IF-RELEVANT around AD-WIN2K-PAC (MS-PAC §2.1, RFC 4120 §5.2.6). @module */
import { decode, encode, encodeShort } from '../../asn1/codec.ts'
import { AuthorizationData } from '../messages/basics.ts'
import { adTypes } from '../messages/codes.ts'
import type { EncTicketPart } from '../messages/ticket.ts'
import { PacError } from './error.ts'

/** What takes the place of a PAC while its ticket is signed (MS-PAC §2.8.3). */
export const BLANK_PAC = new Uint8Array(1)
/** Most AD-IF-RELEVANT inside one another that are looked into. */
const MAX_NESTING = 4

/** A PAC and the authorization data around it. */
export interface FoundPac {
  readonly octets: Uint8Array
  /** What the ticket signature covers: the same with {@link BLANK_PAC} in its place. */
  readonly blanked: AuthorizationData
}

/** The PAC of a ticket; undefined when it has none. Throws PacError when it has two, Asn1Error for what cannot be read. */
export function findPac(data: AuthorizationData = []): FoundPac | undefined {
  const found: Uint8Array[] = []
  const blanked = replacePacs(data, MAX_NESTING, (octets) => {
    found.push(octets)
    return [{ adType: adTypes.win2kPac, adData: BLANK_PAC }]
  })
  if (found.length > 1) throw new PacError(`the ticket has ${found.length} PACs`)
  return found[0] && { octets: found[0], blanked }
}

/** Authorization data without any PAC, nor what held nothing else. Throws PacError and Asn1Error for what cannot be read. */
export const withoutPac = (data: AuthorizationData): AuthorizationData => replacePacs(data, MAX_NESTING, () => [])

/** Whatever holds no PAC stays as it was, to the octet. */
function replacePacs(
  data: AuthorizationData,
  nesting: number,
  replace: (octets: Uint8Array) => AuthorizationData,
): AuthorizationData {
  return data.flatMap((element) => {
    if (element.adType === adTypes.win2kPac) return replace(element.adData)
    if (element.adType !== adTypes.ifRelevant) return [element]
    if (nesting === 0) throw new PacError('authorization data is nested too deeply')
    const before = decode(AuthorizationData, element.adData)
    const after = replacePacs(before, nesting - 1, replace)
    if (before.length === after.length && before.every((inner, i) => inner === after[i])) return [element]
    return after.length === 0 ? [] : [{ adType: element.adType, adData: encode(AuthorizationData, after) }]
  })
}

/** The ticket with this authorization data in place of its own. */
export function withAuthorizationData(ticket: EncTicketPart, authorizationData?: AuthorizationData): EncTicketPart {
  // member by member: V8 takes as long for `...ticket` as for encoding it
  const { flags, key, crealm, cname, transited, authtime, starttime, endtime, renewTill, caddr } = ticket
  return {
    flags,
    key,
    crealm,
    cname,
    transited,
    authtime,
    starttime,
    endtime,
    renewTill,
    caddr,
    authorizationData: authorizationData?.length ? authorizationData : undefined,
  }
}

/** A PAC as an element of authorization data. */
export const wrapPac = (octets: Uint8Array): AuthorizationData[number] => ({
  adType: adTypes.ifRelevant,
  adData: encodeShort(AuthorizationData, [{ adType: adTypes.win2kPac, adData: octets }]),
})
