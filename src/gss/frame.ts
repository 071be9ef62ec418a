import { withWriter } from '../asn1/codec.ts'
import { Asn1Error, within } from '../asn1/error.ts'
import { objectIdentifier } from '../asn1/primitives.ts'
import { Reader } from '../asn1/reader.ts'
import type { Oid } from './oids.ts'

/** [APPLICATION 0], constructed: how every initial context token begins (RFC 2743 §3.1). */
const INITIAL_CONTEXT_TOKEN = 0x60
const NAME = 'InitialContextToken'

/** A mechanism's own token, which may come in parts, in the frame of RFC 2743 §3.1. */
export function frame(mechanism: Oid, ...innerToken: readonly Uint8Array[]): Uint8Array {
  return withWriter((writer) => {
    for (let i = innerToken.length - 1; i >= 0; i--) writer.write(innerToken[i]!)
    objectIdentifier.write(mechanism, writer)
    writer.header(INITIAL_CONTEXT_TOKEN, writer.written)
    return writer.finishShort()
  })
}

/** Whether `token` begins as RFC 2743 §3.1 says. */
export function isFramed(token: Uint8Array): boolean {
  return token[0] === INITIAL_CONTEXT_TOKEN
}

/**
 * What the frame of RFC 2743 §3.1 holds; `innerToken` is a view, and need not be ASN.1 (krb5's is not).
 * Throws Asn1Error for anything but one whole frame.
 */
export function unframe(token: Uint8Array): { readonly mechanism: Oid; readonly innerToken: Uint8Array } {
  return within(NAME, () => {
    const reader = new Reader(token)
    const end = reader.enter(INITIAL_CONTEXT_TOKEN, NAME, token.length)
    if (end !== token.length) throw new Asn1Error(`${token.length - end} octets follow the token`)
    const mechanism = objectIdentifier.read(reader, end)
    return { mechanism, innerToken: token.subarray(reader.at, end) }
  })
}
