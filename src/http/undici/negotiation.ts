import { GssError } from '../../gss/index.ts'
import { type Authorization, type AuthorizationOptions, authorization } from '../authorization.ts'
import { negotiateChallenge } from '../challenge.ts'
import { NegotiateError } from '../error.ts'
import type { AskingFolders, OpportunisticAuth } from '../opportunity.ts'
import { DRAIN_OCTETS_MAX, nextTurn, type Replay, replayable } from '../request.ts'
import { RequestController } from './controller.ts'
import {
  type DispatchController,
  type DispatchHandler,
  type DispatchOptions,
  type Fields,
  fieldOf,
  type Upgraded,
  withField,
} from './dispatch.ts'

/** The fields of an origin server (RFC 9110 §11.6). */
export const originServer = { refusal: 401, challenge: 'www-authenticate', credentials: 'authorization' } as const

/** The fields of a proxy (RFC 9110 §11.7). */
export const proxyServer = {
  refusal: 407,
  challenge: 'proxy-authenticate',
  credentials: 'proxy-authorization',
} as const

/** What the negotiations of one interceptor have in common. */
export interface NegotiationSettings extends AuthorizationOptions {
  readonly server: typeof originServer | typeof proxyServer
  readonly opportunisticAuth: OpportunisticAuth
  readonly asking: AskingFolders
  readonly replay: Replay
  readonly sanitizeMutualErrorResponse?: boolean | undefined
  readonly onRefused?: ((error: Error, url: URL) => void) | undefined
}

/** One request of undici's, and the requests it takes to get an answer that is more than a challenge. */
export class Negotiation implements DispatchHandler {
  readonly #dispatch: (request: DispatchOptions, handler: DispatchHandler) => boolean
  readonly #request: DispatchOptions
  readonly #handler: DispatchHandler
  readonly #url: URL
  readonly #settings: NegotiationSettings
  readonly #controller = new RequestController((error) => this.#fail(error))
  #body: () => unknown = () => this.#request.body
  #attempt: Authorization | undefined
  /** What becomes of the response that is coming in: `next` once it is over, another request takes its place. */
  #fate: 'show' | 'hide body' | 'next' | 'over' = 'show'
  #drained = 0
  /** Whether the fate is being decided, and what broke the connection meanwhile. */
  #considering = false
  #broken: Error | undefined

  constructor(
    dispatch: (request: DispatchOptions, handler: DispatchHandler) => boolean,
    request: DispatchOptions,
    handler: DispatchHandler,
    url: URL,
    settings: NegotiationSettings,
  ) {
    this.#dispatch = dispatch
    this.#request = request
    this.#handler = handler
    this.#url = url
    this.#settings = settings
  }

