/** What there is to know of mechanisms without using them (RFC 5587, RFC 5801 §10, RFC 2743 §2.4.12). @module */
import { encode } from '../asn1/codec.ts'
import { objectIdentifier } from '../asn1/primitives.ts'
import { nobleHash } from '../crypto/primitives/noblehash.ts'
import { mechanismOids, nameTypeOids, type Oid } from './oids.ts'

/** Attributes of mechanisms and their numbers below 1.3.6.1.5.5.13 (RFC 5587 §3.4). */
export const attributeNumbers = {
  concrete: 1,
  pseudo: 2,
  composite: 3,
  negotiates: 4,
  glue: 5,
  notMechanism: 6,
  deprecated: 7,
  notDefault: 8,
  framedTokens: 9,
  initiatorAuthentication: 10,
  targetAuthentication: 11,
  initiatorInitialAuthentication: 12,
  targetInitialAuthentication: 13,
  anonymousInitiator: 14,
  anonymousTarget: 15,
  delegation: 16,
  integrity: 17,
  confidentiality: 18,
  mic: 19,
  wrap: 20,
  protectionReady: 21,
  replayDetection: 22,
  outOfSequenceDetection: 23,
  channelBindings: 24,
  forwardSecrecy: 25,
  compression: 26,
  contextTransfer: 27,
} as const

/** An attribute of a mechanism. */
export type MechanismAttribute = keyof typeof attributeNumbers

/** The object identifier of an attribute. */
export const attributeOid = (attribute: MechanismAttribute): Oid => `1.3.6.1.5.5.13.${attributeNumbers[attribute]}`

/** A mechanism as it presents itself. */
export interface MechanismFacts {
  readonly oid: Oid
  /** As people say it, and what it is. */
  readonly name: string
  readonly description: string
  /** What SASL calls it (RFC 5801 §3.1, §10). */
  readonly saslName: string
  /** The types of names that it takes (RFC 2743 §2.4.12). */
  readonly nameTypes: readonly Oid[]
  readonly attributes: ReadonlySet<MechanismAttribute>
}

const kerberosNames = [
  nameTypeOids.hostbased,
  nameTypeOids.user,
  nameTypeOids.anonymous,
  nameTypeOids.exported,
  nameTypeOids.krb5Principal,
  nameTypeOids.krb5Enterprise,
]
const kerberosAttributes: readonly MechanismAttribute[] = [
  'concrete',
  'framedTokens',
  'initiatorAuthentication',
  'targetAuthentication',
  'anonymousInitiator',
  'delegation',
  'integrity',
  'confidentiality',
  'mic',
  'wrap',
  'replayDetection',
  'outOfSequenceDetection',
  'channelBindings',
  'contextTransfer',
]

/** The mechanisms there are (GSS_Indicate_mechs, RFC 2743 §2.4.2). */
export const mechanisms: readonly MechanismFacts[] = [
  {
    oid: mechanismOids.krb5,
    name: 'krb5',
    description: 'Kerberos 5',
    saslName: 'GS2-KRB5',
    nameTypes: kerberosNames,
    attributes: new Set(kerberosAttributes),
  },
  {
    oid: mechanismOids.iakerb,
    name: 'iakerb',
    description: 'Kerberos 5, whose messages to KDCs go by way of the acceptor',
    saslName: 'GS2-IAKERB',
    nameTypes: kerberosNames,
    attributes: new Set([...kerberosAttributes, 'initiatorInitialAuthentication', 'notDefault']),
  },
  {
    oid: mechanismOids.spnego,
    name: 'spnego',
    description: 'Negotiation of another mechanism',
    saslName: 'SPNEGO',
    nameTypes: kerberosNames,
    attributes: new Set(['negotiates', 'framedTokens']),
  },
]

/** What mechanisms are to have, and what not. */
export interface AttributeQuery {
  readonly desired?: readonly MechanismAttribute[] | undefined
  readonly except?: readonly MechanismAttribute[] | undefined
}

/** The mechanisms that have all that is desired, and nothing that is not (GSS_Indicate_mechs_by_attrs, RFC 5587 §3.2). */
export const mechanismsWith = ({ desired = [], except = [] }: AttributeQuery): readonly MechanismFacts[] =>
  mechanisms.filter(
    ({ attributes }) => desired.every((one) => attributes.has(one)) && !except.some((one) => attributes.has(one)),
  )

/** Octets of a digest that make a name: 55 bits, in letters of 5. */
const NAME_LETTERS = 11
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** What SASL calls a mechanism: a name of its own, or one that is made of its object identifier (RFC 5801 §3.1). */
export function saslNameOf(oid: Oid): string {
  const known = mechanisms.find((mechanism) => mechanism.oid === oid)
  if (known) return known.saslName
  let bits = 0n
  for (const octet of nobleHash('sha1', encode(objectIdentifier, oid)).subarray(0, 7))
    bits = (bits << 8n) | BigInt(octet)
  const letters = Array.from({ length: NAME_LETTERS }, (_, i) => LETTERS[Number((bits >> BigInt(51 - 5 * i)) & 31n)])
  return `GS2-${letters.join('')}`
}

/** The mechanism that SASL calls so; undefined for none that is here. With `-PLUS`, the same one (RFC 5801 §3). */
export const mechanismOfSaslName = (name: string): MechanismFacts | undefined =>
  mechanisms.find(({ saslName }) => name === saslName || name === `${saslName}-PLUS`)
