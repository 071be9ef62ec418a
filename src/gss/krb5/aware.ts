/** An initiator's word that it would have sent channel bindings, had it a channel (MS-KILE §3.2.5.8). @module */
import { decode, encode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import { AuthorizationData } from '../../krb5/messages/basics.ts'
import { adTypes } from '../../krb5/messages/codes.ts'

/** KERB_AP_OPTIONS_CBT, among the 32 bits of AD-AP-OPTIONS, in little-endian order. */
const CBT = Uint8Array.of(0, 0x40, 0, 0)

/** What an authenticator says for that. */
export const bindingsAware: AuthorizationData = [
  { adType: adTypes.ifRelevant, adData: encode(AuthorizationData, [{ adType: adTypes.apOptions, adData: CBT }]) },
]

/** Whether an authenticator says so. */
export function isBindingsAware(authorizationData: AuthorizationData = []): boolean {
  return authorizationData
    .filter(({ adType }) => adType === adTypes.ifRelevant)
    .flatMap(({ adData }) => relevant(adData))
    .some(({ adType, adData }) => adType === adTypes.apOptions && (adData[1]! & CBT[1]!) !== 0)
}

/** Nothing, when it cannot be read: what is in AD-IF-RELEVANT may be passed over (RFC 4120 §5.2.6.1). */
function relevant(adData: Uint8Array): AuthorizationData {
  try {
    return decode(AuthorizationData, adData)
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error
    return []
  }
}
