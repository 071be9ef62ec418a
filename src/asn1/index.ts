/** DER and the types that Kerberos messages are declared with: one declaration is both the codec and the TypeScript type. @module */
export { type Codec, decode, decodePrefix, encode, type Infer, type Shape } from './codec.ts'
export { Asn1Error } from './error.ts'
export {
  anyValue,
  type BitString,
  bitString,
  boolean,
  enumerated,
  flags,
  generalizedTime,
  generalString,
  ia5String,
  integer,
  objectIdentifier,
  octetString,
  primitive,
  utf8String,
} from './primitives.ts'
export {
  application,
  type ChoiceValue,
  choice,
  defaulted,
  type Encoded,
  encoded,
  explicit,
  field,
  fixed,
  implicit,
  implicitApplication,
  mapped,
  optional,
  plainSequence,
  type SequenceValue,
  sequence,
  sequenceOf,
} from './structures.ts'
