/** The envelope of GSS-Proxy's messages: remote procedure calls (RFC 5531 §9) of one program. @module */
import { OctetReader, OctetWriter } from '../bytes/cursor.ts'
import { XdrError } from './xdr.ts'

/** The program and its only version. */
const PROGRAM = 400112
const VERSION = 1
const RPC_VERSION = 2
/** msg_type */
const [CALL, REPLY] = [0, 1]
/** Octets of credentials or verifier at most (RFC 5531 §8.2). */
const MAX_AUTH = 400

/** Why a call was not carried out, in the words of RFC 5531 §9. */
export type RpcRefusal = keyof typeof refusals

/** The words behind the transaction identifier and REPLY. Accepted ones have a null verifier before their reason. */
const refusals = {
  PROG_UNAVAIL: [0, 0, 0, 1],
  PROG_MISMATCH: [0, 0, 0, 2, VERSION, VERSION],
  PROC_UNAVAIL: [0, 0, 0, 3],
  GARBAGE_ARGS: [0, 0, 0, 4],
  SYSTEM_ERR: [0, 0, 0, 5],
  RPC_MISMATCH: [1, 0, RPC_VERSION, RPC_VERSION],
  /** AUTH_FAILED */
  AUTH_ERROR: [1, 1, 7],
} as const
const SUCCESS = [0, 0, 0, 0] as const

/** A call that came: its arguments, or why it is refused. */
export type IncomingCall =
  | { readonly xid: number; readonly procedure: number; readonly args: Uint8Array }
  | { readonly xid: number; readonly refusal: RpcRefusal }

/** The call's octets, without credentials: the socket tells who calls. */
export function formatCall(xid: number, procedure: number, args: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = words(xid, CALL, RPC_VERSION, PROGRAM, VERSION, procedure, 0, 0, 0, 0)
  return writer.octets(args).finish()
}

/** Reads a call; as gssproxy judges it. Throws BoundsError and {@link XdrError} when not even a refusal can be said. */
export function parseCall(octets: Uint8Array): IncomingCall {
  const reader = new OctetReader(octets)
  const xid = reader.uint32()
  const type = reader.uint32()
  if (type !== CALL && type !== REPLY) throw new XdrError(`a message of type ${type}, neither call nor reply`)
  if (type === REPLY) return { xid, refusal: 'GARBAGE_ARGS' }
  const rpcVersion = reader.uint32()
  const [program, version, procedure] = [reader.uint32(), reader.uint32(), reader.uint32()]
  const flavor = readAuth(reader)
  readAuth(reader)
  if (rpcVersion !== RPC_VERSION) return { xid, refusal: 'RPC_MISMATCH' }
  if (flavor !== 0) return { xid, refusal: 'AUTH_ERROR' }
  if (program !== PROGRAM) return { xid, refusal: 'PROG_UNAVAIL' }
  if (version !== VERSION) return { xid, refusal: 'PROG_MISMATCH' }
  return { xid, procedure, args: reader.rest() }
}

/** An answer's octets: the results, or why there are none. */
export function formatReply(xid: number, outcome: Uint8Array | RpcRefusal): Uint8Array<ArrayBuffer> {
  if (typeof outcome === 'string') return words(xid, REPLY, ...refusals[outcome]).finish()
  return words(xid, REPLY, ...SUCCESS)
    .octets(outcome)
    .finish()
}

/** The results in an answer to the call `xid`. Throws BoundsError and {@link XdrError}. */
export function parseReply(octets: Uint8Array, xid: number): Uint8Array {
  const reader = new OctetReader(octets)
  const answered = reader.uint32()
  if (answered !== xid) throw new XdrError(`the answer is to call ${answered}, not to ${xid}`)
  if (reader.uint32() !== REPLY) throw new XdrError('the answer is no reply')
  if (reader.uint32() !== 0) throw new XdrError(`the call was denied (reject_stat ${reader.uint32()})`)
  readAuth(reader)
  const outcome = reader.uint32()
  const [name] = Object.entries(refusals).find(([, words]) => words[0] === 0 && words[3] === outcome) ?? []
  if (outcome !== 0) throw new XdrError(`the call was refused (${name ?? `accept_stat ${outcome}`})`)
  return reader.rest()
}

/** opaque_auth; gives its flavor. */
function readAuth(reader: OctetReader): number {
  const flavor = reader.uint32()
  const size = reader.uint32()
  if (size > MAX_AUTH) throw new XdrError(`${size} octets of authentication, ${MAX_AUTH} are the limit`)
  reader.octets(size + ((4 - (size % 4)) % 4))
  return flavor
}

function words(...values: readonly number[]): OctetWriter {
  const writer = new OctetWriter()
  for (const value of values) writer.uint32(value)
  return writer
}
