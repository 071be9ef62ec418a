/** Servers that mean harm, or break: every request ends, with an error that says what happened. */
import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { toBase64 } from '../../src/bytes/index.ts'
import { createNegotiateFetch, type NegotiateFetchOptions, REDIRECTS_MAX } from '../../src/http/index.ts'
import { fakeNegotiation, guarded, openSite, type Site } from './site.ts'

const authenticatedFetch = (options: Partial<NegotiateFetchOptions> = {}, fake = {}) =>
  createNegotiateFetch({ ...fakeNegotiation(fake), ...options })
const lines = ({ visits }: Site) => visits.map(({ line, authorization }) => `${line}${authorization ? ' +' : ''}`)
/** Asks for Negotiate with these fields, whatever is sent. */
const asking =
  (...challenges: string[]): RequestListener =>
  (_, response) =>
    response.writeHead(401, { 'www-authenticate': challenges }).end('no')

describe('challenges', () => {
  test.each<[string, string[], string[]]>([
    [
      'a thousand of them beside Negotiate',
      ['Negotiate', ...Array(1000).fill('Basic realm="x"')],
      ['GET /', 'GET / +'],
    ],
    ['a thousand of them before Negotiate', [...Array(1000).fill('Basic realm="x"'), 'Negotiate'], ['GET /']],
    ['Negotiate a thousand times', Array(1000).fill('Negotiate'), ['GET /', 'GET / +']],
  ])('%s get one token at most, and the 401 is returned', async (_, challenges, visited) => {
    // Node's fetch itself takes no more than 16 KiB of fields.
    const send: typeof fetch = async (url, init) => {
      sent.push(`GET ${new URL(url as string).pathname}${new Headers(init?.headers).has('authorization') ? ' +' : ''}`)
      return new Response('no', { status: 401, headers: challenges.map((value) => ['www-authenticate', value]) })
    }
    const sent: string[] = []
    expect((await authenticatedFetch({ fetch: send })('http://www/')).status).toBe(401)
    expect(sent).toEqual(visited)
  })

  test.each([
    ['of a token that is huge', `Negotiate ${'A'.repeat(200_000)}`],
    ['without an end to their quotes', `Negotiate, Basic realm="${'\\"'.repeat(50_000)}`],
    ['that are nothing but commas', ','.repeat(100_000)],
  ])('%s end soon', async (_, field) => {
    const send: typeof fetch = async () => new Response('no', { status: 401, headers: { 'www-authenticate': field } })
    expect((await authenticatedFetch({ fetch: send })('http://www/')).status).toBe(401)
  })

  test('with a token before one was sent are answered by a context of their own', async () => {
    await using site = await openSite({ '/': asking(`Negotiate ${toBase64(Uint8Array.of(1, 2, 3))}`) })
    const refusals: unknown[] = []
    await authenticatedFetch({ onRefused: (error) => refusals.push(error) })(`${site.url}/`)
    // The token is read as an answer only once there is a question; then it is none.
    expect(lines(site)).toEqual(['GET /', 'GET / +'])
    expect(refusals).toHaveLength(1)
  })

  test('over and over get two requests a call, and no call is worse than the one before', async () => {
    await using site = await openSite({ '/': asking('Negotiate') })
    const send = authenticatedFetch()
    for (let call = 0; call < 5; call++) expect((await send(`${site.url}/`)).status).toBe(401)
    expect(site.visits).toHaveLength(10)
  })

  test('that go on after the context is complete are a refusal', async () => {
    const door = guarded((_, response) => response.writeHead(401).end())
    await using site = await openSite({ '/': door })
    expect((await authenticatedFetch()(`${site.url}/`)).status).toBe(401)
    expect(lines(site)).toEqual(['GET /', 'GET / +'])
  })
})

describe('redirects', () => {
  test('round in circles, each hop asking for a token, are left after the last one that fetch would follow', async () => {
    const to = (location: string) => guarded((_, response) => response.writeHead(302, { location }).end())
    await using site = await openSite({ '/a': to('/b'), '/b': to('/a') })
    const failure = authenticatedFetch()(`${site.url}/a`)
    await expect(failure).rejects.toMatchObject({ code: 'BAD_REDIRECT', message: expect.stringContaining('20') })
    expect(site.visits).toHaveLength(2 * (REDIRECTS_MAX + 1))
    const tokens = site.visits.flatMap(({ authorization }) => authorization ?? [])
    expect(tokens).toHaveLength(REDIRECTS_MAX + 1)
  })

  test('to a host that is not listed let nobody learn who the user is', async () => {
    await using other = await openSite({ '/': asking('Negotiate') }, '127.0.0.2')
    await using site = await openSite({
      '/': guarded((_, response) => response.writeHead(307, { location: `${other.url}/` }).end()),
    })
    const send = authenticatedFetch({ origins: [site.url] })
    expect((await send(`${site.url}/`, { method: 'POST', body: 'text' })).status).toBe(401)
    expect(lines(other)).toEqual(['POST /'])
  })

  test('that name a user and a password are refused', async () => {
    await using site = await openSite({
      '/': (_, response) => response.writeHead(302, { location: `http://u:p@${new URL(site.url).host}/` }).end(),
    })
    await expect(authenticatedFetch()(`${site.url}/`)).rejects.toMatchObject({ code: 'BAD_REDIRECT' })
    expect(site.visits).toHaveLength(1)
  })
})

