/** As much of Koa as the tests use: its package has no types of its own. */
declare module 'koa' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

  interface Context {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly state: { readonly negotiate?: unknown }
    readonly secure: boolean
    status: number
    body: unknown
    set(field: string, value: string): void
  }

  export default class Koa {
    proxy: boolean
    use(middleware: (ctx: Context, next: () => Promise<unknown>) => unknown): this
    callback(): RequestListener
  }
}
