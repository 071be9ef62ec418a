/** What a KDC or a password server answers with, told by its first octets before it is read. @module */
import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { errorCodeOf, type KrbErrorCode } from './errorcodes.ts'
import { messageTypes } from './messages/codes.ts'
import { KrbErrorMessage } from './messages/error.ts'
import type { RealmService } from './questions.ts'

/** Identifier octet of a KRB-ERROR. */
const ERROR = 0x60 | messageTypes.error
/** Identifier octets of what a KDC answers with: AS-REP, TGS-REP, KRB-ERROR. */
const replies: readonly number[] = [messageTypes.asRep, messageTypes.tgsRep, messageTypes.error].map(
  (type) => 0x60 | type,
)

/** Versions in the answers of who changes passwords (RFC 3244 §2). */
const passwordVersions: readonly number[] = [1, 0xff80]

/** Whether octets begin as an answer of the service does; from who changes passwords, that is their length and a version. */
export function isReply(octets: Uint8Array, service: RealmService): boolean {
  if (octets.length < 2) return false
  if (service !== 'kpasswd') return replies.includes(octets[0]!)
  const [a = 0, b = 0, c = 0, d = 0] = octets
  if (a === ERROR) return true
  return (a << 8) + b === octets.length && passwordVersions.includes((c << 8) + d)
}

/** What is noted of other octets. */
export const noReply = ({ length }: Uint8Array): string => `${length} octets came that are no reply of a KDC`

/** The code of a KRB-ERROR; undefined for any other message, and for one that cannot be read. */
export function errorIn(message: Uint8Array): KrbErrorCode | undefined {
  if (message[0] !== ERROR) return undefined
  try {
    return errorCodeOf(decode(KrbErrorMessage, message).errorCode)
  } catch (error) {
    if (error instanceof Asn1Error) return undefined
    throw error
  }
}
