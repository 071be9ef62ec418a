/** Where a ticket has its PAC: AD-IF-RELEVANT around AD-WIN2K-PAC (MS-PAC §2.1, RFC 4120 §5.2.6). @module */
import { decode, encode } from '../../asn1/codec.ts'
import { AuthorizationData } from '../messages/basics.ts'
import { adTypes } from '../messages/codes.ts'
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
export function findPac(data: AuthorizationData | undefined): FoundPac | undefined {
  const found: Uint8Array[] = []
  const blanked = data && blank(data, found, MAX_NESTING)
  if (found.length > 1) throw new PacError(`the ticket has ${found.length} PACs`)
  return found[0] && blanked && { octets: found[0], blanked }
}

function blank(data: AuthorizationData, found: Uint8Array[], nesting: number): AuthorizationData {
  return data.map((element) => {
    const { adType, adData } = element
    if (adType === adTypes.win2kPac) {
      found.push(adData)
      return { adType, adData: BLANK_PAC }
    }
    if (adType !== adTypes.ifRelevant) return element
    if (nesting === 0) throw new PacError('authorization data is nested too deeply')
    const before = found.length
    const inner = blank(decode(AuthorizationData, adData), found, nesting - 1)
    return found.length === before ? element : { adType, adData: encode(AuthorizationData, inner) }
  })
}

/** A PAC as an element of authorization data. */
export const wrapPac = (octets: Uint8Array): AuthorizationData[number] => ({
  adType: adTypes.ifRelevant,
  adData: encode(AuthorizationData, [{ adType: adTypes.win2kPac, adData: octets }]),
})
