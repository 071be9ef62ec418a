/** The process in which our node:http server is put under load: its parent counts what it costs. @module */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { negotiateListener } from '../src/http/node.ts'
import { createNegotiateAcceptor } from '../src/http/server.ts'
import { loadConfig } from '../src/node/environment.ts'
import { Kerberos } from '../src/node/kerberos.ts'
import { octetsInUse } from './served.ts'

/** What the parent has to say first. */
export interface Serving {
  readonly config: string
  readonly keytab: string
}

async function serve({ config, keytab }: Serving): Promise<void> {
  const kerberos = new Kerberos({ config: loadConfig([config]), environment: { configPaths: [config] } })
  const credentials = await kerberos.acquire({ usage: 'accept', store: { keytab } })
  const listener = negotiateListener<IncomingMessage, ServerResponse>(
    createNegotiateAcceptor({ mech: kerberos.spnego, credentials }),
    (_request, response, { initiator }) => response.end(`Hello, ${initiator}\n`),
  )
  const server = createServer({ maxHeaderSize: 65_536, keepAliveTimeout: 60_000 }, listener)
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
  process.on('message', () => process.send!(octetsInUse()))
}

process.once('message', (serving: Serving) => void serve(serving))
process.on('disconnect', () => process.exit())
