/** Redirects and bodies: what the Fetch standard says, and a token of its own for each hop. */
import { describe, expect, test } from 'vitest'
import {
  createNegotiateFetch,
  type NegotiateFetchOptions,
  REDIRECTS_MAX,
  REPLAY_OCTETS_MAX,
} from '../../src/http/index.ts'
import { fakeNegotiation, guarded, openSite, type Site } from './site.ts'

const authenticatedFetch = (options: Partial<NegotiateFetchOptions> = {}) =>
  createNegotiateFetch({ ...fakeNegotiation(), ...options })

const redirecting = (status: number, location: string) =>
  guarded((_, response) => response.writeHead(status, { location }).end())

const lines = ({ visits }: Site) => visits.map(({ line, authorization }) => `${line}${authorization ? ' +' : ''}`)

describe('redirects', () => {
  test('within an origin are followed, with a fresh token when the next page asks for one', async () => {
    await using site = await openSite({ '/': redirecting(302, 'next'), '/next': guarded() })
    const response = await authenticatedFetch()(`${site.url}/#part`)
    expect(response).toMatchObject({ status: 200, redirected: true, url: `${site.url}/next` })
    expect(lines(site)).toEqual(['GET /', 'GET / +', 'GET /next', 'GET /next +'])
  })

  test('to another origin carry nothing that was meant for the first', async () => {
    await using other = await openSite({ '/': guarded() }, '127.0.0.2')
    await using site = await openSite({ '/': redirecting(307, `${other.url}/`) })
    const headers = { cookie: 'a=b', 'x-kept': 'yes', authorization: 'Bearer secret' }
    const response = await authenticatedFetch()(`${site.url}/`, { headers })
    expect(await response.text()).toBe('hello alice')
    expect(site.visits[0]!.authorization).toBe('Bearer secret')
    expect(lines(other)).toEqual(['GET /', 'GET / +'])
    expect(other.visits[0]!.headers).not.toHaveProperty('cookie')
    expect(other.visits[0]!.headers).toMatchObject({ 'x-kept': 'yes' })
  })

  test('to another origin that asks nothing tell it nothing', async () => {
    await using other = await openSite({ '/': (_, response) => response.end('open') }, '127.0.0.2')
    await using site = await openSite({ '/': redirecting(302, `${other.url}/`) })
    expect(await (await authenticatedFetch()(`${site.url}/`)).text()).toBe('open')
    expect(lines(other)).toEqual(['GET /'])
  })

  test('from https to http are followed without a token', async () => {
    const seen: string[] = []
    const answers = [
      new Response(null, { status: 302, headers: { location: 'http://www/' } }),
      new Response('no', { status: 401, headers: { 'www-authenticate': 'Negotiate' } }),
    ]
    const send: typeof fetch = async (url, init) => {
      seen.push(`${url} ${new Headers(init?.headers).get('authorization')}`)
      return answers.shift()!
    }
    expect((await authenticatedFetch({ fetch: send })('https://www/')).status).toBe(401)
    expect(seen).toEqual(['https://www/ null', 'http://www/ null'])
  })

  test.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [301, 'PUT', 'PUT', 'text'],
    [307, 'POST', 'POST', 'text'],
    [308, 'POST', 'POST', 'text'],
  ])('of status %i turn %s into %s (Fetch standard, HTTP-redirect fetch)', async (status, method, turned, body) => {
    await using site = await openSite({ '/': redirecting(status, '/next'), '/next': guarded() })
    await authenticatedFetch()(`${site.url}/`, { method, body: 'text' })
    const last = site.visits.at(-1)!
    expect([last.line, last.body]).toEqual([`${turned} /next`, body])
    expect(last.headers['content-type']).toBe(body ? 'text/plain;charset=UTF-8' : undefined)
  })

  test('without end are left', async () => {
    await using site = await openSite({ '/': (_, response) => response.writeHead(302, { location: '/' }).end() })
    await expect(authenticatedFetch()(`${site.url}/`)).rejects.toMatchObject({ code: 'BAD_REDIRECT' })
    expect(site.visits).toHaveLength(REDIRECTS_MAX + 1)
  })

  test.each([
    ['no URL', 'http://['],
    ['a file', 'file:///etc/passwd'],
    ['script', 'javascript:alert(1)'],
  ])('to %s are refused', async (_, location) => {
    await using site = await openSite({ '/': redirecting(302, location) })
    await expect(authenticatedFetch()(`${site.url}/`)).rejects.toMatchObject({ code: 'BAD_REDIRECT' })
  })

  test('that the runtime hides are refused', async () => {
    const hidden = Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' })
    await expect(authenticatedFetch({ fetch: async () => hidden })('http://www/')).rejects.toMatchObject({
      code: 'BAD_REDIRECT',
    })
  })

  test('are the caller’s own when he says so', async () => {
    await using site = await openSite({ '/': redirecting(302, '/next') })
    const send = authenticatedFetch()
    expect(await send(`${site.url}/`, { redirect: 'manual' })).toMatchObject({ status: 302, redirected: false })
    await expect(send(new Request(`${site.url}/`, { redirect: 'error' }))).rejects.toThrow(TypeError)
    expect(site.visits.filter(({ line }) => line !== 'GET /')).toEqual([])
  })

  test('without a location are pages', async () => {
    await using site = await openSite({ '/': guarded((_, response) => response.writeHead(304).end()) })
    expect((await authenticatedFetch()(`${site.url}/`)).status).toBe(304)
  })
})

