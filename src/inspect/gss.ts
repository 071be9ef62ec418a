/** What GSS-API mechanisms send: frames, the tokens of krb5 in them, and the checksum that asks for a context. @module */
import { type Codec, decode, decodePrefix } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { OctetReader } from '../bytes/cursor.ts'
import { toHex } from '../bytes/index.ts'
import { GssError } from '../gss/error.ts'
import { flagsOf } from '../gss/flags.ts'
import { isFramed, unframe } from '../gss/frame.ts'
import { type ContextRequest, readContextChecksum } from '../gss/krb5/checksum.ts'
import { familyOf } from '../gss/krb5/family.ts'
import { tokenIds } from '../gss/krb5/framing.ts'
import { type Direction, HEADER_SIZE } from '../gss/krb5/tokens.ts'
import { mechanismOids } from '../gss/oids.ts'
import type { Checksum } from '../krb5/messages/basics.ts'
import { IakerbHeader } from '../krb5/messages/iakerb.ts'
import { AcceptorNegotiationToken, NegotiationToken } from '../spnego/messages.ts'
import { formatOctets, nameOid } from './names.ts'
import type { Outline } from './outline.ts'
import type { Scope } from './scope.ts'

const PROXY_ID = 0x0501
/** Identifiers of all tokens of krb5 (RFC 4121 §4.1, §4.2.6, RFC 1964 §1.2, draft-ietf-kitten-iakerb §3). */
const tokenNames: ReadonlyMap<number, string> = new Map([
  [tokenIds.apReq, 'AP-REQ'],
  [tokenIds.apRep, 'AP-REP'],
  [tokenIds.error, 'KRB-ERROR'],
  [0x0101, 'MIC (RFC 1964)'],
  [0x0201, 'wrap (RFC 1964)'],
  [0x0102, 'delete context (RFC 1964)'],
  [0x0400, 'user-to-user: TGT-REQ'],
  [0x0401, 'user-to-user: TGT-REP'],
  [PROXY_ID, 'IAKERB proxy'],
])
const MIC_ID = 0x0404
const WRAP_ID = 0x0504
const FILLER = 0xff
/** Context establishment tokens that begin with their identifier, a message behind it. */
const FIRST_APPLICATION = 0x60

/** Explains a token if it is one; false for anything else. */
export function explainToken(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  return (
    explainFramed(octets, outline, scope) ||
    explainNegotiation(octets, outline, scope) ||
    explainMessageToken(octets, outline, scope) ||
    explainUnframed(octets, outline, scope)
  )
}

/** RFC 2743 §3.1 */
function explainFramed(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  if (!isFramed(octets)) return false
  const framed = attempt(() => unframe(octets))
  if (!framed) return false
  const { mechanism, innerToken } = framed
  const line = outline.add('GSS-API token', `${octets.length} octets, mechanism ${nameOid(mechanism)}`)
  if (mechanism === mechanismOids.spnego || !explainUnframed(innerToken, line, scope)) scope.explain(innerToken, line)
  else if (innerToken[0] === 2 && innerToken[1] === 1)
    // Who sent such a token is told by its encrypted part alone (RFC 1964 §1.2.1.2).
    openMessage(
      octets,
      true,
      [false, true].map((fromAcceptor) => ({ fromAcceptor, acceptorSubkey: false })),
      line,
      scope,
    )
  return true
}

/** RFC 4178 §4.2; of the two kinds of NegTokenInit the one that fits. */
function explainNegotiation(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  if (!NegotiationToken.starts(octets[0] ?? 0)) return false
  const kinds: readonly Codec<unknown>[] = [NegotiationToken, AcceptorNegotiationToken]
  const codec = kinds.find((kind) => attempt(() => decode(kind, octets)))
  if (!codec) return false
  scope.walk(codec, octets, outline, 'SPNEGO')
  return true
}

/** A token identifier and what follows it, as it is inside the frame, or without one in DCE style. */
function explainUnframed(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  if (octets.length < 3) return false
  const id = (octets[0]! << 8) | octets[1]!
  const name = tokenNames.get(id)
  if (!name) return false
  const isMessage = octets[2]! >= FIRST_APPLICATION && octets[2]! < 0x80
  const isLegacy = name.includes('RFC 1964')
  if (!isMessage && !(isLegacy && octets[6] === FILLER && octets[7] === FILLER) && octets[2] !== 0x30) return false
  const line = outline.add('krb5 token', `${toHex(octets.subarray(0, 2))} (${name})`)
  if (isLegacy) explainLegacyToken(octets, line)
  else if (id !== PROXY_ID || !explainProxied(octets.subarray(2), line, scope)) scope.explain(octets.subarray(2), line)
  return true
}

