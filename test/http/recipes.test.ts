/** The recipes of docs/http.md with the real axios, got and https-proxy-agent, against servers that are content and that are not. */
import { get } from 'node:https'
import { text } from 'node:stream/consumers'
import axios from 'axios'
import got from 'got'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GssError } from '../../src/gss/index.ts'
import { type Authorization, authorization, createNegotiateFetch, createProxyAuth } from '../../src/http/index.ts'
import { certificate } from '../support/tls.ts'
import { openProxy, openRealm, openSecureSite } from './secure.ts'
import { fakeNegotiation, guarded, openSite, type Site } from './site.ts'

const lines = ({ visits }: Site) => visits.map(({ line, authorization }) => `${line}${authorization ? ' +' : ''}`)
const unproven = guarded((_, response) => {
  response.removeHeader('www-authenticate')
  response.end('fake')
})
const refusing = guarded(undefined, { refuses: new GssError('GSS_S_FAILURE') })

describe('axios', () => {
  const client = (fake = {}) =>
    axios.create({ adapter: 'fetch', env: { fetch: createNegotiateFetch(fakeNegotiation(fake)) } })

  test('gets and posts', async () => {
    await using site = await openSite({ '/': guarded() })
    expect((await client().get(`${site.url}/`)).data).toBe('hello alice')
    expect((await client().post(`${site.url}/`, { a: 1 })).data).toBe('hello alice')
    expect(lines(site)).toEqual(['GET /', 'GET / +', 'POST /', 'POST / +'])
    expect(site.visits.at(-1)).toMatchObject({ body: '{"a":1}', headers: { 'content-type': 'application/json' } })
  })

  test('rejects with its own error for a refusal, and with ours in it for a page without a proof', async () => {
    await using site = await openSite({ '/refusing': refusing, '/unproven': unproven })
    await expect(client().get(`${site.url}/refusing`)).rejects.toMatchObject({ response: { status: 401 } })
    const failure = await client()
      .get(`${site.url}/unproven`)
      .catch((error: unknown) => error)
    expect(`${failure} ${(failure as Error).cause}`).toContain('MUTUAL_AUTHENTICATION')
  })
})

describe('got', () => {
  const client = (origin: string) =>
    got.extend({
      retry: { limit: 0 },
      hooks: {
        beforeRequest: [
          async ({ url, headers, context }) => {
            delete headers['authorization']
            if (!(url instanceof URL) || url.origin !== origin) return
            const attempt = await authorization(url, fakeNegotiation())
            headers['authorization'] = attempt.header
            context['attempt'] = attempt
          },
        ],
        afterResponse: [
          async (response) => {
            using attempt = response.request.options.context['attempt'] as Authorization
            if (response.ok) await attempt.verify(response.headers['www-authenticate'])
            return response
          },
        ],
      },
    })

  test('gets and posts, and each hop of a redirect has a token of its own', async () => {
    await using site = await openSite({
      '/': guarded(),
      '/moved': guarded((_, response) => response.writeHead(302, { location: '/' }).end()),
    })
    expect(await client(site.url)(`${site.url}/moved`).text()).toBe('hello alice')
    expect(
      await client(site.url)
        .post(`${site.url}/`, { json: { a: 1 } })
        .text(),
    ).toBe('hello alice')
    expect(lines(site)).toEqual(['GET /moved +', 'GET / +', 'POST / +'])
    expect(site.visits.at(-1)?.body).toBe('{"a":1}')
  })

  test('rejects with its own error for a refusal, and with ours for a page without a proof', async () => {
    await using site = await openSite({ '/refusing': refusing, '/unproven': unproven })
    const send = client(site.url)
    await expect(send(`${site.url}/refusing`)).rejects.toMatchObject({ response: { statusCode: 401 } })
    await expect(send(`${site.url}/unproven`)).rejects.toThrow(/MUTUAL_AUTHENTICATION/)
    expect(site.visits).toHaveLength(2)
  })
})

describe('https-proxy-agent', () => {
  let realm: Awaited<ReturnType<typeof openRealm>>
  beforeAll(async () => {
    realm = await openRealm()
  })
  afterAll(() => realm.stop())

  test('opens each tunnel with a token of its own, by onProxyAuth', async () => {
    await using proxy = await openProxy(realm)
    await using site = await openSecureSite(realm, { '/open': (_, response) => response.end('open') })
    const agent = new HttpsProxyAgent(proxy.url, { onProxyAuth: createProxyAuth(proxy.url, realm.alice) })
    const page = () =>
      new Promise<string>((resolve, reject) =>
        get(`${site.url}/open`, { agent, ca: certificate }, (response) => resolve(text(response))).on('error', reject),
      )
    expect([await page(), await page()]).toEqual(['open', 'open'])
    const { host } = new URL(site.url)
    const tunnel = [`CONNECT ${host}`, `CONNECT ${host} +`]
    expect(proxy.seen).toEqual([...tunnel, ...tunnel])
    expect(proxy.refused).toEqual([])
  })

  test('gets no token for a proxy that asks for something else', async () => {
    const onProxyAuth = createProxyAuth('http://proxy:3128', realm.alice)
    const response = { headers: { 'proxy-authenticate': ['Basic realm="x"', 'NTLM'] } }
    await expect(onProxyAuth({ response })).rejects.toMatchObject({ code: 'NOT_OFFERED' })
  })
})
