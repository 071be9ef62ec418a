import { type Codec, decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { frame, unframe } from '../gss/frame.ts'
import { GssError, mechanismOids, type Oid } from '../gss/index.ts'
import {
  AcceptorNegotiationToken,
  MechTypeList,
  NegotiationToken,
  type NegTokenInit,
  type NegTokenInit2,
  type NegTokenResp,
} from './messages.ts'

/** The largest token that is read: twice what Windows allows (MaxTokenSize, 65,535). */
const TOKEN_OCTETS_MAX = 131_072

/** Mechanisms in one list that are looked at. */
const MECH_TYPES_MAX = 64

/** What MS-SPNG §3.2.5.2 has every acceptor that speaks first say. */
const HINT_NAME = 'not_defined_in_RFC4178@please_ignore'

/** A failure that the peer's token is to blame for. */
export function defective(what: string, options?: ErrorOptions): GssError {
  return new GssError('GSS_S_DEFECTIVE_TOKEN', what, options)
}

/** The octets that stand for a list of mechanisms, in a message and under a MIC (RFC 4178 §5 a). */
export const encodeMechTypes = (oids: readonly Oid[]): Uint8Array => encode(MechTypeList, oids)

/** The initiator's first token; `mechTypes` is the encoded list (RFC 4178 §4.2.1). */
export function encodeInit(mechTypes: Uint8Array, mechToken: Uint8Array | undefined): Uint8Array {
  const value = { mechTypes: { value: decode(MechTypeList, mechTypes), der: mechTypes }, mechToken }
  return frame(mechanismOids.spnego, encode(NegotiationToken, { kind: 'negTokenInit', value }))
}

/** The first token of an acceptor that speaks first (MS-SPNG §3.2.5.2). */
export function encodeHints(oids: readonly Oid[]): Uint8Array {
  const value = { mechTypes: { value: oids, der: encodeMechTypes(oids) }, negHints: { hintName: HINT_NAME } }
  return frame(mechanismOids.spnego, encode(AcceptorNegotiationToken, { kind: 'negTokenInit2', value }))
}

/** Every later token, without a frame (RFC 4178 §4.2.2). */
export const encodeResponse = (value: NegTokenResp): Uint8Array =>
  encode(NegotiationToken, { kind: 'negTokenResp', value })

/** Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN for a token larger than any mechanism's. */
export function checkSize(token: Uint8Array): void {
  if (token.length > TOKEN_OCTETS_MAX)
    throw defective(`the token has ${token.length} octets, more than ${TOKEN_OCTETS_MAX}`)
}

/** The mechanism of a framed token and what it holds. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN. */
export const readFrame = (token: Uint8Array): ReturnType<typeof unframe> => reading(() => unframe(token))

/** The initiator's first message, its frame taken off. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN. */
export function readInit(innerToken: Uint8Array): NegTokenInit {
  const { kind, value } = parse(NegotiationToken, innerToken)
  if (kind !== 'negTokenInit') throw defective('the first message of a negotiation is a NegTokenInit, this is another')
  checkMechTypes(value.mechTypes.value)
  return value
}

/** The first message of an acceptor that speaks first. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN. */
export function readHints(token: Uint8Array): NegTokenInit2 {
  const { mechanism, innerToken } = readFrame(token)
  if (mechanism !== mechanismOids.spnego) throw defective('the acceptor speaks first, but not SPNEGO')
  const { kind, value } = parse(AcceptorNegotiationToken, innerToken)
  if (kind !== 'negTokenInit2') throw defective('the acceptor answers before anything was asked')
  checkMechTypes(value.mechTypes.value)
  return value
}

/** Any later message. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN, for an empty token too. */
export function readResponse(token: Uint8Array | undefined): NegTokenResp {
  if (!token?.length) throw defective('the peer sent an empty token in the middle of a negotiation')
  const { kind, value } = parse(NegotiationToken, token)
  if (kind !== 'negTokenResp') throw defective('the peer begins a negotiation in the middle of this one')
  return value
}

function checkMechTypes(oids: readonly Oid[]): void {
  if (oids.length === 0) throw defective('the peer offers no mechanism')
  if (oids.length > MECH_TYPES_MAX) throw defective(`the peer offers ${oids.length} mechanisms`)
}

const parse = <T>(codec: Codec<T>, der: Uint8Array): T => reading(() => decode(codec, der))

function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw cause instanceof Asn1Error ? defective(cause.message, { cause }) : cause
  }
}