/** draft-ietf-kitten-iakerb-03 §3: a header, and behind it the message that is carried, of which there may be none. */
function explainProxied(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  const proxied = attempt(() => decodePrefix(IakerbHeader, octets))
  if (!proxied) return false
  const { rest } = proxied
  scope.walk(IakerbHeader, octets.subarray(0, octets.length - rest.length), outline)
  if (rest.length > 0) scope.explain(rest, outline.add('message', `${rest.length} octets`))
  return true
}

/** RFC 1964 §1.2: the sequence number is encrypted. */
function explainLegacyToken(octets: Uint8Array, outline: Outline): void {
  const reader = new OctetReader(octets, { littleEndian: true })
  reader.uint16()
  outline.add('SGN_ALG', `${reader.uint16()}`)
  const seal = reader.uint16()
  outline.add('SEAL_ALG', seal === 0xffff ? 'none' : `${seal}`)
  outline.add('rest', formatOctets(octets.subarray(8)))
}

/** RFC 4121 §4.2.6 */
function explainMessageToken(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  if (octets.length < HEADER_SIZE || octets[3] !== FILLER || octets[2]! > 7) return false
  const reader = new OctetReader(octets)
  const id = reader.uint16()
  if (id !== MIC_ID && id !== WRAP_ID) return false
  const flags = reader.uint8()
  const [fromAcceptor, encrypted, acceptorSubkey] = [1, 2, 4].map((bit) => (flags & bit) !== 0) as [
    boolean,
    boolean,
    boolean,
  ]
  const line = outline.add(id === MIC_ID ? 'MIC token' : 'wrap token', `${octets.length} octets (RFC 4121)`)
  line.add('sent by', fromAcceptor ? 'the acceptor' : 'the initiator')
  line.add('key', acceptorSubkey ? "the acceptor's subkey" : "the initiator's subkey, or the session key")
  reader.uint8()
  const [extraCount, rotation] = [reader.uint16(), reader.uint16()]
  if (id === WRAP_ID) {
    line.add('sealed', encrypted ? 'yes' : 'no: signed alone')
    line.add('extra count', String(extraCount))
    line.add('right rotation', String(rotation))
  }
  line.add('sequence number', String(reader.uint64()))
  if (id === MIC_ID) line.add('checksum', formatOctets(reader.rest()))
  else openMessage(octets, false, [{ fromAcceptor, acceptorSubkey }], line, scope)
  return true
}

function openMessage(
  token: Uint8Array,
  isOlder: boolean,
  senders: readonly Pick<Direction, 'fromAcceptor' | 'acceptorSubkey'>[],
  outline: Outline,
  { ring }: Scope,
): void {
  // Whether a context is for RPC, its tokens do not tell.
  const directions = [false, true].flatMap((dceStyle) => senders.map((sender) => ({ ...sender, dceStyle })))
  for (const { key, origin } of ring.all)
    for (const direction of (familyOf(key).name === 'rfc1964') === isOlder ? directions : []) {
      if (!ring.affords(token.length)) break
      const opened = attempt(() => familyOf(key).openWrap(token, { key, ...direction }))
      if (!opened) continue
      outline.add('opened', `with ${origin}`).add('message', formatOctets(opened.message))
      return
    }
  outline.add('message', 'no key at hand opens it')
}

/** The checksum of type 0x8003 (RFC 4121 §4.1.1), and the ticket that was delegated in it. */
export function explainContextChecksum(checksum: Checksum, outline: Outline, scope: Scope): void {
  const request = attempt(() => readContextChecksum(checksum))
  if (request) explainRequest(request, outline, scope)
  else outline.fail('the GSS-API checksum cannot be read')
}

function explainRequest({ flags, bindings, delegation }: ContextRequest, outline: Outline, scope: Scope): void {
  outline.add('flags', [...flagsOf(flags)].join(', ') || 'none')
  outline.add('channel bindings', bindings.every((octet) => octet === 0) ? 'none' : formatOctets(bindings))
  if (delegation) scope.explain(delegation, outline.add('delegation'))
}

/** Undefined where a token is not what it was taken for. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Asn1Error || error instanceof GssError) return undefined
    throw error
  }
}
