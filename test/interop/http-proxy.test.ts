/** Our client through Squid with negotiate_kerberos_auth, which lets nobody through whom MIT's KDC does not know. */
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { createNegotiateFetch, createProxyAuth } from 'kerb/http'
import { type InterceptorOptions, negotiate, negotiateProxy, tlsChannels } from 'kerb/undici'
import { type buildConnector, type Dispatcher, fetch, Pool, ProxyAgent, request } from 'undici'
import { beforeAll, describe, expect, test } from 'vitest'
import { keytab, lab, peer, run, startSquid } from '../lab/index.ts'
import type { Squid } from '../lab/start.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { certificate } from '../support/tls.ts'
import { openWebsite, type WebsiteOptions } from '../support/website.ts'

peer(['mit', 'squid'], 'through Squid', () => {
  let squid: Squid
  let alice: Pick<InterceptorOptions, 'mech' | 'credentials'>
  beforeAll(async () => {
    squid = await startSquid()
    const env = freshEnv()
    expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    const kerberos = kerberosOf(env)
    alice = { mech: kerberos.spnego, credentials: await kerberos.acquire({ usage: 'initiate' }) }
  })

  const openSite = (options: WebsiteOptions = {}) =>
    openWebsite({
      ...{ kerberos: kerberosOf(lab.mit.env), store: { keytab: keytab('HTTP') }, ...options },
    })
  /** What Squid has in its log of a site. */
  const logged = ({ url }: { readonly url: string }) =>
    readFileSync(squid.log, 'utf8')
      .split('\n')
      .filter((line) => line.includes(new URL(url).host))
  const hello = 'Hello, alice@LAB.TEST'

  describe('a page of plain http', () => {
    /** Sends requests to the proxy as they are, where ProxyAgent asks for a tunnel. */
    const forward =
      (dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch =>
      ({ origin, path, ...options }, handler) =>
        dispatch({ ...options, origin: squid.url, path: `${origin}${path}` }, handler)
    const through = (options: Partial<InterceptorOptions> = {}) =>
      new Pool(squid.url).compose(negotiateProxy({ ...alice, ...options }), forward, negotiate(alice))

    test('is got by the dance of 407, and the site’s own 401 is answered as well', async () => {
      using site = await openSite({ tls: false })
      const dispatcher = through({ opportunisticAuth: false })
      const page = await request(site.url, { dispatcher, method: 'POST', body: Readable.from(['te', 'xt']) })
      expect([page.statusCode, await page.body.text()]).toEqual([200, hello])
      // Squid knows a connection once somebody has authenticated over it
      const passed = `POST ${site.url} alice@LAB.TEST`
      await expect.poll(() => logged(site)).toEqual([`POST ${site.url} - 407`, `${passed} 401`, `${passed} 200`])
      await dispatcher.close()
    })

    test('or without waiting for one, several over one connection, a token with each', async () => {
      using site = await openSite({ tls: false })
      const dispatcher = through()
      for (let page = 0; page < 3; page++) expect(await (await fetch(site.url, { dispatcher })).text()).toBe(hello)
      const passed = ['401', '200'].map((status) => `GET ${site.url} alice@LAB.TEST ${status}`)
      await expect.poll(() => logged(site)).toEqual([...passed, ...passed, ...passed])
      await dispatcher.close()
    })
  })

  describe('a site behind TLS', () => {
    const proxyAgent = (options: Partial<InterceptorOptions> = {}, uri = squid.url) =>
      new ProxyAgent({
        ...{ uri, requestTls: { ca: certificate } },
        clientFactory: (url, settings) => new Pool(url, settings).compose(negotiateProxy({ ...alice, ...options })),
      })
    /** A tunnel as it is in the log, which has it once it is closed. */
    const tunnel = ({ url }: { readonly url: string }, end: string) => `CONNECT ${new URL(url).host} ${end}`

    test('is reached through tunnels with a token each, which Squid would refuse a second time', async () => {
      using site = await openSite()
      const dispatcher = proxyAgent().compose(negotiate(alice))
      for (let page = 0; page < 2; page++) {
        const headers = { connection: 'close' }
        expect(await (await request(site.url, { dispatcher, headers })).body.text()).toBe(hello)
      }
      // one for the 401, one for the page
      await expect.poll(() => logged(site)).toEqual(Array(4).fill(tunnel(site, 'alice@LAB.TEST 200')))
      await dispatcher.close()
    })

    test('or after a 407; site and proxy both get what they ask for, the site bound to its certificate', async () => {
      using site = await openSite({ channelBindings: 'tls-server-end-point', requireChannelBindings: true })
      const channels = tlsChannels()
      const dispatcher = new ProxyAgent({
        ...{ uri: squid.url, requestTls: { ca: certificate } },
        clientFactory: (url, settings) =>
          new Pool(url, settings).compose(negotiateProxy({ ...alice, opportunisticAuth: false })),
        factory: (origin, settings) => {
          const { connect, ...others } = settings as { connect: buildConnector.connector }
          return new Pool(origin, { ...others, connect: channels.connector(connect) })
        },
      })
      const composed = dispatcher.compose(negotiate({ ...alice, channelBindings: channels.bindings }))
      expect(await (await request(site.url, { dispatcher: composed })).body.text()).toBe(hello)
      expect(site.visits.map(({ scheme }) => scheme)).toEqual([undefined, 'Negotiate'])
      await dispatcher.close()
      await expect.poll(() => logged(site)).toEqual([tunnel(site, '- 407'), tunnel(site, 'alice@LAB.TEST 200')])
    })

    test('by createNegotiateFetch, which follows redirects itself', async () => {
      using site = await openSite()
      const dispatcher = proxyAgent()
      const send = (url: string, init: object) => fetch(url, { ...init, dispatcher })
      const negotiated = createNegotiateFetch({ ...alice, fetch: send as unknown as typeof globalThis.fetch })
      expect(await (await negotiated(site.url)).text()).toBe(hello)
      await dispatcher.close()
      await expect.poll(() => logged(site)).toEqual([tunnel(site, 'alice@LAB.TEST 200')])
    })

    test('by https-proxy-agent with onProxyAuth', async () => {
      using site = await openSite({ basic: true })
      const agent = new HttpsProxyAgent(squid.url, { onProxyAuth: createProxyAuth(squid.url, alice) })
      const page = () =>
        new Promise<string>((resolve, reject) =>
          get(site.url, { agent, ca: certificate, auth: 'bob:bob-pw' }, (response) => resolve(text(response))).on(
            'error',
            reject,
          ),
        )
      expect([await page(), await page()]).toEqual(Array(2).fill('Hello, bob@LAB.TEST'))
      const tunnels = [tunnel(site, '- 407'), tunnel(site, 'alice@LAB.TEST 200')]
      await expect.poll(() => logged(site).sort()).toEqual([...tunnels, ...tunnels].sort())
    })

    test('through a proxy by a name that the KDC has no service of: the error says which', async () => {
      const dispatcher = proxyAgent({ opportunisticAuth: false }, squid.url.replace('localhost', '127.0.0.1'))
      await expect(request('https://localhost:1/', { dispatcher })).rejects.toThrow(/HTTP\/127\.0\.0\.1/)
      await dispatcher.close()
    })

    test('through a proxy that has no key of the name: the error names the proxy', async () => {
      const dispatcher = proxyAgent({ targetName: 'HTTP/svc.lab.test' })
      await expect(request('https://localhost:1/', { dispatcher })).rejects.toMatchObject({
        code: 'PROXY_REFUSED',
        message: expect.stringContaining(`the proxy ${squid.url} answered 407`),
      })
      await dispatcher.close()
    })

    test('without a ticket: the error says to log in', async () => {
      const { spnego: mech } = kerberosOf(freshEnv())
      const credentials = () => kerberosOf(freshEnv()).acquire({ usage: 'initiate' })
      const dispatcher = proxyAgent({ mech, credentials, opportunisticAuth: false })
      await expect(request('https://localhost:1/', { dispatcher })).rejects.toThrow(/no credential cache .*kinit/)
      await dispatcher.close()
    })

    test('is refused where the proxy is to prove itself: Squid gives no token back', async () => {
      const dispatcher = proxyAgent({ mutualAuthentication: 'required' })
      using site = await openSite()
      const failed = request(site.url, { dispatcher })
      await expect(failed).rejects.toMatchObject({ name: 'MutualAuthenticationError' })
      await dispatcher.close()
    })
  })
})
