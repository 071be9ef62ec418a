import { utf8 } from '../bytes/index.ts'
import { NegotiateError } from './error.ts'

/** Octets of a streamed body that are kept in memory unless said otherwise, so that the body can be sent again. */
export const REPLAY_OCTETS_MAX = 16_777_216

/** Octets of a refused response that are read so that its connection can be used again; of a longer one, none are. */
export const DRAIN_OCTETS_MAX = 65_536

/** A request as it can be sent any number of times. */
export interface Outgoing {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  /** The body of one more transmission. Throws {@link NegotiateError} BODY_NOT_REPLAYABLE where it cannot be had again. */
  readonly body: () => BodyInit | null
  /** What the caller wants done about redirects. */
  readonly redirect: RequestRedirect
  readonly signal: AbortSignal | undefined
  /** False once a redirect led from https to http: what is asked for in the clear gets no token. */
  readonly mayAuthenticate: boolean
  /** The origin that the caller named, wherever redirects have led since. */
  readonly home: string
  /** Whatever else the caller asked of `fetch`. */
  readonly rest: RequestInit
}

/** What becomes of a streamed body. */
export interface Replay {
  /** Octets of it that are kept in memory. */
  readonly octets: number
  /** Whether a longer one is sent all the same, but only once. */
  readonly orOnce: boolean
}

/**
 * What the arguments of `fetch` ask for. Text, octets, blobs and forms are sent again as they are; a stream is read
 * into memory first. Throws {@link NegotiateError} BODY_NOT_REPLAYABLE for one that is too long for that.
 */
export async function outgoing(input: RequestInfo | URL, init: RequestInit, replay: Replay): Promise<Outgoing> {
  const request = typeof input === 'object' && 'headers' in input ? input : undefined
  const signal = init.signal ?? request?.signal
  const url = new URL(request ? request.url : String(input))
  return {
    url,
    home: url.origin,
    method: init.method ?? request?.method ?? 'GET',
    headers: new Headers(init.headers ?? request?.headers),
    body: await replayable(init.body === undefined ? request?.body : init.body, signal, replay),
    redirect: init.redirect ?? request?.redirect ?? 'follow',
    signal,
    mayAuthenticate: true,
    rest: request ? { ...asInit(request), ...init } : init,
  }
}

/** The arguments that send `request` once, without following redirects, and with these credentials if any. */
export function argumentsOf(request: Outgoing, authorization: string | undefined): [string, RequestInit] {
  const { url, rest, method, signal, redirect } = request
  const body = request.body()
  const headers = new Headers(request.headers)
  if (authorization !== undefined) headers.set('authorization', authorization)
  const init: RequestInit = { ...rest, method, headers, body, redirect: redirect === 'error' ? 'error' : 'manual' }
  if (signal) init.signal = signal
  // The standard wants this said of every stream; its type does not know it.
  if (body instanceof ReadableStream) Object.assign(init, { duplex: 'half' })
  return [url.href, init]
}

/**
 * Reads a response that is not wanted, so that its connection can be used again; gives up on a long one. Contexts of
 * several legs depend on it, though `fetch` promises no connection to anybody.
 */
export async function drain({ body }: Response): Promise<void> {
  try {
    await discard(body)
  } catch {
    // A connection that breaks here is one less to use again; the next request opens its own.
  }
  await nextTurn()
}

async function discard(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (!body) return
  const reader = body.getReader()
  for (let size = 0; size <= DRAIN_OCTETS_MAX; ) {
    const { done, value } = await reader.read()
    if (done) return
    size += value.length
  }
  await reader.cancel()
}

/** Node's fetch, and undici, give a connection back one turn of the event loop after its response has ended. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    // workerd may have none, and has no such connections either
    if (typeof MessageChannel === 'undefined') return resolve()
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}

/** `body` for any number of transmissions; a stream is read first. */
export async function replayable(
  body: BodyInit | null | undefined,
  signal: AbortSignal | null | undefined,
  replay: Replay,
): Promise<() => BodyInit | null> {
  if (!body || typeof body === 'string') return () => body ?? null
  if ('getReader' in body) return collect(chunksOf(body), signal, replay)
  // Node's fetch takes any source of octets, which the standard's type does not say.
  if (Symbol.asyncIterator in body) return collect(body as unknown as AsyncIterable<Uint8Array>, signal, replay)
  return () => body
}

async function collect(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | null | undefined,
  { octets, orOnce }: Replay,
): Promise<() => BodyInit | null> {
  const chunks = source[Symbol.asyncIterator]()
  const kept: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      signal?.throwIfAborted()
      const chunk = octetsOf(next.value)
      size += chunk.length
      kept.push(chunk)
      if (size > octets && orOnce) return once(kept, chunks)
      if (size > octets) throw notReplayable(`a stream of more than ${octets} octets`)
    }
  } catch (error) {
    await chunks.return?.()
    throw error
  }
  const blob = new Blob(kept)
  return () => blob
}

/** What was read of a stream and what is left of it, for one transmission. */
function once(kept: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): () => BodyInit {
  const head = kept[Symbol.iterator]()
  let body: BodyInit | undefined = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = head.next()
      const { done, value } = next.done ? await rest.next() : next
      if (done) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await rest.return?.()
    },
  })
  return () => {
    if (!body) throw notReplayable('a stream that was sent already')
    const only = body
    body = undefined
    return only
  }
}

/** A chunk of its own. Throws TypeError for what is no octets (node:stream has texts as well). */
function octetsOf(chunk: unknown): Uint8Array<ArrayBuffer> {
  if (typeof chunk === 'string') return new Uint8Array(utf8(chunk))
  if (chunk instanceof Uint8Array) return new Uint8Array(chunk)
  throw new TypeError('a streamed body has to consist of Uint8Array')
}

const notReplayable = (what: string) =>
  new NegotiateError(
    'BODY_NOT_REPLAYABLE',
    `${what} cannot be sent again once the server asks who is there; ` +
      'pass a Blob (of a file: fs.openAsBlob), a string or a Uint8Array, or raise maxReplayBytes',
  )

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel()
  }
}

function asInit({ cache, credentials, integrity, keepalive, mode, referrer, referrerPolicy }: Request): RequestInit {
  return { cache, credentials, integrity, keepalive, mode, referrer, referrerPolicy }
}
