/** Changing and setting passwords: RFC 3244. @module */
import type { Infer } from '../../asn1/codec.ts'
import { octetString } from '../../asn1/primitives.ts'
import { field, optional, sequence } from '../../asn1/structures.ts'
import { PrincipalName, Realm } from './basics.ts'

/** RFC 3244 §2: the user data of a request of version 0xff80. */
export const ChangePasswdData = sequence('ChangePasswdData', {
  newpasswd: field(0, octetString),
  targname:  optional(1, PrincipalName),
  targrealm: optional(2, Realm),
})
export interface ChangePasswdData extends Infer<typeof ChangePasswdData> {}
