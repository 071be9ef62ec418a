/** A realm in memory, reached as workers and browsers reach one: all of it runs wherever the library does. */

import { EdgeKerberos, type EdgeOptions, type EdgeSocket, edgeEnv } from '../../src/edge/index.ts'
import { webNegotiate } from '../../src/http/adapters.ts'
import { createNegotiateAcceptor } from '../../src/http/server.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc } from '../../src/kdc/kdc.ts'
import { createKdcProxy, type ProxyRequest } from '../../src/kdc/proxy.ts'
import { framed, MAX_REPLY, Unframer } from '../../src/krb5/framing.ts'
import { krbConfig } from '../../src/store/config.ts'
import { defaultConfig } from '../../src/store/options.ts'

const REALM = 'LAB.TEST'

/** Alice and a web server, their KDC, and a proxy before it. */
export function memoryRealm() {
  const env = edgeEnv(defaultConfig)
  const database = new MemoryDatabase(REALM, env.random)
  database.add('alice', { password: 'secret' })
  database.add('HTTP/www.lab.test')
  const { respond } = createKdc({ realm: REALM, database, env })
  const proxy = createKdcProxy(({ message }) => respond(message))
  return {
    database,
    respond,
    proxy,
    keytab: database.keytab('HTTP/www.lab.test'),
    /** Kerberos by the servers of `kdc`, with what reaches them. */
    kerberos: (kdc: string, options: Omit<EdgeOptions, 'config'> = {}) =>
      new EdgeKerberos({ ...options, config: krbConfig({ defaultRealm: REALM, realms: { [REALM]: { kdc: [kdc] } } }) }),
  }
}

/** A `fetch` that reaches a proxy without a network. */
export function proxyFetch(proxy: ReturnType<typeof memoryRealm>['proxy']): typeof fetch {
  return async (input, init) => {
    const sent = new Request(input, init)
    const asked: ProxyRequest = { method: sent.method, body: new Uint8Array(await sent.arrayBuffer()) }
    const { status, headers, body } = await proxy(asked)
    return new Response(new Uint8Array(body), { status, headers })
  }
}

/** A `connect` as that of `cloudflare:sockets`, to `respond`. */
export function streamTo(respond: (message: Uint8Array) => Promise<Uint8Array | undefined>): () => EdgeSocket {
  return () => {
    const incoming = new Unframer(MAX_REPLY)
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
      async transform(octets, controller) {
        for (const message of incoming.push(octets)) {
          const answer = await respond(message)
          // in pieces, as streams come
          if (answer) for (const octet of framed(answer)) controller.enqueue(Uint8Array.of(octet))
          controller.terminate()
        }
      },
    })
    return { readable, writable, close: async () => undefined }
  }
}

/** A web server that takes Negotiate and greets, as a `fetch`. */
export function greeter(kerberos: EdgeKerberos, keytab: Uint8Array): typeof fetch {
  const acceptor = createNegotiateAcceptor({ mech: kerberos.spnego, credentials: kerberos.acceptor(keytab) })
  return (input, init) =>
    webNegotiate(acceptor, (_, { initiator }) => new Response(`Hello, ${initiator}!`))(new Request(input, init), {})
}
