/** Messages to KDCs through an HTTPS proxy ([MS-KKDCP]). @module */
import { request } from 'node:https'
import { openEnvelope, PROXY_MEDIA_TYPE, sealEnvelope } from '../krb5/proxy.ts'
import { MAX_REPLY } from './tcp.ts'

/** One exchange with a proxy. */
export interface ProxyExchange {
  readonly url: string
  readonly realm: string
  readonly message: Uint8Array
  readonly signal: AbortSignal
  /** CAs that the proxy's certificate must come from, in PEM; the system's when undefined. */
  readonly ca: string | undefined
  /** Asks in place of node:https; `ca` is its own matter then. */
  readonly fetch: typeof fetch | undefined
}

/** What came of an exchange, before it is judged. */
interface HttpAnswer {
  readonly status: number
  readonly type: string | undefined
  readonly body: Uint8Array
}

/** An answer of a proxy that cannot be taken. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
}

/**
 * Sends a message through a proxy and gives the KDC's answer; rejects with {@link ProxyError} for another status than 200
 * (a redirection is not followed: it would send a message elsewhere than was configured), with KrbError for an answer
 * that is none, and with the reason of `signal` when that aborts.
 */
export async function requestByProxy(exchange: ProxyExchange): Promise<Uint8Array> {
  const { status, type, body } = await (exchange.fetch ? byFetch(exchange, exchange.fetch) : byHttps(exchange))
  if (status !== 200) throw new ProxyError(`the proxy answered with status ${status}`)
  if (type !== undefined && !type.toLowerCase().startsWith(PROXY_MEDIA_TYPE))
    throw new ProxyError(`the proxy answered with ${type.slice(0, 60)}, not with ${PROXY_MEDIA_TYPE}`)
  return openEnvelope(body).message
}

function byHttps({ url, realm, message, signal, ca }: ProxyExchange): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const body = sealEnvelope(message, realm)
    const headers = { 'content-type': PROXY_MEDIA_TYPE, 'content-length': body.length }
    const asked = request(url, { method: 'POST', headers, ca, agent: false })
    const abort = () => asked.destroy(signal.reason)
    signal.addEventListener('abort', abort)
    asked.on('close', () => signal.removeEventListener('abort', abort))
    asked.on('error', reject)
    asked.on('response', (response) => {
      response.on('error', reject)
      const { statusCode: status = 0, headers } = response
      gathered(response).then((body) => {
        asked.destroy()
        resolve({ status, type: headers['content-type'], body })
      }, reject)
    })
    asked.end(body)
  })
}

async function byFetch({ url, realm, message, signal }: ProxyExchange, send: typeof fetch): Promise<HttpAnswer> {
  const response = await send(url, {
    method: 'POST',
    headers: { 'content-type': PROXY_MEDIA_TYPE },
    body: new Uint8Array(sealEnvelope(message, realm)),
    redirect: 'manual',
    signal,
  })
  const body = response.body ? await gathered(response.body as AsyncIterable<Uint8Array>) : new Uint8Array(0)
  return { status: response.status, type: response.headers.get('content-type') ?? undefined, body }
}

async function gathered(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of stream) {
    size += part.length
    if (size > MAX_REPLY) throw new ProxyError(`the proxy's answer has more than ${MAX_REPLY} octets`)
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}
