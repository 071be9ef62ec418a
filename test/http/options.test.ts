/** What each option of requests-gssapi's HTTPSPNEGOAuth means (its README and code, 1.4.0), and the options beyond them. */
import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { fromBase64 } from '../../src/bytes/index.ts'
import { unframe } from '../../src/gss/frame.ts'
import { bind, type Credentials, GssError, mechanismOids, Name } from '../../src/gss/index.ts'
import { createNegotiateFetch, type NegotiateFetchOptions, type NegotiateRequestInit } from '../../src/http/index.ts'
import { ASKING_MAX, AskingFolders } from '../../src/http/opportunity.ts'
import { fakeMechanism } from '../spnego/fake.ts'
import { fakeNegotiation, guarded, openSite, type Site } from './site.ts'

const authenticatedFetch = (options: Partial<NegotiateFetchOptions> = {}, fake = {}) =>
  createNegotiateFetch({ ...fakeNegotiation(fake), ...options })
const lines = ({ visits }: Site) => visits.map(({ line, authorization }) => `${line}${authorization ? ' +' : ''}`)
const open: RequestListener = (_, response) => response.end('open')

/** The fake mechanism, and whom and for what each token was asked. */
function watched() {
  const fake = fakeNegotiation()
  const asked: { readonly target: string; readonly credentials: Credentials; readonly bindings: unknown }[] = []
  const mech: NegotiateFetchOptions['mech'] = {
    ...fake.mech,
    initiate: (request) => {
      const { target, credentials, channelBindings } = request
      asked.push({ target: target.text, credentials, bindings: channelBindings })
      return fake.mech.initiate(request)
    },
  }
  return { mech, credentials: fake.credentials, asked }
}

describe('mutual_authentication', () => {
  const unproven = guarded((_, response) => {
    response.removeHeader('www-authenticate')
    response.end('fake')
  })

  test.each([
    ['required', 'MUTUAL_AUTHENTICATION'],
    ['optional', 'fake'],
    ['disabled', 'fake'],
  ] as const)('%s: a page without a proof is %s', async (mutualAuthentication, outcome) => {
    await using site = await openSite({ '/': unproven })
    const page = authenticatedFetch({ mutualAuthentication })(`${site.url}/`).then(
      (response) => response.text(),
      ({ code }) => code,
    )
    expect(await page).toBe(outcome)
  })
})

test('sanitize_mutual_error_response: an error without a proof keeps its body only when it is off', async () => {
  const unproven = guarded((_, response) => {
    response.removeHeader('www-authenticate')
    response.writeHead(500).end('who wrote this?')
  })
  await using site = await openSite({ '/': unproven })
  const body = async (sanitizeMutualErrorResponse?: boolean) =>
    (await authenticatedFetch({ sanitizeMutualErrorResponse })(`${site.url}/`)).text()
  expect([await body(), await body(true), await body(false)]).toEqual(['', '', 'who wrote this?'])
})

test('target_name: the URL’s host unless a text or a Name says otherwise', async () => {
  await using site = await openSite({ '/': guarded() })
  const { asked, ...negotiation } = watched()
  for (const targetName of [undefined, 'web', 'internalhost.local', Name.principal('HTTP/a@B')])
    await createNegotiateFetch({ ...negotiation, targetName })(`${site.url}/`)
  const targets = ['HTTP@127.0.0.1', 'web@127.0.0.1', 'HTTP@internalhost.local', 'HTTP/a@B']
  expect(asked.map(({ target }) => target)).toEqual(targets)
})

test('creds: the given ones, those of a function of the URL, or those of one call', async () => {
  await using site = await openSite({ '/': guarded() })
  const { asked, credentials, mech } = watched()
  const others = fakeNegotiation().credentials
  const urls: string[] = []
  const creds = (url: URL) => {
    urls.push(url.href)
    return others
  }
  await createNegotiateFetch({ mech, credentials })(`${site.url}/`)
  await createNegotiateFetch({ mech, credentials: creds })(`${site.url}/`)
  const send = createNegotiateFetch({ mech, credentials })
  await send(`${site.url}/`, { negotiate: { credentials: others } })
  await send(`${site.url}/`)
  expect(asked.map((request) => request.credentials)).toEqual([credentials, others, others, credentials])
  expect(urls).toEqual([`${site.url}/`])
})