  /** Sends the request, with a token if that is opportune. Never rejects: what goes wrong is told to the handler. */
  async start(): Promise<void> {
    const { opportunisticAuth, asking, replay } = this.#settings
    try {
      // Whoever waits for a ticket can be aborted as well.
      this.#handler.onRequestStart?.(this.#controller, undefined)
      const { body } = this.#request
      if (isStreamed(body)) this.#body = await replayable(body as BodyInit, this.#controller.signal, replay)
      if (opportunisticAuth === true || (opportunisticAuth && asking.has(this.#url))) await this.#beginUnasked()
      this.#transmit()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  onRequestStart(controller: DispatchController): void {
    this.#controller.take(controller)
  }

  onResponseStart(controller: DispatchController, status: number, headers: Fields, statusMessage?: string): void {
    this.#fate = 'show'
    this.#drained = 0
    if (status < 200 || !this.#concerns(status, headers)) {
      this.#show(status, headers, statusMessage)
      return
    }
    controller.pause()
    this.#considering = true
    this.#consider(status, headers)
      .then(() => {
        this.#considering = false
        if (this.#fate === 'show') this.#show(status, headers, statusMessage)
        if (this.#fate === 'hide body') this.#show(status, anybodysFields(headers), statusMessage)
        if (this.#broken) this.onResponseError(controller, this.#broken)
        else if (!this.#controller.paused) controller.resume()
      })
      .catch((error: Error) => this.#fail(error)) // the handler's own as well
  }

  onResponseData(controller: DispatchController, chunk: Uint8Array): void {
    this.#drained += chunk.length
    if (this.#fate === 'show') this.#handler.onResponseData?.(this.#controller, chunk)
    if (this.#fate === 'show' || this.#fate === 'over' || this.#drained <= DRAIN_OCTETS_MAX) return
    if (this.#fate === 'hide body') this.onResponseEnd(controller, {})
    controller.abort(new NegotiateError('CONNECTION_LOST', 'nobody reads the whole of a page that is not shown'))
  }

  onResponseEnd(_: DispatchController, trailers: Fields): void {
    if (this.#fate === 'next') this.#sendNext()
    else if (this.#fate !== 'over') {
      this.#handler.onResponseEnd?.(this.#controller, trailers) // what it throws comes back as onResponseError
      this.#finish()
    }
  }

  onResponseError(_: DispatchController, error: Error): void {
    if (this.#controller.aborted) this.#fail(error)
    else if (this.#considering) this.#broken = error
    // The page beside a challenge is of no interest.
    else if (this.#fate === 'next') this.#sendNext()
    else this.#fail(error)
  }

  onRequestUpgrade(_: DispatchController, status: number, headers: Fields, socket: Upgraded): void {
    const ignore = () => {}
    socket.on('error', ignore)
    this.#considerTunnel(status, headers)
      .then((mayPass) => {
        if (mayPass) {
          socket.off('error', ignore)
          this.#upgrade(status, headers, socket)
        } else {
          socket.destroy()
          this.#sendNext()
        }
      })
      .catch((error: Error) => {
        socket.destroy()
        this.#fail(error)
      })
  }

  /** Whether the answer is a challenge, or one to a token. */
  #concerns(status: number, headers: Fields): boolean {
    return this.#attempt !== undefined || this.#isChallenge(status, headers)
  }

  #isChallenge(status: number, headers: Fields): boolean {
    const { refusal, challenge } = this.#settings.server
    return status === refusal && negotiateChallenge(fieldOf(headers, challenge) ?? null) !== undefined
  }

  /** Decides on the fate of an answer to a token, or of a challenge. */
  async #consider(status: number, headers: Fields): Promise<void> {
    const { server, sanitizeMutualErrorResponse = true } = this.#settings
    const field = fieldOf(headers, server.challenge)
    if (!this.#attempt) {
      await this.#begin()
      this.#fate = 'next'
    } else if (status === server.refusal) {
      if (await this.#answered(this.#attempt, field)) this.#fate = 'next'
    } else if ((await this.#attempt.judge(status, field)) === 'status' && sanitizeMutualErrorResponse)
      this.#fate = 'hide body'
  }

  /** Whether a tunnel is open; false when it is to be asked for again, with a token. Throws {@link NegotiateError} PROXY_REFUSED. */
  async #considerTunnel(status: number, headers: Fields): Promise<boolean> {
    const { server } = this.#settings
    if (!this.#concerns(status, headers)) return true
    if (!this.#attempt) {
      await this.#begin()
      return false
    }
    const field = fieldOf(headers, server.challenge)
    if (status !== server.refusal) {
      await this.#attempt.judge(status, field)
      return true
    }
    let cause: unknown
    try {
      // undici gives the connection up, so that no context of several legs comes to an end here.
      await this.#attempt.answer(field)
    } catch (error) {
      cause = error
    }
    throw new NegotiateError(
      'PROXY_REFUSED',
      `the proxy ${this.#url.origin} answered ${status} to a token; its own log says why, if the cause of this error does not`,
      { cause },
    )
  }

  async #answered(attempt: Authorization, field: string | undefined): Promise<boolean> {
    try {
      return (await attempt.answer(field)) !== undefined
    } catch (error) {
      if (!(error instanceof GssError)) throw error
      this.#settings.onRefused?.(error, this.#url)
      return false
    }
  }

  async #begin(): Promise<void> {
    this.#settings.asking.add(this.#url)
    this.#attempt = await authorization(this.#url, { ...this.#settings, signal: this.#controller.signal })
  }

  /** A token that nobody asked for is done without where there is none. */
  async #beginUnasked(): Promise<void> {
    try {
      await this.#begin()
    } catch (error) {
      if (!(error instanceof GssError)) throw error
    }
  }

  /** Sends the next token once the connection is free again. */
  #sendNext(): void {
    nextTurn()
      .then(() => this.#transmit())
      .catch((error: Error) => this.#fail(error))
  }

  #transmit(): void {
    if (this.#fate === 'over') return // aborted meanwhile
    this.#fate = 'show'
    this.#broken = undefined
    const { headers, ...request } = this.#request
    const { credentials } = this.#settings.server
    // A ProxyAgent gives the Host field to requests that have any other, and no connection to those with and without it.
    const sent = this.#attempt ? withField(headers, credentials, this.#attempt.header) : (headers ?? [])
    this.#dispatch({ ...request, headers: sent, body: this.#body() }, this)
  }

  #show(status: number, headers: Fields, statusMessage: string | undefined): void {
    this.#handler.onResponseStart?.(this.#controller, status, headers, statusMessage)
  }

  #upgrade(status: number, headers: Fields, socket: Upgraded): void {
    this.#finish()
    this.#handler.onRequestUpgrade?.(this.#controller, status, headers, socket)
  }

  #finish(): void {
    this.#fate = 'over'
    this.#attempt?.[Symbol.dispose]()
  }

  /** Tells the handler, once. */
  #fail(error: Error): void {
    if (this.#fate === 'over') return
    this.#finish()
    this.#controller.end(error)
    this.#handler.onResponseError?.(this.#controller, error)
  }
}

/** Whether a body is read as it is sent, so that it can be had only once. */
function isStreamed(body: unknown): boolean {
  return typeof body === 'object' && body !== null && (Symbol.asyncIterator in body || 'getReader' in body)
}

/** What an error says that anybody may have written. */
function anybodysFields({ date, server }: Fields): Fields {
  return { ...(date === undefined ? {} : { date }), ...(server === undefined ? {} : { server }) }
}
