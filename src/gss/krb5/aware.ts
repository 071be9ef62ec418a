/** An initiator's word that it would have sent channel bindings, had it a channel (MS-KILE §3.2.5.8). @module */
import type { AuthorizationData } from '../../krb5/messages/basics.ts'
import { adTypes } from '../../krb5/messages/codes.ts'
import { relevantElements } from './relevant.ts'

/** KERB_AP_OPTIONS_CBT, among the 32 bits of AD-AP-OPTIONS, in little-endian order. */
const CBT = Uint8Array.of(0, 0x40, 0, 0)

/** What an authenticator says for that, inside AD-IF-RELEVANT. */
export const bindingsAware: AuthorizationData = [{ adType: adTypes.apOptions, adData: CBT }]

/** Whether an authenticator says so. */
export const isBindingsAware = (authorizationData: AuthorizationData | undefined): boolean =>
  relevantElements(authorizationData).some(
    ({ adType, adData }) => adType === adTypes.apOptions && (adData[1]! & CBT[1]!) !== 0,
  )