describe('a connection that breaks', () => {
  test('before a token was sent is what fetch says of it', async () => {
    await using site = await openSite({ '/': (request) => request.socket.destroy() })
    await expect(authenticatedFetch()(`${site.url}/`)).rejects.toThrow(TypeError)
  })

  test('under the token says so, and nothing is sent again', async () => {
    await using site = await openSite({
      '/': (request, response) =>
        request.headers.authorization ? request.socket.destroy() : asking('Negotiate')(request, response),
    })
    for (const opportunisticAuth of [false, true]) {
      const failure = authenticatedFetch({ opportunisticAuth })(`${site.url}/`, { method: 'POST', body: 'text' })
      await expect(failure).rejects.toMatchObject({ code: 'CONNECTION_LOST', cause: expect.any(TypeError) })
      await expect(failure).rejects.toThrow(/did not answer the request that carried a token .*nothing is sent again/)
    }
    expect(lines(site)).toEqual(['POST /', 'POST / +', 'POST / +'])
  })

  test('in the middle of the page that refuses is no matter', async () => {
    const guard = guarded()
    await using site = await openSite({
      '/': (request, response) => {
        if (request.headers.authorization) return guard(request, response)
        response.writeHead(401, { 'www-authenticate': 'Negotiate', 'content-length': '1000' })
        response.write('no', () => request.socket.destroy())
      },
    })
    expect(await (await authenticatedFetch()(`${site.url}/`)).text()).toBe('hello alice')
  })

  test('in the middle of the page is told to whoever reads it', async () => {
    await using site = await openSite({
      '/': guarded((request, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('hello', () => request.socket.destroy())
      }),
    })
    const response = await authenticatedFetch()(`${site.url}/`)
    await expect(response.text()).rejects.toThrow(TypeError)
  })
})

describe('a refused page without end', () => {
  test('is not read to it', async () => {
    const guard = guarded()
    await using site = await openSite({
      '/': (request, response) => {
        if (request.headers.authorization) return guard(request, response)
        response.writeHead(401, { 'www-authenticate': 'Negotiate' })
        const more = () => response.write(Buffer.alloc(16_384), (error) => error ?? setImmediate(more))
        more()
      },
    })
    expect(await (await authenticatedFetch()(`${site.url}/`)).text()).toBe('hello alice')
  })

  test('that does not come forward either ends with the caller’s patience', async () => {
    await using site = await openSite({
      '/': (_, response) => void response.writeHead(401, { 'www-authenticate': 'Negotiate' }).write('no'),
    })
    const abort = new AbortController()
    const response = authenticatedFetch()(`${site.url}/`, { signal: abort.signal })
    await expect.poll(() => site.visits.length).toBe(1)
    abort.abort('enough')
    await expect(response).rejects.toBe('enough')
    expect(lines(site)).toEqual(['GET /'])
  })
})

describe('an abort', () => {
  test.each(['credentials', 'channelBindings'] as const)('ends the wait for %s', async (what) => {
    await using site = await openSite({ '/': guarded() })
    let waiting = false
    const never = () => {
      waiting = true
      return new Promise<never>(() => {})
    }
    const abort = new AbortController()
    const response = authenticatedFetch({ [what]: never })(`${site.url}/`, { signal: abort.signal })
    await expect.poll(() => waiting).toBe(true)
    abort.abort('enough')
    await expect(response).rejects.toBe('enough')
    expect(lines(site)).toEqual(['GET /'])
  })

  test('while the server thinks about the token is fetch’s own, not a lost connection', async () => {
    await using site = await openSite({ '/': guarded(() => undefined) })
    const abort = new AbortController()
    const response = authenticatedFetch({ opportunisticAuth: true })(`${site.url}/`, { signal: abort.signal })
    await expect.poll(() => site.visits.length).toBe(1)
    abort.abort('enough')
    await expect(response).rejects.toBe('enough')
  })
})
