/** Messages to KDCs through an HTTPS proxy ([MS-KKDCP]). @module */
import { request } from 'node:https'
import { PROXY_MEDIA_TYPE, sealEnvelope } from '../krb5/proxy.ts'
import { gathered, messageOf, type ProxyAnswer, requestByFetch } from '../krb5/proxyclient.ts'

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

/**
 * Sends a message through a proxy and gives the KDC's answer; rejects with {@link ProxyError} for another status than 200
 * (a redirection is not followed: it would send a message elsewhere than was configured), with KrbError for an answer
 * that is none, and with the reason of `signal` when that aborts.
 */
export async function requestByProxy(exchange: ProxyExchange): Promise<Uint8Array> {
  return exchange.fetch ? requestByFetch(exchange, exchange.fetch) : messageOf(await byHttps(exchange))
}

function byHttps({ url, realm, message, signal, ca }: ProxyExchange): Promise<ProxyAnswer> {
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
