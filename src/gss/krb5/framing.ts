import { concat } from '../../bytes/index.ts'
import { GssError } from '../error.ts'
import { mechanismOids, type Oid } from '../oids.ts'

/** Token identifiers of context establishment (RFC 4121 §4.1). */
export const tokenIds = { apReq: 0x0100, apRep: 0x0200, error: 0x0300 } as const
/** What a token of context establishment carries. */
export type TokenKind = keyof typeof tokenIds

/** DER of the identifiers that krb5 goes by, OBJECT IDENTIFIER header included. */
const frames: readonly (readonly [Oid, Uint8Array])[] = [
  [mechanismOids.krb5, Uint8Array.of(6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2)],
  [mechanismOids.krb5Microsoft, Uint8Array.of(6, 9, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2)],
  [mechanismOids.krb5Draft, Uint8Array.of(6, 5, 0x2b, 5, 1, 5, 2)],
]

const APPLICATION_0 = 0x60

/** Frames a message as an initial context token: [APPLICATION 0] { OID, token id, message } (RFC 2743 §3.1, RFC 4121 §4.1). */
export function frame(kind: TokenKind, message: Uint8Array): Uint8Array {
  const oid = frames[0]![1]
  const id = tokenIds[kind]
  const size = oid.length + 2 + message.length
  const length =
    size < 0x80
      ? [size]
      : size < 0x100
        ? [0x81, size]
        : size < 0x10000
          ? [0x82, size >> 8, size]
          : [0x83, size >> 16, size >> 8, size]
  return concat(Uint8Array.of(APPLICATION_0, ...length), oid, Uint8Array.of(id >> 8, id), message)
}

/** The message in a framed token. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN, or GSS_S_BAD_MECH for another mechanism's. */
export function unframe(token: Uint8Array): { readonly kind: TokenKind; readonly message: Uint8Array } {
  const { start, end } = header(token)
  const found = frames.find(([, oid]) => oid.every((octet, i) => token[start + i] === octet))
  if (!found) throw new GssError('GSS_S_BAD_MECH', 'the token is not of the krb5 mechanism')
  const at = start + found[1].length
  if (at + 2 > end) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the token ends before its identifier')
  const id = (token[at]! << 8) | token[at + 1]!
  const kind = (Object.keys(tokenIds) as TokenKind[]).find((name) => tokenIds[name] === id)
  if (!kind)
    throw new GssError(
      'GSS_S_DEFECTIVE_TOKEN',
      `no context token has the identifier ${id.toString(16).padStart(4, '0')}`,
    )
  return { kind, message: token.subarray(at + 2, end) }
}

function header(token: Uint8Array): { readonly start: number; readonly end: number } {
  const first = token[1]
  if (token[0] !== APPLICATION_0 || first === undefined)
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the token does not start as RFC 2743 §3.1 says')
  const count = first < 0x80 ? 0 : first & 0x7f
  let size = first
  if (first >= 0x80) {
    if (count === 0 || count > 4) throw new GssError('GSS_S_DEFECTIVE_TOKEN', "the token's length is not DER")
    size = 0
    for (let i = 0; i < count; i++) size = size * 256 + (token[2 + i] ?? 0)
  }
  const start = 2 + count
  if (start + size !== token.length)
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `the token has ${token.length} octets and says ${start + size}`)
  return { start, end: token.length }
}
