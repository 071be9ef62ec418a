/** The contract of GSS-API (RFC 2743) in python-gssapi's manner: names, credentials, contexts, mechanisms. @module */
export type { AttributeValue, InitiatorAttributes, NameAttribute } from './attributes.ts'
export { tlsExporter, tlsExporterLabel, tlsExporterSize, tlsServerEndPoint, tlsUnique } from './channelbindings.ts'
export { SecurityContext } from './context.ts'
export type { AcceptorOptions, ContextOptions, ImportOptions, InitiatorOptions } from './contextoptions.ts'
export { type CredentialElement, Credentials, type Usage } from './credentials.ts'
export { GssError, type GssErrorDetails, type MajorCode, majorCodes, type SupplementaryCode } from './error.ts'
export { defaultFlags, flagBits, flagMask, flagsOf, type GssFlag } from './flags.ts'
export { type ContextFacts, inquireContext } from './inquire.ts'
export type { IovBuffer, IovResult, IovType } from './iov.ts'
export {
  type Acceptance,
  type BoundHandshake,
  type BoundMechanism,
  bind,
  type ChannelBindings,
  type EstablishedContext,
  type HalfOpen,
  type Handshake,
  type Initiation,
  type Leg,
  type Mechanism,
  type PrfKey,
  type SessionKey,
  type UnwrapResult,
  type WrapResult,
} from './mechanism.ts'
export {
  type AttributeQuery,
  attributeNumbers,
  attributeOid,
  type MechanismAttribute,
  type MechanismFacts,
  mechanismOfSaslName,
  mechanisms,
  mechanismsWith,
  saslNameOf,
} from './mechanisms.ts'
export { Name, type NameAuthority } from './name.ts'
export { mechanismOids, nameTypeOids, type Oid } from './oids.ts'
