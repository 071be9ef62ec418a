/** Names as tokens (RFC 2743 §3.2, and RFC 6680's composite ones as MIT writes them). @module */
import { decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { objectIdentifier } from '../asn1/primitives.ts'
import { BoundsError, OctetReader, OctetWriter } from '../bytes/cursor.ts'
import { fromUtf8, utf8 } from '../bytes/index.ts'
import { GssError } from './error.ts'
import type { Oid } from './oids.ts'

/** How both kinds begin. */
const PLAIN = 0x0401
const COMPOSITE = 0x0402

/** The token of a mechanism's name. */
export function formatExportedName(mechanism: Oid, text: string): Uint8Array {
  const oid = encode(objectIdentifier, mechanism)
  const name = utf8(text)
  return new OctetWriter().uint16(PLAIN).uint16(oid.length).octets(oid).uint32(name.length).octets(name).finish()
}

/** What such a token says. Throws {@link GssError} GSS_S_BAD_NAME. */
export function parseExportedName(token: Uint8Array): { readonly mechanism: Oid; readonly text: string } {
  try {
    const reader = new OctetReader(token)
    const kind = reader.uint16()
    if (kind !== PLAIN && kind !== COMPOSITE) throw new BoundsError(`it begins with ${kind.toString(16)}`)
    const mechanism = decode(objectIdentifier, reader.octets(reader.uint16()))
    const text = fromUtf8(reader.octets(reader.uint32()))
    if (kind === PLAIN && reader.remaining > 0) throw new BoundsError(`${reader.remaining} octets follow the name`)
    return { mechanism, text }
  } catch (cause) {
    if (!(cause instanceof BoundsError || cause instanceof Asn1Error || cause instanceof TypeError)) throw cause
    throw new GssError('GSS_S_BAD_NAME', `not an exported name: ${cause.message}`, { cause })
  }
}
