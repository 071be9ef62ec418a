import { Asn1Error } from '../../asn1/error.ts'
import { GssError } from '../error.ts'
import { unframe as contentsOf, frame as frameOf } from '../frame.ts'
import { mechanismOids, type Oid } from '../oids.ts'

/** Token identifiers of context establishment (RFC 4121 §4.1). */
export const tokenIds = { apReq: 0x0100, apRep: 0x0200, error: 0x0300 } as const
/** What a token of context establishment carries. */
export type TokenKind = keyof typeof tokenIds

const big = (id: number) => Uint8Array.of(id >> 8, id)
const identifiers: Readonly<Record<TokenKind, Uint8Array>> = {
  apReq: big(tokenIds.apReq),
  apRep: big(tokenIds.apRep),
  error: big(tokenIds.error),
}
const kinds = new Map<number, TokenKind>(Object.entries(tokenIds).map(([kind, id]) => [id, kind as TokenKind]))

/** Every identifier that peers give krb5. */
const names: readonly Oid[] = [mechanismOids.krb5, mechanismOids.krb5Microsoft, mechanismOids.krb5Draft]

/** The same where IAKERB went before: its tokens go on under its own identifier. */
export const carriedNames: readonly Oid[] = [mechanismOids.iakerb, ...names]

/** Frames a message as a context token: the frame of RFC 2743 §3.1 around token identifier and message (RFC 4121 §4.1). */
export function frame(kind: TokenKind, message: Uint8Array, mechanism: Oid = mechanismOids.krb5): Uint8Array {
  return frameOf(mechanism, identifiers[kind], message)
}

/** How Kerberos messages of context establishment begin when they stand for themselves (RFC 4120 §5.10). */
const messageTags: Readonly<Record<number, TokenKind>> = { 110: 'apReq', 111: 'apRep', 126: 'error' }

/** The message in a token of DCE style, which has no frame (MS-KILE §3.4.5.1); undefined for one that has. */
export function unframed(token: Uint8Array): { readonly kind: TokenKind; readonly message: Uint8Array } | undefined {
  const kind = messageTags[token[0] ?? 0]
  return kind && { kind, message: token }
}

/** Frames a per-message token as RFC 1964 §1.2 does; those of RFC 4121 go without a frame. */
export const frameToken = (innerToken: Uint8Array): Uint8Array => frameOf(mechanismOids.krb5, innerToken)

/** What such a frame holds. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN, or GSS_S_BAD_MECH for another mechanism's. */
export function unframeToken(token: Uint8Array, accepted = names): Uint8Array {
  const { mechanism, innerToken } = wellFormed(() => contentsOf(token))
  if (!accepted.includes(mechanism))
    throw new GssError('GSS_S_BAD_MECH', `the token is not of the krb5 mechanism, but of ${mechanism}`)
  return innerToken
}

/** The message in a framed token. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN, or GSS_S_BAD_MECH for another mechanism's. */
export function unframe(
  token: Uint8Array,
  accepted = names,
): { readonly kind: TokenKind; readonly message: Uint8Array } {
  const innerToken = unframeToken(token, accepted)
  if (innerToken.length < 2) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the token ends before its identifier')
  const id = (innerToken[0]! << 8) | innerToken[1]!
  const kind = kinds.get(id)
  if (!kind)
    throw new GssError(
      'GSS_S_DEFECTIVE_TOKEN',
      `no context token has the identifier ${id.toString(16).padStart(4, '0')}`,
    )
  return { kind, message: innerToken.subarray(2) }
}

function wellFormed<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `the token is not framed as RFC 2743 §3.1 says (${cause.message})`, {
      cause,
    })
  }
}
