/** What an authenticator says besides, that acceptors may pass over: AD-IF-RELEVANT (RFC 4120 §5.2.6.1). @module */
import { type Codec, decode, encode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import { AuthorizationData } from '../../krb5/messages/basics.ts'
import { adTypes } from '../../krb5/messages/codes.ts'

/** These elements in one AD-IF-RELEVANT; undefined when there are none. */
export const ifRelevant = (elements: AuthorizationData): AuthorizationData | undefined =>
  elements.length === 0 ? undefined : [{ adType: adTypes.ifRelevant, adData: encode(AuthorizationData, elements) }]

/** The elements in every AD-IF-RELEVANT that can be read. */
export const relevantElements = (authorizationData: AuthorizationData = []): AuthorizationData =>
  authorizationData
    .filter(({ adType }) => adType === adTypes.ifRelevant)
    .flatMap(({ adData }) => readable(AuthorizationData, adData) ?? [])

/** AD-IF-RELEVANT inside one another that are looked into. */
const MAX_NESTING = 4

/**
 * What the elements of a type hold, as GSS_Krb5_extract_authz_data finds them: also inside AD-IF-RELEVANT, of which what
 * cannot be read is passed over.
 */
export const authorizationDataIn = (
  authorizationData: AuthorizationData | undefined,
  type: number,
  nesting: number = MAX_NESTING,
): readonly Uint8Array[] =>
  (authorizationData ?? []).flatMap((element) => {
    if (element.adType === type) return [element.adData]
    const inside = nesting > 0 ? relevantElements([element]) : []
    return inside.length > 0 ? authorizationDataIn(inside, type, nesting - 1) : []
  })

/** What `der` stands for; undefined when it cannot be read. */
export function readable<T>(codec: Codec<T>, der: Uint8Array): T | undefined {
  try {
    return decode(codec, der)
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error
    return undefined
  }
}
