/** A site on loopback: a real node:http server whose doors are listed by path. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { bind } from '../../src/gss/index.ts'
import { createNegotiateAcceptor, type NegotiatePeer, negotiateListener } from '../../src/http/index.ts'
import { spnego } from '../../src/spnego/index.ts'
import { type FakeOptions, fakeCredentials, fakeMechanism } from '../spnego/fake.ts'

/** What the site saw of a request. */
export interface Visit {
  readonly line: string
  readonly authorization: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly socket: object
}

export interface Site extends AsyncDisposable {
  readonly url: string
  readonly visits: Visit[]
}

/** Starts a site on `host`. */
export async function openSite(
  doors: Readonly<Record<string, RequestListener>>,
  host = '127.0.0.1',
  options: ServerOptions = {},
): Promise<Site> {
  const visits: Visit[] = []
  const server = createServer(options, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method, url = '', headers, socket } = request
    const body = Buffer.concat(chunks).toString()
    visits.push({ line: `${method} ${url}`, authorization: headers.authorization, headers, body, socket })
    const door = doors[url.split('?')[0]!]
    if (door) door(request, response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    visits,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** SPNEGO over a mechanism without keys, with the credentials for it. */
export function fakeNegotiation(options: FakeOptions = {}) {
  const mechanism = fakeMechanism(options)
  return { mech: bind(spnego([mechanism]), {}), credentials: fakeCredentials([mechanism]) }
}

type Handler = (request: IncomingMessage, response: ServerResponse, peer: NegotiatePeer) => unknown

/** A door that opens to whoever authenticates. */
export const guarded = (
  handler: Handler = (_, response, { initiator }) => response.end(`hello ${initiator}`),
  options: FakeOptions = {},
): RequestListener => negotiateListener(createNegotiateAcceptor(fakeNegotiation(options)), handler)
