/** A realm, an HTTPS site of its own that demands channel bindings, and a proxy that demands Negotiate. */
import { X509Certificate } from 'node:crypto'
import { createServer as createPlainServer, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type Credentials, tlsServerEndPoint } from '../../src/gss/index.ts'
import { createNegotiateAcceptor, negotiateListener } from '../../src/http/index.ts'
import type { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'
import { certificate, privateKey } from '../support/tls.ts'

/** alice, logged in to a realm of which localhost is part. */
export async function openRealm() {
  const realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
  const kerberos = realm.kerberos()
  const { credentials } = await kerberos.login('alice', { password: 'alice-pw' })
  const service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
  return { kerberos, alice: { mech: kerberos.spnego, credentials }, service, stop: () => realm[Symbol.asyncDispose]() }
}

/** What the acceptor of such a realm needs. */
interface Service {
  readonly kerberos: Kerberos
  readonly service: Credentials
}

/** What a server saw, and where it is. */
export interface Guarded extends AsyncDisposable {
  readonly url: string
  readonly seen: string[]
  readonly refused: string[]
}

const listening = (server: { listen(port: number, host: string, done: () => void): unknown }) =>
  new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))

/** An HTTPS site that lets nobody in whose token is not bound to its certificate. */
export async function openSecureSite(
  { kerberos, service }: Service,
  doors: Record<string, RequestListener> = {},
): Promise<Guarded> {
  const channelBindings = tlsServerEndPoint(new X509Certificate(certificate).raw)
  const acceptor = createNegotiateAcceptor({ mech: kerberos.spnego, credentials: service, channelBindings })
  const seen: string[] = []
  const refused: string[] = []
  const guard = negotiateListener<Parameters<RequestListener>[0], Parameters<RequestListener>[1]>(
    acceptor,
    (request, response, { initiator, context }) => {
      const isBound = context!.actualFlags.has('channelBound')
      response.writeHead(isBound ? 200 : 403).end(isBound ? `hello ${initiator} at ${request.url}` : 'not bound')
    },
    { onFailure: (_, reason) => refused.push(reason) },
  )
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
    seen.push(`${request.method} ${request.url}${request.headers.authorization ? ' +' : ''}`)
    const door = doors[request.url!] ?? guard
    door(request, response)
  })
  await listening(server)
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    ...{ seen, refused },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A proxy that opens tunnels for users of the realm alone (CONNECT, RFC 9110 §9.3.6), and never takes a token twice. */
export async function openProxy({ kerberos, service }: Service, onRequest?: RequestListener): Promise<Guarded> {
  const acceptor = createNegotiateAcceptor({ mech: kerberos.spnego, credentials: service })
  const seen: string[] = []
  const refused: string[] = []
  const sockets = new Set<Socket>()
  const server = createPlainServer(onRequest)
  server.on('connect', async (request, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined)
    const authorization = request.headers['proxy-authorization']
    seen.push(`CONNECT ${request.url}${authorization ? ' +' : ''}`)
    const result = await acceptor.authenticate({ authorization, connection: socket })
    const token = result.headers['www-authenticate'] ?? 'Negotiate'
    if (result.kind === 'failure') refused.push(result.reason)
    if (result.kind !== 'success') {
      socket.end(
        `HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm="x"\r\nProxy-Authenticate: ${token}\r\nContent-Length: 0\r\n\r\n`,
      )
      return
    }
    result.peer[Symbol.dispose]()
    const [host, port] = request.url!.split(':')
    const onward = connect(Number(port), host!, () => {
      socket.write(`HTTP/1.1 200 OK\r\nProxy-Authenticate: ${token}\r\n\r\n`)
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    sockets.add(onward).add(socket)
  })
  await listening(server)
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    ...{ seen, refused },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
