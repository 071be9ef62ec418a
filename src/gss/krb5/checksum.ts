import { BoundsError, OctetReader, OctetWriter } from '../../bytes/cursor.ts'
import { equal } from '../../bytes/index.ts'
import { md5 } from '../../crypto/md5.ts'
import type { Checksum } from '../../krb5/messages/basics.ts'
import { GSS_CHECKSUM_TYPE } from '../../krb5/messages/codes.ts'
import { GssError } from '../error.ts'
import { flagMask, type GssFlag } from '../flags.ts'
import type { ChannelBindings } from '../mechanism.ts'

/** Length of the bindings' hash (RFC 4121 §4.1.1.2). */
const BINDINGS_SIZE = 16
const NO_BINDINGS = new Uint8Array(BINDINGS_SIZE)
/** The checksum without delegation or extensions: most are. */
const PLAIN_SIZE = 4 + BINDINGS_SIZE + 4
/** The only delegation option there is (RFC 4121 §4.1.1). */
const DELEGATION_OPTION = 1
/** The extension that holds an IAKERB-FINISHED, and octets in front of any extension: its type and length. */
const FINISHED_EXTENSION = 1
const EXTENSION_HEADER = 8

/** What an initiator says in its authenticator's checksum (RFC 4121 §4.1.1). */
export interface ContextRequest {
  /** The 32 bits of context flags, unknown ones included. */
  readonly flags: number
  /** MD5 of the channel bindings; zeros when there are none. */
  readonly bindings: Uint8Array
  /** DER of a KRB-CRED; undefined without delegation. */
  readonly delegation?: Uint8Array | undefined
  /** DER of an IAKERB-FINISHED; undefined outside of IAKERB. */
  readonly finished?: Uint8Array | undefined
}

/** The checksum of type 0x8003 that asks for a context (RFC 4121 §4.1.1); all its numbers are little-endian. */
export function contextChecksum(
  flags: Iterable<GssFlag>,
  bindings: ChannelBindings | undefined,
  delegation?: Uint8Array,
  finished?: Uint8Array,
): Checksum {
  const hash = bindings ? bindingsHash(bindings) : NO_BINDINGS
  const mask = flagMask(flags)
  if (!delegation && !finished) return { cksumtype: GSS_CHECKSUM_TYPE, checksum: plainChecksum(hash, mask) }
  const writer = new OctetWriter({ littleEndian: true }).uint32(BINDINGS_SIZE).octets(hash).uint32(mask)
  if (delegation) writer.uint16(DELEGATION_OPTION).uint16(delegation.length).octets(delegation)
  const extensions = finished && new OctetWriter().uint32(FINISHED_EXTENSION).uint32(finished.length).octets(finished)
  if (extensions) writer.octets(extensions.finish())
  return { cksumtype: GSS_CHECKSUM_TYPE, checksum: writer.finish() }
}

/** The checksum that most contexts begin with, without a writer's detours. */
function plainChecksum(hash: Uint8Array, mask: number): Uint8Array {
  const checksum = new Uint8Array(PLAIN_SIZE)
  checksum[0] = BINDINGS_SIZE
  checksum.set(hash, 4)
  for (let i = 0; i < 4; i++) checksum[4 + BINDINGS_SIZE + i] = mask >>> (8 * i)
  return checksum
}

/** Reads such a checksum. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN when it is absent, of another type or too short. */
export function readContextChecksum(cksum: Checksum | undefined): ContextRequest {
  if (cksum?.cksumtype !== GSS_CHECKSUM_TYPE)
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the AP-REQ has no GSS-API checksum: it was not made for a context', {
      minor: 'KRB_AP_ERR_INAPP_CKSUM',
    })
  const { checksum } = cksum
  if (checksum.length === PLAIN_SIZE && checksum[0] === BINDINGS_SIZE && !(checksum[1]! | checksum[2]! | checksum[3]!))
    return { flags: wordAt(checksum, 4 + BINDINGS_SIZE), bindings: checksum.subarray(4, 4 + BINDINGS_SIZE) }
  try {
    const reader = new OctetReader(checksum, { littleEndian: true })
    const size = reader.uint32()
    if (size !== BINDINGS_SIZE) throw new BoundsError(`${size} octets of channel bindings, ${BINDINGS_SIZE} expected`)
    const bindings = reader.octets(BINDINGS_SIZE)
    const flags = reader.uint32()
    const delegates = (flags & flagMask(['delegateToPeer'])) !== 0 && reader.remaining > 0
    const delegation = delegates ? readDelegation(reader) : undefined
    return { flags, bindings, delegation, finished: readFinished(reader.rest()) }
  } catch (cause) {
    if (!(cause instanceof BoundsError)) throw cause
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `the GSS-API checksum cannot be read: ${cause.message}`, { cause })
  }
}

const wordAt = (octets: Uint8Array, at: number) =>
  (octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)) >>> 0

function readDelegation(reader: OctetReader): Uint8Array {
  const option = reader.uint16()
  if (option !== DELEGATION_OPTION) throw new BoundsError(`delegation option ${option}, ${DELEGATION_OPTION} expected`)
  return reader.octets(reader.uint16())
}

/** The extension that is known, of all that follow one another (draft-ietf-kitten-iakerb-03 §4.1): their numbers are big-endian. */
function readFinished(octets: Uint8Array): Uint8Array | undefined {
  const reader = new OctetReader(octets)
  while (reader.remaining >= EXTENSION_HEADER) {
    const type = reader.uint32()
    const extension = reader.octets(reader.uint32())
    if (type === FINISHED_EXTENSION) return extension
  }
  return undefined
}

/**
 * Whether the context is bound to the channel: the initiator's bindings are ours. An acceptor without any takes whatever
 * comes, and an initiator that sent none is taken by an acceptor that has some, as every deployed acceptor does (RFC 4121
 * §4.1.1.2), unless it is `aware` of bindings: then somebody took them out. Throws {@link GssError} GSS_S_BAD_BINDINGS.
 */
export function isBound(sent: Uint8Array, ours: ChannelBindings | undefined, aware: boolean): boolean {
  if (!ours) return false
  if (equal(sent, bindingsHash(ours))) return true
  if (equal(sent, NO_BINDINGS) && !aware) return false
  throw new GssError('GSS_S_BAD_BINDINGS')
}

/** MD5 over the bindings in the layout of RFC 4121 §4.1.1.2. */
function bindingsHash({ initiator, acceptor, applicationData }: ChannelBindings): Uint8Array {
  const writer = new OctetWriter({ littleEndian: true })
  for (const side of [initiator, acceptor])
    writer
      .uint32(side?.type ?? 0)
      .uint32(side?.address.length ?? 0)
      .octets(side?.address ?? new Uint8Array(0))
  return md5(writer.uint32(applicationData.length).octets(applicationData).finish())
}
