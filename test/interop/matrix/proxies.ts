/** KDCs behind an HTTPS proxy ([MS-KKDCP]): python3-kdcproxy in front of somebody else's, ours in front of our own. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createKdcProxy } from 'kerb/kdc'
import { kdcProxyListener, kdcTransport, type Realm } from 'kerb/node'
import { krbConfig } from 'kerb/store'
import { scratch, startKkdcp } from '../../lab/index.ts'
import type { Kdc } from '../../lab/start.ts'
import { certificate, privateKey } from '../../support/tls.ts'

/** Starts python3-kdcproxy in front of `kdc`; gives its URL and the configuration that knows it alone. */
export async function behindTheirProxy(kdc: Kdc) {
  const { url, ca } = await startKkdcp(kdc)
  const { realm } = kdc
  const config = krbConfig({ defaultRealm: realm, realms: { [realm]: { kdc: [url], httpAnchors: [`FILE:${ca}`] } } })
  return { url, config }
}

/** A proxy of ours in front of a realm of ours, until it is disposed of. */
export interface OurProxy extends AsyncDisposable {
  /** The text of the realm's krb5.conf with the proxy as its only KDC. */
  instead(configText: string): string
  /** What was asked of it: method and path. */
  readonly asked: readonly string[]
}

/** Starts it. */
export async function startOurProxy(realm: Realm): Promise<OurProxy> {
  const kdc = kdcTransport({ config: realm.config })
  const asked: string[] = []
  const listener = kdcProxyListener(createKdcProxy(async (message) => (await kdc(message)).message))
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    void listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ca = join(scratch(), 'ca.pem')
  writeFileSync(ca, certificate)
  const url = `https://localhost:${(server.address() as AddressInfo).port}/KdcProxy`
  const kdcLines = `    kdc = ${url}\n    http_anchors = FILE:${ca}\n`
  return {
    asked,
    instead: (configText) => configText.replace(/^ *kdc = .*\n/m, kdcLines),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
