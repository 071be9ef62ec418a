/** Between GSS-API's words and the ones of the protocol. @module */
import { decode as decodeDer, encode as encodeDer } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { objectIdentifier } from '../asn1/primitives.ts'
import { concat, equal, fromUtf8, utf8 } from '../bytes/index.ts'
import type { Usage } from '../gss/credentials.ts'
import { GssError, type MajorCode, majorCodes } from '../gss/error.ts'
import { flagMask, flagsOf, type GssFlag } from '../gss/flags.ts'
import type { ChannelBindings } from '../gss/mechanism.ts'
import { Name } from '../gss/name.ts'
import { mechanismOids, nameTypeOids, type Oid } from '../gss/oids.ts'
import {
  Cred,
  CredElement,
  Ctx,
  type Option,
  Status,
  type ChannelBindings as WireBindings,
  WireName,
} from './messages.ts'
import { XdrError } from './xdr.ts'

/** Octets of tag and length in front of a short identifier's contents. */
const OID_HEADER = 2
const OID_TAG = 6
/** Contents octets of an identifier that one octet of length can tell. */
const MAX_OID = 127
/** Seconds that are left where there is no end. */
const INDEFINITE = 0xffff_ffffn

/** An identifier's contents octets, as the protocol has them. */
export const oidOctets = (oid: Oid): Uint8Array => encodeDer(objectIdentifier, oid).slice(OID_HEADER)

/** The identifier of contents octets; undefined for none. Throws {@link XdrError}. */
export function oidFrom(octets: Uint8Array): Oid | undefined {
  if (octets.length === 0) return undefined
  if (octets.length > MAX_OID) throw new XdrError(`an object identifier of ${octets.length} octets`)
  try {
    return decodeDer(objectIdentifier, concat(Uint8Array.of(OID_TAG, octets.length), octets))
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new XdrError(cause.message, { cause })
  }
}

/** krb5, as the protocol has it. */
export const KRB5 = oidOctets(mechanismOids.krb5)

/** A text that ends with NUL, as gssproxy writes it. */
export const withNul = (text: string): Uint8Array => utf8(`${text}\0`)

/** The text without the NUL that it may end with. Throws {@link XdrError} when it is not UTF-8. */
export function textFrom(octets: Uint8Array): string {
  try {
    return fromUtf8(octets.at(-1) === 0 ? octets.subarray(0, -1) : octets)
  } catch (cause) {
    throw new XdrError('a text is not UTF-8', { cause })
  }
}

/** The value of an option; undefined when there is none of this name, which ends with NUL. */
export const optionOf = (options: readonly Option[], name: string): Uint8Array | undefined =>
  options.find(({ option }) => equal(option, withNul(name)))?.value

/** A name on its way; nothing where there is none. */
export function nameToWire(name: Name | undefined): WireName {
  if (!name) return WireName.empty
  const nameType = oidOctets(name.type ?? nameTypeOids.krb5Principal)
  return { ...WireName.empty, displayName: utf8(name.text), nameType }
}

/** The name that came; undefined for none. Its display name counts, its exported form only without. Throws GssError and {@link XdrError}. */
export function nameFromWire({ displayName, nameType, exportedName }: WireName): Name | undefined {
  if (displayName.length > 0) return new Name(textFrom(displayName), oidFrom(nameType))
  return exportedName.length > 0 ? importExported(exportedName) : undefined
}

/** The frame of RFC 2743 §3.2 around krb5's own identifier and the length of the name. */
const EXPORTED_HEADER = concat(Uint8Array.of(4, 1, 0, OID_HEADER + KRB5.length, OID_TAG, KRB5.length), KRB5)
const EXPORTED_LENGTH = 4

function importExported(octets: Uint8Array): Name {
  const size = EXPORTED_HEADER.length
  const text = octets.subarray(size + EXPORTED_LENGTH)
  if (!equal(octets.subarray(0, size), EXPORTED_HEADER) || octets.length <= size + EXPORTED_LENGTH)
    throw new GssError('GSS_S_BAD_NAME', 'the exported name is not one of krb5')
  return Name.principal(textFrom(text))
}

/** Seconds until `endtime`, as the protocol counts lifetimes. */
export const lifetimeTo = (endtime: number | undefined, now: number): bigint =>
  endtime === undefined ? INDEFINITE : BigInt(Math.max(0, endtime - now))

