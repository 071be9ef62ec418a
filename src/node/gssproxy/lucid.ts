/** Contexts as Linux's kernel takes them from a GSS-Proxy daemon: for its NFS server, which protects messages itself. @module */
import { endianness } from 'node:os'
import { GssError } from '../../gss/error.ts'
import { Krb5Context } from '../../gss/krb5/context.ts'
import type { EstablishedContext } from '../../gss/mechanism.ts'

/** Bits of the first word. */
const [INITIATOR, CFX, ACCEPTOR_SUBKEY] = [1, 2, 4]
/** Flags, end, sequence number and enctype. */
const HEADER_SIZE = 20

/**
 * `linux_lucid_v1`: flags, the end in seconds, the next number to send in 64 bits, the enctype, and the key of its tokens
 * up to the end; all in this machine's byte order. The kernel takes not an octet more. Throws {@link GssError} GSS_S_UNAVAILABLE.
 */
export function formatLucid(context: EstablishedContext, order = endianness()): Uint8Array {
  if (!(context instanceof Krb5Context)) throw new GssError('GSS_S_UNAVAILABLE', 'only contexts of krb5 have this form')
  const { locallyInitiated, ticket, sendSequence, initiatorKey, acceptorSubkey, tokens } = context.state()
  const key = acceptorSubkey ?? initiatorKey
  const octets = new Uint8Array(HEADER_SIZE + key.keyvalue.length)
  const view = new DataView(octets.buffer)
  const little = order === 'LE'
  const flags =
    (locallyInitiated ? INITIATOR : 0) | (tokens === 'rfc4121' ? CFX : 0) | (acceptorSubkey ? ACCEPTOR_SUBKEY : 0)
  view.setUint32(0, flags, little)
  view.setUint32(4, ticket.endtime, little)
  view.setBigUint64(8, BigInt(sendSequence), little)
  view.setUint32(16, key.keytype, little)
  octets.set(key.keyvalue, HEADER_SIZE)
  for (const { keyvalue } of acceptorSubkey ? [initiatorKey, acceptorSubkey] : [initiatorKey]) keyvalue.fill(0)
  return octets
}
