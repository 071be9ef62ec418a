/** The KDC proxy behind node:http or node:https. @module */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_PROXY_REQUEST, type ProxyAnswer, type ProxyRequest } from '../kdc/proxy.ts'

/**
 * A listener for `createServer` of node:https: `createServer({ key, cert }, kdcProxyListener(createKdcProxy(…)))`. Reads
 * no more than a request may have, and answers 500 when the proxy fails, of which `onFailure` learns.
 */
export function kdcProxyListener(
  proxy: (request: ProxyRequest) => Promise<ProxyAnswer>,
  onFailure: (error: unknown) => void = () => undefined,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    try {
      const { status, headers, body } = await proxy({ method: request.method ?? '', body: await bodyOf(request) })
      response.writeHead(status, { ...headers, 'content-length': body.length }).end(body)
      if (!request.complete) request.destroy()
    } catch (error) {
      if (request.destroyed && !request.complete) return
      onFailure(error)
      response.writeHead(500, { 'content-length': 0 }).end()
    }
  }
}

/** The body, or as much of it as shows that it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    parts.push(part as Buffer)
    size += (part as Buffer).length
    if (size > MAX_PROXY_REQUEST) break
  }
  return new Uint8Array(Buffer.concat(parts))
}
