/** A web server of ours that says who is there, and remembers what it was sent. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { InitiatorAttributes } from 'kerb/gss'
import { createNegotiateAcceptor, type FailureReason, negotiateListener } from 'kerb/http'
import { certificate, privateKey } from './tls.ts'

/** A request that came: the scheme of its Authorization, whether it had a cookie, and who it was from, by what. */
export interface Visit {
  readonly scheme: string | undefined
  readonly cookie: boolean
  by?: string
}

/** How it is opened: as an acceptor, over TLS or not. */
export type WebsiteOptions = NonNullable<Parameters<typeof createNegotiateAcceptor>[0]> & {
  readonly tls?: boolean
  /** The HTML of a page; a line of text unless said. */
  readonly page?: (who: string) => string
  /** Octets that a request's header may have. */
  readonly maxHeaderSize?: number
}

/** Opens one on a free port of localhost, where `/` answers `Hello, NAME`, and `/out` ends the session. */
export async function openWebsite({ tls = true, page, maxHeaderSize = 65_536, ...options }: WebsiteOptions) {
  const visits: Visit[] = []
  /** The visits of each connection. */
  const connections = new Map<object, Visit[]>()
  const reasons: FailureReason[] = []
  const errors: unknown[] = []
  const attributes: (InitiatorAttributes | undefined)[] = []
  const delegated: (string | undefined)[] = []
  const acceptor = createNegotiateAcceptor(options)
  const listener = negotiateListener<IncomingMessage, ServerResponse>(
    acceptor,
    async (request, response, peer) => {
      const fields = request.url === '/out' ? await acceptor.signOut(peer) : {}
      if (fields['set-cookie']) response.setHeader('set-cookie', fields['set-cookie'])
      visits.at(-1)!.by = peer.by
      attributes.push(peer.attributes)
      delegated.push(peer.credentials?.name?.text)
      response.setHeader('content-type', `text/${page ? 'html' : 'plain'}; charset=utf-8`)
      response.end(page ? page(`${peer.initiator}`) : `Hello, ${peer.initiator}`)
    },
    {
      onFailure(error, reason) {
        errors.push(error)
        reasons.push(reason)
      },
    },
  )
  const settings = { maxHeaderSize, key: privateKey, cert: certificate }
  const server = tls ? createTlsServer(settings) : createServer(settings)
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { authorization, cookie } = request.headers
    if (request.url === '/favicon.ico') return void response.writeHead(404).end()
    const visit: Visit = { scheme: authorization?.split(' ')[0], cookie: cookie !== undefined }
    visits.push(visit)
    connections.set(request.socket, [...(connections.get(request.socket) ?? []), visit])
    return void listener(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ...{ url: `${tls ? 'https' : 'http'}://localhost:${port}/`, visits, connections },
    ...{ reasons, errors, attributes, delegated },
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
