/** The krb5 mechanism of GSS-API (RFC 4121). @module */
export { Krb5Context } from './context.ts'
export { type AcceptorParts, type InitiatorParts, Krb5Credential, type Krb5Parts } from './credential.ts'
export { type ExportedContext, formatContext, parseContext, type TicketFacts } from './exported.ts'
export { type IakerbOptions, iakerbMechanism } from './iakerb.ts'
export { IakerbCredential } from './iakerbcredential.ts'
export type { RealmForm } from './iakerbtokens.ts'
export { krb5Mechanism } from './mechanism.ts'
export { type NameRules, noRules } from './names.ts'
