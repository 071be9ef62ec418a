/** Tokens of IAKERB (draft-ietf-kitten-iakerb-03 §3): what a client and a KDC say to each other, carried by a context's acceptor. @module */
import { decode, decodePrefix, encode } from '../../asn1/codec.ts'
import { Asn1Error } from '../../asn1/error.ts'
import { concat, equal, fromUtf8, utf8 } from '../../bytes/index.ts'
import type { Key } from '../../crypto/key.ts'
import { IakerbFinished, IakerbHeader } from '../../krb5/messages/iakerb.ts'
import { keyUsages } from '../../krb5/usages.ts'
import { GssError } from '../error.ts'
import { frame, isFramed, unframe } from '../frame.ts'
import { mechanismOids } from '../oids.ts'

/** Token identifier of IAKERB_PROXY. */
const PROXY_ID = Uint8Array.of(5, 1)
/** Octets of the longest token that is read, and of all that one handshake may carry. */
const MAX_TOKEN = 131_072
const MAX_CONVERSATION = 2 ** 20
/** Characters of the longest realm that is asked. */
const MAX_REALM = 1024

/**
 * How a header writes the realm: `utf8String` as the draft says, as MIT krb5 does since 1.22; `octetString` as MIT did before,
 * which reads nothing else.
 */
export type RealmForm = IakerbHeader['targetRealm']['kind']

/** One message on its way, and what stands in front of it. */
export interface ProxyToken {
  /** Whose KDC is asked, or answers; empty for a client that does not know its realm. */
  readonly realm: string
  readonly form: RealmForm
  /** What an acceptor wants to see again, so that it has to remember nothing. */
  readonly cookie?: Uint8Array | undefined
  readonly message: Uint8Array
}

/** The first token of a context stands in a frame (RFC 2743 §3.1), the others do not. */
export function makeProxyToken({ realm, form, cookie, message }: ProxyToken, first: boolean): Uint8Array {
  const targetRealm = form === 'utf8String' ? { kind: form, value: realm } : { kind: form, value: utf8(realm) }
  const innerToken = concat(PROXY_ID, encode(IakerbHeader, { targetRealm, cookie }), message)
  return first ? frame(mechanismOids.iakerb, innerToken) : innerToken
}

/** Reads such a token; undefined for one of another kind. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN. */
export function readProxyToken(token: Uint8Array): ProxyToken | undefined {
  if (token.length > MAX_TOKEN) throw defective(`it has ${token.length} octets, more than ${MAX_TOKEN}`)
  try {
    const innerToken = inner(token)
    if (!innerToken || !equal(innerToken.subarray(0, PROXY_ID.length), PROXY_ID)) return undefined
    const { value, rest: message } = decodePrefix(IakerbHeader, innerToken.subarray(PROXY_ID.length))
    const { targetRealm, cookie } = value
    const realm = targetRealm.kind === 'utf8String' ? targetRealm.value : fromUtf8(targetRealm.value)
    if (realm.includes('\0') || realm.length > MAX_REALM) throw defective('its realm cannot be one')
    return { realm, form: targetRealm.kind, cookie, message }
  } catch (cause) {
    if (cause instanceof Asn1Error) throw defective(cause.message, { cause })
    if (cause instanceof TypeError) throw defective('its realm is not UTF-8', { cause })
    throw cause
  }
}

function inner(token: Uint8Array): Uint8Array | undefined {
  if (!isFramed(token)) return token
  const { mechanism, innerToken } = unframe(token)
  return mechanism === mechanismOids.iakerb ? innerToken : undefined
}

/** All proxy tokens of a handshake, as both sides saw them: what the initiator proves in the end. */
export class Conversation {
  readonly #tokens: Uint8Array[] = []
  #size = 0

  /** Takes note of a token that came or goes, and gives it back. Throws {@link GssError} when it is too much. */
  add(token: Uint8Array): Uint8Array {
    this.#size += token.length
    if (this.#size > MAX_CONVERSATION) throw defective(`all tokens have more than ${MAX_CONVERSATION} octets`)
    this.#tokens.push(token.slice())
    return token
  }

  /** Whether anything had to be carried at all. */
  get isEmpty(): boolean {
    return this.#tokens.length === 0
  }

  /** The encoded IAKERB-FINISHED by `key`, the authenticator's subkey (§4.1). */
  finished(key: Key): Uint8Array {
    const checksum = key.checksum(keyUsages.iakerbFinished, this.#tokens)
    return encode(IakerbFinished, { gssMic: { cksumtype: key.enctype.checksumId, checksum } })
  }

  /** Throws {@link GssError} GSS_S_BAD_SIG when `finished` does not prove the conversation. */
  verify(finished: Uint8Array | undefined, key: Key): void {
    if (this.isEmpty && !finished) return
    const { cksumtype, checksum } = finished ? proofIn(finished) : {}
    if (cksumtype === key.enctype.checksumId && key.verify(keyUsages.iakerbFinished, this.#tokens, checksum!)) return
    throw new GssError('GSS_S_BAD_SIG', 'what the client and its KDC said to each other was altered on its way', {
      minor: 'KRB_AP_ERR_BAD_INTEGRITY',
    })
  }
}

function proofIn(finished: Uint8Array) {
  try {
    return decode(IakerbFinished, finished).gssMic
  } catch (cause) {
    throw cause instanceof Asn1Error ? defective(cause.message, { cause }) : cause
  }
}

/** A failure that the peer's token is to blame for. */
export function defective(what: string, options?: ErrorOptions): GssError {
  return new GssError('GSS_S_DEFECTIVE_TOKEN', `the IAKERB token is malformed: ${what}`, options)
}
