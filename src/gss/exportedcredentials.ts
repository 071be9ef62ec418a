/** Credentials as tokens (gss_export_cred): those of each mechanism, one after the other, as MIT's library writes them. @module */
import { decode, encode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { objectIdentifier } from '../asn1/primitives.ts'
import { BoundsError, OctetReader, OctetWriter } from '../bytes/cursor.ts'
import { concat } from '../bytes/index.ts'
import { GssError } from './error.ts'
import type { Oid } from './oids.ts'

/** Octets of the longest token that is read, and the most mechanisms in one. */
const MAX_TOKEN = 1 << 22
const MAX_ELEMENTS = 16
/** Tag and length of an identifier, which are not written. */
const HEADER = Uint8Array.of(6)

/** What one mechanism exported. */
export interface ExportedElement {
  readonly mechanism: Oid
  readonly token: Uint8Array
}

/** The token of all of them. */
export function formatExportedCredentials(elements: readonly ExportedElement[]): Uint8Array {
  const writer = new OctetWriter()
  for (const { mechanism, token } of elements) {
    const oid = encode(objectIdentifier, mechanism).subarray(2)
    writer.uint32(oid.length).octets(oid).uint32(token.length).octets(token)
  }
  return writer.finish()
}

/** What such a token holds, as views. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN. */
export function parseExportedCredentials(token: Uint8Array): readonly ExportedElement[] {
  if (token.length > MAX_TOKEN) throw defective(`it has ${token.length} octets, more than ${MAX_TOKEN}`)
  try {
    const reader = new OctetReader(token)
    const elements: ExportedElement[] = []
    while (reader.remaining > 0) {
      if (elements.length >= MAX_ELEMENTS) throw new BoundsError(`more than ${MAX_ELEMENTS} mechanisms`)
      const contents = reader.octets(reader.uint32())
      if (contents.length > 127) throw new BoundsError(`an identifier of ${contents.length} octets`)
      const mechanism = decode(objectIdentifier, concat(HEADER, Uint8Array.of(contents.length), contents))
      elements.push({ mechanism, token: reader.octets(reader.uint32()) })
    }
    return elements
  } catch (cause) {
    if (!(cause instanceof BoundsError || cause instanceof Asn1Error)) throw cause
    throw defective(cause.message, { cause })
  }
}

/** A failure that the token is to blame for. */
const defective = (what: string, options?: ErrorOptions) =>
  new GssError('GSS_S_DEFECTIVE_TOKEN', `not exported credentials: ${what}`, options)