test('one call may have a target, delegation and mutual authentication of its own, of which fetch hears nothing', async () => {
  const inits: NegotiateRequestInit[] = []
  const { asked, ...negotiation } = watched()
  const answer: typeof fetch = async (_, init) => {
    inits.push(init!)
    const first = !new Headers(init?.headers).has('authorization')
    return first
      ? new Response(null, { status: 401, headers: { 'www-authenticate': 'Negotiate' } })
      : new Response('page')
  }
  const send = createNegotiateFetch({ ...negotiation, fetch: answer })
  const response = await send('http://www/', { negotiate: { targetName: 'web', mutualAuthentication: 'disabled' } })
  expect([await response.text(), asked[0]?.target]).toEqual(['page', 'web@www'])
  for (const init of inits) expect(init).not.toHaveProperty('negotiate')
  await expect(send('http://www/')).rejects.toMatchObject({ code: 'MUTUAL_AUTHENTICATION' })
})

test('mech: SPNEGO, or the bare mechanism that is given', async () => {
  const bare = fakeMechanism()
  await using site = await openSite({ '/': (_, response) => response.end('no proof') })
  const asked = { opportunisticAuth: true, mutualAuthentication: 'disabled' } as const
  await authenticatedFetch(asked)(`${site.url}/`)
  await authenticatedFetch({ ...asked, mech: bind(bare, {}) })(`${site.url}/`)
  const tokens = site.visits.map(({ authorization }) => fromBase64(authorization!.slice('Negotiate '.length)))
  expect(tokens.map((token) => unframe(token).mechanism)).toEqual([mechanismOids.spnego, bare.oid])
})

describe('channel_bindings', () => {
  const bindings = { applicationData: Uint8Array.of(1, 2, 3) }

  test('are a value, or what a function says of the URL', async () => {
    await using site = await openSite({ '/': guarded() })
    const { asked, ...negotiation } = watched()
    const urls: string[] = []
    const channelBindings = async (url: URL) => {
      urls.push(url.href)
      return bindings
    }
    for (const source of [undefined, bindings, channelBindings, () => undefined])
      await createNegotiateFetch({ ...negotiation, channelBindings: source })(`${site.url}/`)
    expect(asked.map((request) => request.bindings)).toEqual([undefined, bindings, bindings, undefined])
    expect(urls).toEqual([`${site.url}/`])
  })

  test('that cannot be told let no token out', async () => {
    await using site = await openSite({ '/': guarded() })
    const failure = new TypeError('no certificate')
    const channelBindings = () => {
      throw failure
    }
    await expect(authenticatedFetch({ channelBindings })(`${site.url}/`)).rejects.toBe(failure)
    expect(lines(site)).toEqual(['GET /'])
  })
})

