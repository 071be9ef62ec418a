import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where a server can be reached on loopback, as `localhost` unless said; it is closed when that is disposed of. */
export async function listening(
  server: Server,
  host = 'localhost',
): Promise<{ readonly url: string } & AsyncDisposable> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}
