import { type Agent, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'

/** What a {@link nodeFetch} is made of. */
export interface NodeFetchOptions {
  /** CAs in PEM. */
  readonly ca?: string | Buffer
  /** Whose connections are used. */
  readonly agent?: Agent
  /** Told of the fields of every request. */
  readonly onRequest?: (headers: Headers) => void
}

/** As much of `fetch` as our client asks of one, over node:http and node:https: with certificates and connections of one's own. */
export function nodeFetch({ ca, agent, onRequest }: NodeFetchOptions = {}): typeof fetch {
  return (input, init) =>
    new Promise((resolve, reject) => {
      const url = new URL(input instanceof Request ? input.url : input)
      const headers = new Headers(init?.headers)
      onRequest?.(headers)
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest
      const options = { method: init?.method ?? 'GET', headers: Object.fromEntries(headers), agent, ca }
      const asked = send(url, options, (response) => {
        const { statusCode: status = 0, rawHeaders } = response
        const fields = rawHeaders.flatMap((name, i) =>
          i % 2 === 0 ? [[name, rawHeaders[i + 1]!] as [string, string]] : [],
        )
        resolve(new Response(Readable.toWeb(response) as ReadableStream, { status, headers: fields }))
      })
      asked.on('error', reject)
      asked.end()
    })
}