describe('opportunistic_auth', () => {
  test('sends the token with the first request, and the proof is still checked', async () => {
    await using site = await openSite({ '/': guarded(), '/open': open })
    const send = authenticatedFetch({ opportunisticAuth: true })
    expect(await (await send(`${site.url}/`)).text()).toBe('hello alice')
    await expect(send(`${site.url}/open`)).rejects.toMatchObject({ code: 'MUTUAL_AUTHENTICATION' })
    expect(lines(site)).toEqual(['GET / +', 'GET /open +'])
  })

  test('goes on with a server that wants several legs', async () => {
    await using site = await openSite({ '/': guarded(undefined, { legs: 5 }) })
    const send = authenticatedFetch({ opportunisticAuth: true }, { legs: 5 })
    expect(await (await send(`${site.url}/`)).text()).toBe('hello alice')
    expect(lines(site)).toEqual(['GET / +', 'GET / +', 'GET / +'])
  })

  test('takes a refusal for one, and sends no second token', async () => {
    await using site = await openSite({ '/': guarded(undefined, { refuses: new GssError('GSS_S_FAILURE') }) })
    expect((await authenticatedFetch({ opportunisticAuth: true })(`${site.url}/`)).status).toBe(401)
    expect(lines(site)).toEqual(['GET / +'])
  })

  test('without a ticket sends none, and rejects only when the server asks', async () => {
    await using site = await openSite({ '/': guarded(), '/open': open })
    const cannotInitiate = new GssError('GSS_S_NO_CRED', 'no ticket')
    const send = authenticatedFetch({ opportunisticAuth: true }, { cannotInitiate })
    expect(await (await send(`${site.url}/open`)).text()).toBe('open')
    await expect(send(`${site.url}/`)).rejects.toBe(cannotInitiate)
    expect(lines(site)).toEqual(['GET /open', 'GET /'])
  })

  test('tells a site that a redirect leads to nothing before it asks, unless it is listed', async () => {
    await using other = await openSite({ '/': open, '/listed': guarded() }, '127.0.0.2')
    await using site = await openSite({
      '/': guarded((_, response) => response.writeHead(302, { location: `${other.url}/` }).end()),
      '/listed': guarded((_, response) => response.writeHead(302, { location: `${other.url}/listed` }).end()),
    })
    await authenticatedFetch({ opportunisticAuth: true })(`${site.url}/`)
    const origins = [site.url, other.url]
    await authenticatedFetch({ opportunisticAuth: true, origins })(`${site.url}/listed`)
    expect(lines(other)).toEqual(['GET /', 'GET /listed +'])
  })

  test('tells an origin that is not listed nothing', async () => {
    await using site = await openSite({ '/': open })
    await authenticatedFetch({ opportunisticAuth: true, origins: ['https://*.example.com'] })(`${site.url}/`)
    expect(lines(site)).toEqual(['GET /'])
  })

  test('after-challenge: sends it at once where the folder asked before, and below it', async () => {
    await using site = await openSite({ '/a/1': guarded(), '/a/b/2': guarded(), '/3': open })
    const send = authenticatedFetch({ opportunisticAuth: 'after-challenge' })
    for (const path of ['/a/1', '/a/1', '/a/b/2', '/3']) await send(site.url + path)
    expect(lines(site)).toEqual(['GET /a/1', 'GET /a/1 +', 'GET /a/1 +', 'GET /a/b/2 +', 'GET /3'])
  })

  test('after-challenge: remembers a bounded number of folders, the newest', () => {
    const asking = new AskingFolders()
    const url = (i: number) => new URL(`http://www/${i}/page`)
    for (let i = 0; i <= ASKING_MAX; i++) asking.add(url(i))
    expect([asking.has(url(0)), asking.has(url(1)), asking.has(url(ASKING_MAX))]).toEqual([false, true, true])
  })
})

describe('a streamed body', () => {
  const stream = (chunks: number) => {
    let left = chunks
    return new ReadableStream<Uint8Array>({
      pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(10)) : controller.close()),
    })
  }
  const post = (body: ReadableStream) => ({ method: 'POST', body })

  test('of up to maxReplayBytes is sent again, a longer one is refused before anything is sent', async () => {
    await using site = await openSite({ '/': guarded() })
    const send = authenticatedFetch({ maxReplayBytes: 30 })
    expect((await send(`${site.url}/`, post(stream(3)))).status).toBe(200)
    await expect(send(`${site.url}/`, post(stream(4)))).rejects.toMatchObject({
      code: 'BODY_NOT_REPLAYABLE',
      message: expect.stringMatching(/more than 30 octets.*maxReplayBytes/),
    })
    expect(site.visits.map(({ body }) => body.length)).toEqual([30, 30])
  })

  test('of any length goes out once with opportunisticAuth, read as it is sent', async () => {
    await using site = await openSite({ '/': guarded() })
    const send = authenticatedFetch({ maxReplayBytes: 0, opportunisticAuth: true })
    expect((await send(`${site.url}/`, post(stream(1000)))).status).toBe(200)
    expect(site.visits.map(({ body }) => body.length)).toEqual([10_000])
  })

  test('that went out once and is wanted again rejects, and says what to do', async () => {
    await using site = await openSite({ '/': guarded(undefined, { legs: 5 }) })
    const send = authenticatedFetch({ maxReplayBytes: 0, opportunisticAuth: true }, { legs: 5 })
    const failure = send(`${site.url}/`, post(stream(10)))
    await expect(failure).rejects.toMatchObject({ code: 'BODY_NOT_REPLAYABLE' })
    await expect(failure).rejects.toThrow(/was sent already .*raise maxReplayBytes/)
  })

  test('is let go of when the request is aborted', async () => {
    let cancelled: unknown
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => {
        cancelled = true
      },
    })
    const abort = new AbortController()
    abort.abort('enough')
    await expect(authenticatedFetch()('http://www/', { ...post(body), signal: abort.signal })).rejects.toBe('enough')
    expect(cancelled).toBe(true)
  })
})
