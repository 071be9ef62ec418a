/** The krb5 mechanism of GSS-API (RFC 4121). @module */
export { Krb5Context } from './context.ts'
export { type InitiatorParts, Krb5Credential } from './credential.ts'
export { type ExportedContext, formatContext, parseContext, type TicketFacts } from './exported.ts'
export { iakerbMechanism } from './iakerb.ts'
export { IakerbCredential } from './iakerbcredential.ts'
export type { RealmForm } from './iakerbtokens.ts'
export { krb5Mechanism } from './mechanism.ts'
export { type NameRules, noRules } from './names.ts'