describe('a body is sent again with the token', () => {
  const form = () => {
    const data = new FormData()
    data.set('name', 'value')
    return data
  }
  const stream = (text: string) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text))
        controller.close()
      },
    })
  async function* parts() {
    yield new TextEncoder().encode('te')
    yield new TextEncoder().encode('xt')
  }

  test.each<[string, () => BodyInit, RegExp, RegExp | undefined]>([
    ['text', () => 'text', /^text$/, /^text\/plain/],
    ['octets', () => new TextEncoder().encode('text'), /^text$/, undefined],
    ['a buffer', () => new TextEncoder().encode('text').buffer, /^text$/, undefined],
    ['a blob', () => new Blob(['text'], { type: 'text/x' }), /^text$/, /^text\/x$/],
    ['parameters', () => new URLSearchParams({ a: 'b c' }), /^a=b\+c$/, /^application\/x-www-form-urlencoded/],
    ['a form', form, /name="name"\r\n\r\nvalue\r\n/, /^multipart\/form-data; boundary=/],
    ['a stream', () => stream('text'), /^text$/, undefined],
    ['a source of octets', () => parts() as unknown as BodyInit, /^text$/, undefined],
  ])('%s', async (_, body, text, type) => {
    await using site = await openSite({ '/': guarded() })
    const init = { method: 'POST', body: body(), duplex: 'half' } as RequestInit
    expect((await authenticatedFetch()(`${site.url}/`, init)).status).toBe(200)
    expect(site.visits.map(({ body: sent }) => sent)).toEqual([
      expect.stringMatching(text),
      expect.stringMatching(text),
    ])
    for (const { headers } of site.visits)
      expect(headers['content-type']).toEqual(type ? expect.stringMatching(type) : undefined)
  })

  test('that of a Request', async () => {
    await using site = await openSite({ '/': guarded() })
    const request = new Request(`${site.url}/`, { method: 'PUT', body: 'text', headers: { 'x-kept': 'yes' } })
    await authenticatedFetch()(request)
    expect(site.visits.map(({ line, body, headers }) => [line, body, headers['x-kept']])).toEqual([
      ['PUT /', 'text', 'yes'],
      ['PUT /', 'text', 'yes'],
    ])
  })

  test('but not a stream longer than memory allows', async () => {
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(REPLAY_OCTETS_MAX / 4)),
    })
    const init = { method: 'POST', body: endless, duplex: 'half' } as RequestInit
    const failure = authenticatedFetch({ fetch: () => expect.unreachable() })('http://www/', init)
    await expect(failure).rejects.toMatchObject({ code: 'BODY_NOT_REPLAYABLE' })
    await expect(failure).rejects.toThrow(/pass a Blob/)
  })
})
