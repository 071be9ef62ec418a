/** The server of [MS-KKDCP]: HTTP requests in, HTTP answers out, as values; who listens is somebody else's matter. @module */
import { KrbError } from '../krb5/errors.ts'
import { messageTypes } from '../krb5/messages/codes.ts'
import { openEnvelope, PROXY_MEDIA_TYPE, sealEnvelope } from '../krb5/proxy.ts'
import type { RealmService } from '../krb5/questions.ts'

/** As much of an HTTP request as counts. */
export interface ProxyRequest {
  readonly method: string
  readonly body: Uint8Array
}

/** An HTTP answer. */
export interface ProxyAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** A message that came in an envelope, and where it is to go. */
export interface ProxiedMessage {
  readonly realm: string
  readonly service: RealmService
  readonly message: Uint8Array
}

/** Answers a message; undefined when nobody does. */
export type ProxyTarget = (message: ProxiedMessage) => Uint8Array | undefined | Promise<Uint8Array | undefined>

/** The largest request that is taken, as python3-kdcproxy has it. */
export const MAX_PROXY_REQUEST = 128 * 1024

/**
 * A KDC proxy in front of `target`: the embedded KDC's `handle`, or whatever reaches KDCs elsewhere. Answers 405, 413 and
 * 400 to what is no request of the protocol, 503 when `target` has no answer; throws what `target` throws.
 */
export function createKdcProxy(target: ProxyTarget): (request: ProxyRequest) => Promise<ProxyAnswer> {
  return async ({ method, body }) => {
    if (method !== 'POST') return plain(405, { allow: 'POST' })
    if (body.length > MAX_PROXY_REQUEST) return plain(413)
    const message = messageIn(body)
    if (!message) return plain(400)
    const answer = await target(message)
    if (!answer) return plain(503)
    return { status: 200, headers: { 'content-type': PROXY_MEDIA_TYPE }, body: sealEnvelope(answer) }
  }
}

const plain = (status: number, headers: Readonly<Record<string, string>> = {}): ProxyAnswer => ({
  status,
  headers,
  body: new Uint8Array(0),
})

/** Identifier octets of what KDCs are asked: AS-REQ, TGS-REQ. All else is for who changes passwords (RFC 3244). */
const kdcRequests: readonly number[] = [messageTypes.asReq, messageTypes.tgsReq].map((type) => 0x60 | type)

function messageIn(body: Uint8Array): ProxiedMessage | undefined {
  try {
    const { message, realm } = openEnvelope(body)
    if (!realm || message.length === 0) return undefined
    return { realm, message, service: kdcRequests.includes(message[0]!) ? 'kdc' : 'kpasswd' }
  } catch (error) {
    if (error instanceof KrbError) return undefined
    throw error
  }
}
