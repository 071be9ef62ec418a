/** kerb/undici over TLS and through a proxy, with real tickets: channel bindings, and a token for each tunnel. */
import { Agent, buildConnector, fetch, Pool, ProxyAgent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNegotiateFetch } from '../../src/http/index.ts'
import { ORIGINS_MAX } from '../../src/http/undici/channels.ts'
import { type InterceptorOptions, negotiate, negotiateProxy, tlsChannels } from '../../src/http/undici/index.ts'
import { certificate } from '../support/tls.ts'
import { openProxy, openRealm, openSecureSite } from './secure.ts'
import { fakeNegotiation } from './site.ts'

const agents: Agent[] = []
const plainAgent = (options: Agent.Options = {}) => {
  const agent = new Agent(options)
  agents.push(agent)
  return agent
}
afterAll(() => Promise.all(agents.map((agent) => agent.destroy())))

describe('TLS and proxies, with real tickets', () => {
  let realm: Awaited<ReturnType<typeof openRealm>>
  beforeAll(async () => {
    realm = await openRealm()
  })
  afterAll(() => realm.stop())

  test('a site that demands channel bindings lets nobody in without them', async () => {
    await using site = await openSecureSite(realm)
    const dispatcher = plainAgent({ connect: { ca: certificate } }).compose(negotiate(realm.alice))
    expect((await request(`${site.url}/`, { dispatcher })).statusCode).toBe(403)
  })

  test('the connector sees the certificate that the token is then bound to, also on resumed sessions', async () => {
    await using site = await openSecureSite(realm)
    const channels = tlsChannels()
    const connect = channels.connector(buildConnector({ ca: certificate }))
    const agent = plainAgent({ connect })
    const dispatcher = agent.compose(negotiate({ ...realm.alice, channelBindings: channels.bindings }))
    for (let i = 0; i < 2; i++) {
      const { body } = await request(`${site.url}/${i}`, { dispatcher, headers: { connection: 'close' } })
      expect(await body.text()).toBe(`hello alice@LAB.TEST at /${i}`)
    }
    expect(site.refused).toEqual([])
  })

  test('with opportunisticAuth, no token goes out before there is a channel to bind it to', async () => {
    await using site = await openSecureSite(realm)
    const channels = tlsChannels()
    const agent = plainAgent({ connect: channels.connector(buildConnector({ ca: certificate })) })
    const options = { channelBindings: channels.bindings, opportunisticAuth: true, origins: [site.url] }
    const dispatcher = agent.compose(negotiate({ ...realm.alice, ...options }))
    for (let i = 0; i < 2; i++) expect((await request(`${site.url}/`, { dispatcher })).statusCode).toBe(200)
    expect(site.seen).toEqual(['GET /', 'GET / +', 'GET / +'])
  })

  test('createNegotiateFetch binds its tokens over the same connector', async () => {
    await using site = await openSecureSite(realm)
    const channels = tlsChannels()
    const dispatcher = plainAgent({ connect: channels.connector(buildConnector({ ca: certificate })) })
    const send = createNegotiateFetch({
      ...{ ...realm.alice, channelBindings: channels.bindings },
      fetch: ((url: string, init: object) => fetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch,
    })
    expect(await (await send(`${site.url}/page`)).text()).toBe('hello alice@LAB.TEST at /page')
  })

  test('a token that is bound to another certificate is refused', async () => {
    await using site = await openSecureSite(realm)
    const channelBindings = { applicationData: new TextEncoder().encode('tls-server-end-point:another') }
    const dispatcher = plainAgent({ connect: { ca: certificate } }).compose(
      negotiate({ ...realm.alice, channelBindings }),
    )
    expect((await request(`${site.url}/`, { dispatcher })).statusCode).toBe(401)
    expect(site.refused).toEqual(['channel-bindings'])
  })

  const proxyAgent = (uri: string, options: Partial<InterceptorOptions> = {}) =>
    new ProxyAgent({
      ...{ uri, requestTls: { ca: certificate } },
      clientFactory: (url, settings) => new Pool(url, settings).compose(negotiateProxy({ ...realm.alice, ...options })),
    })

  test('a ProxyAgent gets each tunnel with a token of its own', async () => {
    await using proxy = await openProxy(realm)
    await using site = await openSecureSite(realm, { '/open': (_, response) => response.end('open') })
    const dispatcher = proxyAgent(proxy.url)
    for (let i = 0; i < 3; i++) {
      const { body } = await request(`${site.url}/open`, { dispatcher, headers: { connection: 'close' } })
      expect(await body.text()).toBe('open')
    }
    const { host } = new URL(site.url)
    expect(proxy.seen).toEqual(Array(3).fill(`CONNECT ${host} +`))
    expect(proxy.refused).toEqual([])
    await dispatcher.close()
  })

  test('or only after a 407, where it is told to wait for one', async () => {
    await using proxy = await openProxy(realm)
    await using site = await openSecureSite(realm, { '/open': (_, response) => response.end('open') })
    const dispatcher = proxyAgent(proxy.url, { opportunisticAuth: false, mutualAuthentication: 'required' })
    const { body } = await request(`${site.url}/open`, { dispatcher })
    expect(await body.text()).toBe('open')
    const { host } = new URL(site.url)
    expect(proxy.seen).toEqual([`CONNECT ${host}`, `CONNECT ${host} +`])
    await dispatcher.close()
  })

  test('and behind the proxy the site’s own demands are met, bindings and all', async () => {
    await using proxy = await openProxy(realm)
    await using site = await openSecureSite(realm)
    const channels = tlsChannels()
    const dispatcher = new ProxyAgent({
      ...{ uri: proxy.url, requestTls: { ca: certificate } },
      clientFactory: (url, settings) => new Pool(url, settings).compose(negotiateProxy(realm.alice)),
      factory: (origin, settings) => {
        const { connect, ...others } = settings as { connect: buildConnector.connector }
        return new Pool(origin, { ...others, connect: channels.connector(connect) })
      },
    })
    const composed = dispatcher.compose(negotiate({ ...realm.alice, channelBindings: channels.bindings }))
    const { body } = await request(`${site.url}/page`, { dispatcher: composed })
    expect(await body.text()).toBe('hello alice@LAB.TEST at /page')
    expect(site.seen).toEqual(['GET /page', 'GET /page +'])
    // the challenge is answered through the tunnel that it came by, as contexts of several legs need it
    expect(proxy.seen).toEqual([`CONNECT ${new URL(site.url).host} +`])
    await dispatcher.close()
  })

  test('a proxy that refuses is named', async () => {
    await using proxy = await openProxy({ ...realm, service: fakeNegotiation().credentials })
    await using site = await openSecureSite(realm)
    const dispatcher = proxyAgent(proxy.url)
    const failure = request(`${site.url}/`, { dispatcher })
    await expect(failure).rejects.toMatchObject({ code: 'PROXY_REFUSED', message: expect.stringContaining(proxy.url) })
    await dispatcher.close()
  })
})

test('the connector remembers a bounded number of origins, the newest', () => {
  const channels = tlsChannels()
  const raw = new Uint8Array(Buffer.from(certificate.replace(/-----.*-----|\s/g, ''), 'base64'))
  const socket = { getPeerCertificate: () => ({ raw }) }
  const connect = channels.connector((_: { protocol: string; hostname: string }, done: (e: null, s: object) => void) =>
    done(null, socket),
  )
  for (let i = 0; i <= ORIGINS_MAX; i++) connect({ protocol: 'https:', hostname: `host${i}` }, () => undefined)
  expect(() => channels.bindings(new URL('https://host0/'))).toThrow(/no connection to https:\/\/host0/)
  expect(channels.bindings(new URL(`https://host${ORIGINS_MAX}/`))).toBeDefined()
  expect(channels.bindings(new URL('http://host1/'))).toBeUndefined()
})
