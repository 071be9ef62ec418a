/** A client of a KDC proxy ([MS-KKDCP]), whatever carries its HTTP. @module */
import { concat } from '../bytes/index.ts'
import { MAX_REPLY } from './framing.ts'
import { openEnvelope, PROXY_MEDIA_TYPE, sealEnvelope } from './proxy.ts'

/** A message for a proxy. */
export interface FetchExchange {
  readonly url: string
  readonly realm: string
  readonly message: Uint8Array
  readonly signal: AbortSignal
}

/** What a proxy answered, before it is judged. */
export interface ProxyAnswer {
  readonly status: number
  readonly type: string | undefined
  readonly body: Uint8Array
}

/** An answer of a proxy that cannot be taken. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
}

/** Sends a message through a proxy by `send`, a `fetch`; rejects as {@link messageOf} throws, and with what `send` rejects with. */
export async function requestByFetch(
  { url, realm, message, signal }: FetchExchange,
  send: typeof fetch,
): Promise<Uint8Array> {
  const response = await send(url, {
    method: 'POST',
    headers: { 'content-type': PROXY_MEDIA_TYPE },
    body: new Uint8Array(sealEnvelope(message, realm)),
    redirect: 'manual',
    signal,
  })
  const body = response.body ? await gathered(chunksOf(response.body)) : new Uint8Array(0)
  return messageOf({ status: response.status, type: response.headers.get('content-type') ?? undefined, body })
}

/**
 * The KDC's message in an answer. Throws {@link ProxyError} for another status than 200 (a redirection is not followed: it
 * would send a message elsewhere than was configured) and another type, and KrbError for a body that is no envelope.
 */
export function messageOf({ status, type, body }: ProxyAnswer): Uint8Array {
  if (status !== 200) throw new ProxyError(`the proxy answered with status ${status}`)
  if (type !== undefined && !type.toLowerCase().startsWith(PROXY_MEDIA_TYPE))
    throw new ProxyError(`the proxy answered with ${type.slice(0, 60)}, not with ${PROXY_MEDIA_TYPE}`)
  return openEnvelope(body).message
}

/** All of a body. Throws {@link ProxyError} when it is larger than any reply. */
export async function gathered(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of stream) {
    size += part.length
    if (size > MAX_REPLY) throw new ProxyError(`the proxy's answer has more than ${MAX_REPLY} octets`)
    parts.push(part)
  }
  return concat(...parts)
}

/** A stream's chunks; not every browser's streams can be iterated themselves. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
  } finally {
    // what was not read is not wanted, whether or not the peer still sends
    await reader.cancel().catch(() => undefined)
  }
}