/** Credentials as clients see them; `reference` is what this daemon knows them by. */
export function credToWire(
  { usage, endtime }: { readonly usage: Usage; readonly endtime: number | undefined },
  name: Name,
  reference: Uint8Array,
  now: number,
): Cred {
  const mn = nameToWire(name)
  const element = {
    ...CredElement.empty,
    mn,
    mech: KRB5,
    credUsage: usage,
    initiatorTimeRec: usage === 'accept' ? 0n : lifetimeTo(endtime, now),
    acceptorTimeRec: usage === 'initiate' ? 0n : INDEFINITE,
  }
  return { ...Cred.empty, desiredName: mn, elements: [element], credHandleReference: reference }
}

/** Channel bindings on their way. */
export function bindingsToWire({ initiator, acceptor, applicationData }: ChannelBindings): WireBindings {
  return {
    initiatorAddrtype: BigInt(initiator?.type ?? 0),
    initiatorAddress: initiator?.address ?? new Uint8Array(0),
    acceptorAddrtype: BigInt(acceptor?.type ?? 0),
    acceptorAddress: acceptor?.address ?? new Uint8Array(0),
    applicationData,
  }
}

/** The channel bindings that came. */
export function bindingsFromWire(bindings: WireBindings): ChannelBindings {
  const { initiatorAddrtype, initiatorAddress, acceptorAddrtype, acceptorAddress, applicationData } = bindings
  return {
    applicationData,
    initiator: { type: low(initiatorAddrtype), address: initiatorAddress },
    acceptor: { type: low(acceptorAddrtype), address: acceptorAddress },
  }
}

/** The low 32 bits: all that GSS-API has of what the protocol sends in 64. */
const low = (value: bigint): number => Number(BigInt.asUintN(32, value))

/** Flags that came. */
export const flagsFromWire = (flags: bigint): ReadonlySet<GssFlag> => flagsOf(low(flags))

/** Flags on their way. */
export const flagsToWire = (flags: Iterable<GssFlag>): bigint => BigInt(flagMask(flags))

/** All went well. The mechanism is always told: MIT's interposer takes a status without it for another error. */
export const done: Status = { ...Status.empty, mech: KRB5 }

/** Another token is expected (GSS_S_CONTINUE_NEEDED, RFC 2744 §3.9.1). */
export const CONTINUE_NEEDED = 1n
const SUPPLEMENTARY: readonly MajorCode[] = [
  'GSS_S_DUPLICATE_TOKEN',
  'GSS_S_OLD_TOKEN',
  'GSS_S_UNSEQ_TOKEN',
  'GSS_S_GAP_TOKEN',
]
/** What tells routine errors from supplementary ones. */
const ROUTINE_MASK = 0xff_0000n

/** How a call failed, with the mechanism's number for the reason. */
export function failureStatus(error: GssError, minor: number): Status {
  return {
    ...done,
    majorStatus: BigInt(majorNumber(error)),
    minorStatus: BigInt(minor >>> 0),
    majorStatusString: withNul(majorCodes[error.major].meaning),
    minorStatusString: withNul(error.message),
  }
}

/** A handshake's token that was seen before has a reason of the mechanism's, and fails (gssproxy: "Request is a replay"). */
const majorNumber = ({ major, minor }: GssError): number =>
  majorCodes[minor && SUPPLEMENTARY.includes(major) ? 'GSS_S_FAILURE' : major].number

/** The error that a status tells of; undefined when there is none. */
export function errorFrom({ majorStatus, minorStatusString, minorStatus }: Status, token?: Uint8Array) {
  const routine = majorStatus & ROUTINE_MASK
  if (routine === 0n) return undefined
  const known = (Object.keys(majorCodes) as MajorCode[]).find((code) => BigInt(majorCodes[code].number) === routine)
  const text = textFrom(minorStatusString) || `minor status ${minorStatus}`
  return new GssError(known ?? 'GSS_S_FAILURE', `the GSS-Proxy daemon says: ${text}`, { token })
}

/** A context of krb5, in which the caller fills in what there is. */
export const krb5Ctx: Ctx = { ...Ctx.empty, mech: KRB5 }
