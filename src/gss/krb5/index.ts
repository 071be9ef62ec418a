/** The krb5 mechanism of GSS-API (RFC 4121). @module */
export { type InitiatorParts, Krb5Credential } from './credential.ts'
export { krb5Mechanism } from './mechanism.ts'
export { type NameRules, noRules } from './names.ts'
