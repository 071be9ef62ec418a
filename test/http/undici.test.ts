/** The interceptor of kerb/undici with the real undici. */
import { Readable } from 'node:stream'
import { Agent, fetch, interceptors, Pool, request } from 'undici'
import { afterAll, describe, expect, test } from 'vitest'
import { GssError } from '../../src/gss/index.ts'
import { type InterceptorOptions, negotiate } from '../../src/http/undici/index.ts'
import { fakeNegotiation, guarded, openSite, type Site } from './site.ts'

const lines = ({ visits }: Site) => visits.map(({ line, authorization }) => `${line}${authorization ? ' +' : ''}`)
const agents: Agent[] = []
const plainAgent = () => {
  const agent = new Agent()
  agents.push(agent)
  return agent
}
const authenticated = (options: Partial<InterceptorOptions> = {}, fake = {}) =>
  plainAgent().compose(negotiate({ ...fakeNegotiation(fake), ...options }))
afterAll(() => Promise.all(agents.map((agent) => agent.destroy())))

describe('the interceptor', () => {
  test('answers a challenge over the connection of the refusal, and undici’s request gets the page', async () => {
    await using site = await openSite({ '/': guarded() })
    const { statusCode, body } = await request(`${site.url}/`, { dispatcher: authenticated() })
    expect([statusCode, await body.text()]).toEqual([200, 'hello alice'])
    expect(lines(site)).toEqual(['GET /', 'GET / +'])
    expect(new Set(site.visits.map(({ socket }) => socket)).size).toBe(1)
  })

  test('works below undici’s fetch, several legs and a body as well', async () => {
    await using site = await openSite({ '/': guarded(undefined, { legs: 5 }) })
    const dispatcher = authenticated({}, { legs: 5 })
    const response = await fetch(`${site.url}/`, { dispatcher, method: 'POST', body: 'text' })
    expect([response.status, await response.text()]).toEqual([200, 'hello alice'])
    expect(site.visits.map(({ body }) => body)).toEqual(Array(4).fill('text'))
    expect(new Set(site.visits.map(({ authorization }) => authorization)).size).toBe(4)
  })

  test.each<[string, Record<string, string> | string[] | Map<string, string>]>([
    ['a record', { 'x-kept': 'yes', Authorization: 'Bearer a' }],
    ['a list', ['x-kept', 'yes', 'authorization', 'Bearer a']],
    [
      'pairs',
      new Map([
        ['x-kept', 'yes'],
        ['authorization', 'Bearer a'],
      ]),
    ],
  ])('keeps fields that are %s, but for the one that it sets', async (_, headers) => {
    await using site = await openSite({ '/': guarded() })
    await request(`${site.url}/`, { dispatcher: authenticated(), headers: headers as Record<string, string> })
    expect(site.visits.map((visit) => visit.headers['x-kept'])).toEqual(['yes', 'yes'])
    expect(site.visits.map(({ authorization }) => authorization?.split(' ')[0])).toEqual(['Bearer', 'Negotiate'])
  })

  test('sends a stream again as far as it is kept, and says so where it is not', async () => {
    await using site = await openSite({ '/': guarded() })
    const post = (maxReplayBytes: number) =>
      request(`${site.url}/`, {
        ...{ method: 'POST', body: Readable.from(['te', 'xt']), dispatcher: authenticated({ maxReplayBytes }) },
      })
    expect((await post(4)).statusCode).toBe(200)
    expect(site.visits.map(({ body }) => body)).toEqual(['text', 'text'])
    await expect(post(3)).rejects.toMatchObject({ code: 'BODY_NOT_REPLAYABLE' })
  })

  test('gives each hop of a redirect and each retry a token of its own', async () => {
    let busy = true
    await using site = await openSite({
      '/': guarded((_, response) => response.writeHead(302, { location: '/next' }).end()),
      '/next': guarded((_, response, { initiator }) => {
        response.writeHead(busy ? 503 : 200).end(`hello ${initiator}`)
        busy = false
      }),
    })
    const dispatcher = plainAgent().compose(
      negotiate(fakeNegotiation()),
      interceptors.retry({ minTimeout: 1, maxRetries: 2 }),
      interceptors.redirect({ maxRedirections: 5 }),
    )
    const { body } = await request(`${site.url}/`, { dispatcher })
    expect(await body.text()).toBe('hello alice')
    expect(lines(site)).toEqual(['GET /', 'GET / +', 'GET /next', 'GET /next +', 'GET /next', 'GET /next +'])
  })

  test('sends nothing unasked but to the origins that are listed, and wants them listed', async () => {
    await using site = await openSite({ '/': guarded() })
    const options = { opportunisticAuth: true, origins: [site.url] }
    expect((await request(`${site.url}/`, { dispatcher: authenticated(options) })).statusCode).toBe(200)
    expect(lines(site)).toEqual(['GET / +'])
    for (const needsOrigins of [{ opportunisticAuth: true }, { delegate: true }] as const)
      expect(() => negotiate({ ...fakeNegotiation(), ...needsOrigins })).toThrow(/set origins/)
  })

  test('sends it at once where the folder asked before, with after-challenge', async () => {
    await using site = await openSite({ '/': guarded() })
    const dispatcher = authenticated({ opportunisticAuth: 'after-challenge' })
    for (let i = 0; i < 2; i++) await (await request(`${site.url}/`, { dispatcher })).body.dump()
    expect(lines(site)).toEqual(['GET /', 'GET / +', 'GET / +'])
  })

  test('tells an origin that is not listed nothing', async () => {
    await using site = await openSite({ '/': guarded() })
    const dispatcher = authenticated({ origins: ['https://*.example.com'] })
    expect((await request(`${site.url}/`, { dispatcher })).statusCode).toBe(401)
    expect(lines(site)).toEqual(['GET /'])
  })

  test('returns a refusal, and tells its reason', async () => {
    await using site = await openSite({ '/': guarded(undefined, { refuses: new GssError('GSS_S_FAILURE') }) })
    const { statusCode } = await request(`${site.url}/`, { dispatcher: authenticated() })
    expect([statusCode, site.visits.length]).toEqual([401, 2])
  })

  test('fails with what there is no ticket for, the page unread', async () => {
    await using site = await openSite({ '/': guarded() })
    const cannotInitiate = new GssError('GSS_S_NO_CRED', 'no ticket')
    await expect(request(`${site.url}/`, { dispatcher: authenticated({}, { cannotInitiate }) })).rejects.toBe(
      cannotInitiate,
    )
  })

  test('wants the origin of a pool’s request', async () => {
    await using site = await openSite({ '/': guarded() })
    const pool = new Pool(site.url)
    const composed = pool.compose(negotiate(fakeNegotiation()))
    await expect(composed.request({ path: '/', method: 'GET' })).rejects.toThrow(/give the request an origin/)
    expect((await composed.request({ origin: site.url, path: '/', method: 'GET' })).statusCode).toBe(200)
    await pool.destroy()
  })
})

