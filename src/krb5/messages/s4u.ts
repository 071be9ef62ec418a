/** How a service asks for a ticket in a user's name (MS-SFU §2.2). @module */
import type { Infer } from '../../asn1/codec.ts'
import { flags, octetString } from '../../asn1/primitives.ts'
import { encoded, field, optional, sequence } from '../../asn1/structures.ts'
import { Checksum, KerberosString, Nonce, PrincipalName, Realm } from './basics.ts'

/** MS-SFU §2.2.1 */
export const PaForUser = sequence('PA-FOR-USER', {
  userName:    field(0, PrincipalName),
  userRealm:   field(1, Realm),
  cksum:       field(2, Checksum),
  authPackage: field(3, KerberosString),
})
export interface PaForUser extends Infer<typeof PaForUser> {}

/** MS-SFU §2.2.2 */
export const S4uUserId = sequence('S4UUserID', {
  nonce:              field(0, Nonce),
  cname:              optional(1, PrincipalName),
  crealm:             field(2, Realm),
  subjectCertificate: optional(3, octetString),
  options:            optional(4, flags('S4UOptions', { checkLogonHours: 1, useReplyKeyUsage: 2 })),
})
export interface S4uUserId extends Infer<typeof S4uUserId> {}

/** MS-SFU §2.2.2 */
export const PaS4uX509User = sequence('PA-S4U-X509-USER', {
  userId:   field(0, encoded(S4uUserId)),
  checksum: field(1, Checksum),
})
export interface PaS4uX509User extends Infer<typeof PaS4uX509User> {}
