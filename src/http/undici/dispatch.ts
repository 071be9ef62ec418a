/** As much of undici 7's and 8's dispatching as is needed; nothing of undici is imported. @module */

/** What a dispatcher is asked to send. */
export interface DispatchOptions {
  readonly origin?: string | URL | undefined
  readonly path: string
  readonly method: string
  readonly headers?: unknown
  readonly body?: unknown
}

/** What stops and pauses one request. */
export interface DispatchController {
  readonly aborted: boolean
  readonly paused: boolean
  readonly reason: Error | null
  rawHeaders?: unknown
  rawTrailers?: unknown
  abort(reason: Error): void
  pause(): void
  resume(): void
}

/** Fields of a response, by name in lower case. */
export type Fields = Readonly<Record<string, string | string[] | undefined>>

/** A socket that a CONNECT or an upgrade leaves to the caller. */
export interface Upgraded {
  on(event: 'error', listener: () => void): unknown
  off(event: 'error', listener: () => void): unknown
  destroy(): unknown
}

/** Who gets the response. */
export interface DispatchHandler {
  onRequestStart?(controller: DispatchController, context: unknown): void
  onRequestUpgrade?(controller: DispatchController, status: number, headers: Fields, socket: Upgraded): void
  onResponseStart?(controller: DispatchController, status: number, headers: Fields, statusMessage?: string): void
  onResponseData?(controller: DispatchController, chunk: Uint8Array): void
  onResponseEnd?(controller: DispatchController, trailers: Fields): void
  onResponseError?(controller: DispatchController, error: Error): void
}

/** For `dispatcher.compose(…)`. */
export type Interceptor = <Options extends DispatchOptions, Handler>(
  dispatch: (options: Options, handler: Handler) => boolean,
) => (options: Options, handler: Handler) => boolean

/** Names and values in turn, as undici takes them, without `name`, which is then put last with `value`. */
export function withField(headers: unknown, name: string, value: string): string[] {
  const kept = pairsOf(headers).flatMap(([key, values]) =>
    key.toLowerCase() === name ? [] : values.flatMap((v) => [key, v]),
  )
  return [...kept, name, value]
}

/** The first field of this name; several are joined as in a list. */
export function fieldOf(headers: Fields, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The forms that undici takes: names and values in turn, pairs of them, and records. */
function pairsOf(headers: unknown): [string, string[]][] {
  if (!headers) return []
  if (Array.isArray(headers) && typeof headers[0] === 'string')
    return (headers as string[]).flatMap((name, i) => (i % 2 ? [] : [[name, valuesOf(headers[i + 1])]]))
  const pairs = Symbol.iterator in Object(headers) ? (headers as Iterable<[string, unknown]>) : Object.entries(headers)
  return [...pairs].map(([name, value]) => [name, valuesOf(value)])
}

const valuesOf = (value: unknown): string[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value.map(String) : [String(value)]