describe('the interceptor and servers that mean harm', () => {
  const unproven = (status: number) =>
    guarded((_, response) => {
      response.removeHeader('www-authenticate')
      response.writeHead(status, { 'set-cookie': 'a=b', server: 'x' }).end('fake')
    })

  test.each([200, 302])('believes no answer of status %i without a proof', async (status) => {
    await using site = await openSite({ '/': unproven(status) })
    await expect(request(`${site.url}/`, { dispatcher: authenticated() })).rejects.toMatchObject({
      code: 'MUTUAL_AUTHENTICATION',
    })
  })

  test('shows no more of an error without one than its status', async () => {
    await using site = await openSite({ '/': unproven(500) })
    const { statusCode, headers, body } = await request(`${site.url}/`, { dispatcher: authenticated() })
    expect([statusCode, headers['server'], headers['set-cookie'], await body.text()]).toEqual([500, 'x', undefined, ''])
    const whole = authenticated({ sanitizeMutualErrorResponse: false })
    expect(await (await request(`${site.url}/`, { dispatcher: whole })).body.text()).toBe('fake')
  })

  test('reads neither a challenge’s page nor a hidden one without end', async () => {
    const endless = (response: { write(chunk: Uint8Array, done: (error?: Error | null) => void): unknown }) => {
      const more = () => response.write(Buffer.alloc(16_384), (error) => error ?? setImmediate(more))
      more()
    }
    const page = guarded()
    const error = guarded((_, response) => {
      response.removeHeader('www-authenticate')
      endless(response.writeHead(500))
    })
    const challenge: typeof page = (asked, response) => {
      if (asked.headers.authorization) return page(asked, response)
      endless(response.writeHead(401, { 'www-authenticate': 'Negotiate' }))
    }
    await using site = await openSite({ '/': challenge, '/error': error })
    const dispatcher = authenticated()
    expect(await (await request(`${site.url}/`, { dispatcher })).body.text()).toBe('hello alice')
    const { statusCode, body } = await request(`${site.url}/error`, { dispatcher })
    expect([statusCode, await body.text()]).toEqual([500, ''])
  })

  test('leaves one that never comes to an end, and one that asks over and over', async () => {
    await using site = await openSite({
      '/legs': guarded(undefined, { legs: 1000 }),
      '/asks': (_, response) => response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end(),
    })
    const endless = request(`${site.url}/legs`, { dispatcher: authenticated({}, { legs: 1000 }) })
    await expect(endless).rejects.toMatchObject({ code: 'TOO_MANY_LEGS' })
    site.visits.length = 0
    expect((await request(`${site.url}/asks`, { dispatcher: authenticated() })).statusCode).toBe(401)
    expect(site.visits).toHaveLength(2)
  })

  test('passes on that a connection broke, but for the page beside a challenge', async () => {
    const guard = guarded()
    await using site = await openSite({
      '/challenge': (asked, response) => {
        if (asked.headers.authorization) return guard(asked, response)
        response.writeHead(401, { 'www-authenticate': 'Negotiate', 'content-length': '1000' })
        response.write('no', () => asked.socket.destroy())
      },
      '/token': (asked, response) => {
        if (asked.headers.authorization) asked.socket.destroy()
        else response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end()
      },
    })
    const dispatcher = authenticated()
    expect((await request(`${site.url}/challenge`, { dispatcher })).statusCode).toBe(200)
    await expect(request(`${site.url}/token`, { dispatcher })).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' })
  })

  test.each(['credentials', 'channelBindings'] as const)('stops waiting for %s when it is told to', async (what) => {
    await using site = await openSite({ '/': guarded() })
    const abort = new AbortController()
    const never = () => new Promise<never>(() => setTimeout(() => abort.abort(new Error('enough')), 10))
    for (const unasked of [{}, { opportunisticAuth: true, origins: [site.url] }]) {
      const dispatcher = authenticated({ [what]: never, ...unasked })
      await expect(request(`${site.url}/`, { dispatcher, signal: abort.signal })).rejects.toThrow('enough')
    }
    expect(site.visits.length).toBeLessThan(2)
  })
})
