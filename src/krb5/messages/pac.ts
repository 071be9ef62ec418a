/** How clients speak of PACs to the KDC (MS-KILE §2.2.3, §2.2.10). @module */
import type { Infer } from '../../asn1/codec.ts'
import { boolean, flags } from '../../asn1/primitives.ts'
import { field, sequence } from '../../asn1/structures.ts'

/** MS-KILE §2.2.3: whether the ticket is to have a PAC. */
export const PaPacRequest = sequence('KERB-PA-PAC-REQUEST', {
  includePac: field(0, boolean),
})
export interface PaPacRequest extends Infer<typeof PaPacRequest> {}

/** MS-KILE §2.2.10; MS-SFU §2.2.5 adds resourceBasedConstrainedDelegation. */
export const PaPacOptions = sequence('PA-PAC-OPTIONS', {
  kerberosFlags: field(0, flags('KerberosFlags', { claims: 0, branchAware: 1, forwardToFullDc: 2, resourceBasedConstrainedDelegation: 3 })),
})
export interface PaPacOptions extends Infer<typeof PaPacOptions> {}
