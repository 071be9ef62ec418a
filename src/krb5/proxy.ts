/** Kerberos messages in the envelope of a KDC proxy: a length in front, in a KDC-PROXY-MESSAGE ([MS-KKDCP] §2.2.2). @module */
import { decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { OctetWriter } from '../bytes/cursor.ts'
import { KrbError } from './errors.ts'
import { KdcProxyMessage } from './messages/kkdcp.ts'

/** What an HTTP request to a proxy, and its answer, is labelled as ([MS-KKDCP] §2.1). */
export const PROXY_MEDIA_TYPE = 'application/kerberos'

/** Octets of the length in front of the message. */
const LENGTH = 4

/** The envelope of a message; `realm` tells the proxy whose KDC it is for, and an answer does without. */
export function sealEnvelope(message: Uint8Array, realm?: string): Uint8Array {
  const kerbMessage = new OctetWriter().uint32(message.length).octets(message).finish()
  return encode(KdcProxyMessage, { kerbMessage, ...(realm === undefined ? {} : { targetDomain: realm }) })
}

/** What an envelope holds. Throws KrbError REPLY_MALFORMED when it is none, or says another length than it has. */
export function openEnvelope(octets: Uint8Array): { readonly message: Uint8Array; readonly realm: string | undefined } {
  const { kerbMessage, targetDomain } = envelopeFrom(octets)
  const message = kerbMessage.subarray(LENGTH)
  const length =
    kerbMessage.length < LENGTH ? -1 : new DataView(kerbMessage.buffer, kerbMessage.byteOffset).getUint32(0)
  if (length !== message.length)
    throw new KrbError('REPLY_MALFORMED', `a message of ${message.length} octets after a length of ${length}`)
  return { message, realm: targetDomain }
}

function envelopeFrom(octets: Uint8Array): KdcProxyMessage {
  try {
    return decode(KdcProxyMessage, octets)
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new KrbError('REPLY_MALFORMED', `${octets.length} octets that are no KDC-PROXY-MESSAGE`, { cause })
  }
}
