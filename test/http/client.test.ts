/** The client's side of RFC 4559 against a real node:http server. */
import { describe, expect, test } from 'vitest'
import { fromBase64, toBase64, utf8 } from '../../src/bytes/index.ts'
import { type Credentials, GssError, Name, type SecurityContext } from '../../src/gss/index.ts'
import { createNegotiateFetch, MutualAuthenticationError, type NegotiateFetchOptions } from '../../src/http/index.ts'
import { message } from '../spnego/session.ts'
import { fakeNegotiation, guarded, openSite, type Visit } from './site.ts'

const authenticatedFetch = (options: Partial<NegotiateFetchOptions> = {}, fake = {}) =>
  createNegotiateFetch({ ...fakeNegotiation(fake), ...options })

const tokenIn = ({ authorization }: Visit) => fromBase64(authorization!.slice('Negotiate '.length))

describe('a site that asks who is there (RFC 4559 §4)', () => {
  test('is answered, and the page returned', async () => {
    await using site = await openSite({ '/': guarded() })
    const response = await authenticatedFetch()(`${site.url}/`)
    expect([response.status, await response.text()]).toEqual([200, 'hello alice'])
    expect(site.visits.map(({ authorization }) => authorization?.split(' ')[0])).toEqual([undefined, 'Negotiate'])
    expect(message(tokenIn(site.visits[1]!))).toHaveProperty('mechToken')
  })

  test('finds the connection of the refused request used again', async () => {
    await using site = await openSite({ '/': guarded() })
    await authenticatedFetch()(`${site.url}/`)
    expect(new Set(site.visits.map(({ socket }) => socket)).size).toBe(1)
  })

  test('may take several legs, each a request over the same connection', async () => {
    await using site = await openSite({ '/': guarded(undefined, { legs: 5 }) })
    const response = await authenticatedFetch({}, { legs: 5 })(`${site.url}/`)
    expect(await response.text()).toBe('hello alice')
    expect(site.visits).toHaveLength(4)
    expect(new Set(site.visits.map(({ authorization }) => authorization)).size).toBe(4)
  })

  test('is told nothing when it does not ask', async () => {
    await using site = await openSite({ '/': (_, response) => response.end('open') })
    const credentials = () => expect.unreachable('nobody asked')
    expect(await (await authenticatedFetch({ credentials })(`${site.url}/`)).text()).toBe('open')
    expect(site.visits).toMatchObject([{ authorization: undefined }])
  })

  test.each(['Basic realm="Negotiate"', 'NTLM'])('is told nothing when it asks for %s', async (challenge) => {
    await using site = await openSite({
      '/': (_, response) => response.writeHead(401, { 'www-authenticate': challenge }).end('no'),
    })
    const response = await authenticatedFetch()(`${site.url}/`)
    expect([response.status, await response.text()]).toEqual([401, 'no'])
    expect(site.visits).toHaveLength(1)
  })

  test('is found among other challenges, in fields of their own', async () => {
    const guard = guarded()
    await using site = await openSite({
      '/': (request, response) => {
        if (request.headers.authorization) return guard(request, response)
        response.writeHead(401, { 'www-authenticate': ['Basic realm="a, b"', 'NEGOTIATE', 'NTLM'] }).end()
      },
    })
    expect((await authenticatedFetch()(`${site.url}/`)).status).toBe(200)
  })

  test('gets requests in parallel, each with a context of its own', async () => {
    await using site = await openSite({ '/': guarded() })
    const send = authenticatedFetch()
    const responses = await Promise.all(Array.from({ length: 8 }, (_, i) => send(`${site.url}/?${i}`)))
    expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(site.visits).toHaveLength(16)
  })

  test('is called HTTP@host, by the name in the URL', async () => {
    const names: string[] = []
    const targets = async (url: string, options: Partial<NegotiateFetchOptions> = {}) => {
      const fake = fakeNegotiation()
      const mech = {
        ...fake.mech,
        initiate: (request: Parameters<typeof fake.mech.initiate>[0]) => {
          names.push(request.target.text)
          return fake.mech.initiate(request)
        },
      }
      const answer = async () => new Response('', { status: 401, headers: { 'www-authenticate': 'Negotiate' } })
      await createNegotiateFetch({ ...fake, mech, fetch: answer, ...options })(url)
    }
    await targets('https://WWW.Example.com:8443/a?b')
    await targets('http://[::1]:80/')
    await targets('http://a/', { targetName: Name.hostbased('HTTP@b') })
    await targets('http://a/', { targetName: ({ hostname }) => Name.hostbased(`web@${hostname}`) })
    expect(names).toEqual(['HTTP@www.example.com', 'HTTP@::1', 'HTTP@b', 'web@a'])
  })
})

describe('the server has to prove who it is (RFC 4559 §4.1)', () => {
  /** Authenticates, then sends these headers in place of the proof. */
  const impostor = (headers: Record<string, string>, status = 200) =>
    guarded((_, response) => {
      response.removeHeader('www-authenticate')
      response.writeHead(status, headers).end('fake')
    })
  const forged = { 'www-authenticate': `Negotiate ${toBase64(utf8('proof'))}` }

  test('or its page is not returned', async () => {
    await using site = await openSite({ '/': impostor({}) })
    const failure = authenticatedFetch()(`${site.url}/`)
    await expect(failure).rejects.toBeInstanceOf(MutualAuthenticationError)
    await expect(failure).rejects.toMatchObject({ code: 'MUTUAL_AUTHENTICATION', url: `${site.url}/` })
  })

  test.each([301, 302, 303, 304, 307, 308])('and no answer of status %i is believed without it', async (status) => {
    await using site = await openSite({ '/': impostor({ location: '/next' }, status), '/next': guarded() })
    for (const redirect of ['follow', 'manual'] as const) {
      const failure = authenticatedFetch()(`${site.url}/`, { redirect })
      await expect(failure).rejects.toMatchObject({ code: 'MUTUAL_AUTHENTICATION', url: `${site.url}/` })
    }
    expect(site.visits.map(({ line }) => line)).not.toContain('GET /next')
  })

  test.each<[string, Record<string, string>]>([
    ['forged', forged],
    ['not base64', { 'www-authenticate': 'Negotiate ~~~~' }],
    ['that of a mechanism which is not done', { 'www-authenticate': 'Negotiate oQcwBaADCgEB' }],
  ])('and not with a token that is %s, even where it is optional', async (_, headers) => {
    await using site = await openSite({ '/': impostor(headers) })
    for (const mutualAuthentication of ['required', 'optional'] as const) {
      const failure = authenticatedFetch({ mutualAuthentication })(`${site.url}/`)
      await expect(failure).rejects.toMatchObject({ code: 'MUTUAL_AUTHENTICATION', cause: expect.any(GssError) })
    }
  })

  test('unless that is optional', async () => {
    await using site = await openSite({ '/': impostor({}) })
    const send = authenticatedFetch({ mutualAuthentication: 'optional' })
    expect(await (await send(`${site.url}/`)).text()).toBe('fake')
  })

  test('or disabled: then it is not even asked for', async () => {
    await using site = await openSite({ '/': impostor(forged) })
    const send = authenticatedFetch({ mutualAuthentication: 'disabled' })
    expect(await (await send(`${site.url}/`)).text()).toBe('fake')
    const init = message(tokenIn(site.visits[1]!))
    const asked = new TextDecoder().decode(init.kind === 'negTokenInit' ? init.mechToken : undefined)
    expect(asked).toContain('outOfSequenceDetection')
    expect(asked).not.toContain('mutualAuthentication')
  })

  test('but an error needs no proof', async () => {
    await using site = await openSite({ '/': impostor({}, 404) })
    expect((await authenticatedFetch()(`${site.url}/`)).status).toBe(404)
  })

  test('a mechanism that did not authenticate it is no proof', async () => {
    // The context is complete, but without the flag: the fake drops what it was not asked for.
    await using site = await openSite({ '/': guarded() })
    const fake = fakeNegotiation()
    const mech: NegotiateFetchOptions['mech'] = {
      ...fake.mech,
      initiate: (request) => fake.mech.initiate({ ...request, flags: new Set() }),
    }
    await expect(createNegotiateFetch({ ...fake, mech })(`${site.url}/`)).rejects.toThrow(/does not say who it is/)
  })
})

describe('a server that is not content', () => {
  test('has its 401 returned, and its reason told', async () => {
    const refuses = new GssError('GSS_S_DUPLICATE_TOKEN', 'seen before')
    const guard = createAcceptorThatTells(refuses)
    await using site = await openSite({ '/': guard })
    const reasons: GssError[] = []
    const response = await authenticatedFetch({ onRefused: (error) => reasons.push(error) })(`${site.url}/`)
    expect(response.status).toBe(401)
    expect(await response.text()).toBe('refused')
    expect(reasons.map(String)).toEqual([expect.stringContaining('rejects the negotiation')])
    expect(site.visits).toHaveLength(2)
  })

  test('is not asked again when it gives no reason', async () => {
    await using site = await openSite({
      '/': (_, response) => response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end('refused'),
    })
    const response = await authenticatedFetch()(`${site.url}/`)
    expect([response.status, await response.text()]).toEqual([401, 'refused'])
    expect(site.visits).toHaveLength(2)
  })

  test('is left when it never comes to an end', async () => {
    await using site = await openSite({ '/': guarded(undefined, { legs: 1000 }) })
    await expect(authenticatedFetch({}, { legs: 1000 })(`${site.url}/`)).rejects.toMatchObject({
      code: 'TOO_MANY_LEGS',
    })
    expect(site.visits.length).toBeLessThan(15)
  })

  /** Says in its 401 why, as mod_auth_gssapi does. */
  function createAcceptorThatTells(refuses: GssError): Parameters<typeof openSite>[0][string] {
    const { mech, credentials } = fakeNegotiation({ refuses })
    return async (request, response) => {
      const token = fromBase64(request.headers.authorization?.slice('Negotiate '.length) ?? '')
      const said = token.length
        ? await mech
            .accept({ credentials })
            .step(token)
            .then(
              () => expect.unreachable(),
              (error: GssError) => error.token!,
            )
        : token
      response.writeHead(401, { 'www-authenticate': `Negotiate ${toBase64(said)}`.trim() }).end('refused')
    }
  }
})

describe('credentials', () => {
  test('that are not to be had reject with their own error', async () => {
    await using site = await openSite({ '/': guarded() })
    const failure = new TypeError('no ticket cache')
    const credentials = async (): Promise<Credentials> => {
      throw failure
    }
    await expect(authenticatedFetch({ credentials })(`${site.url}/`)).rejects.toBe(failure)
  })

  test('without a ticket reject with the mechanism’s', async () => {
    await using site = await openSite({ '/': guarded() })
    const cannotInitiate = new GssError('GSS_S_NO_CRED', 'no ticket')
    await expect(authenticatedFetch({}, { cannotInitiate })(`${site.url}/`)).rejects.toBe(cannotInitiate)
  })
})

describe('the context of a response', () => {
  test('goes to whoever wants it', async () => {
    await using site = await openSite({ '/': guarded() })
    const contexts: SecurityContext[] = []
    const send = authenticatedFetch({ onContext: (context) => contexts.push(context) })
    await send(`${site.url}/`)
    expect(contexts[0]!.actualFlags.has('mutualAuthentication')).toBe(true)
    expect(contexts[0]!.sign(utf8('x'))).toHaveLength(4)
  })

  test.each<[string, () => ReturnType<typeof guarded>, string]>([
    ['a page', () => guarded(), 'context'],
    ['a refusal', () => guarded(undefined, { refuses: new GssError('GSS_S_FAILURE') }), 'initiator'],
    [
      'an impostor',
      () => guarded((_, response) => response.writeHead(200, { 'www-authenticate': 'x' }).end()),
      'initiator',
    ],
  ])('is wiped after %s otherwise', async (_, door, wiped) => {
    const disposed: string[] = []
    await using site = await openSite({ '/': door() })
    await authenticatedFetch({}, { disposed })(`${site.url}/`).catch(() => undefined)
    expect(disposed).toEqual([wiped])
  })
})

describe('a request that is aborted', () => {
  test('before it begins is not sent', async () => {
    await using site = await openSite({ '/': guarded() })
    await expect(authenticatedFetch()(`${site.url}/`, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    expect(site.visits).toHaveLength(0)
  })

  test('while a ticket is fetched ends there, and the context is wiped when the KDC answers', async () => {
    await using site = await openSite({ '/': guarded() })
    const disposed: string[] = []
    const fake = fakeNegotiation({ disposed })
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    let waiting = false
    const mech: NegotiateFetchOptions['mech'] = {
      ...fake.mech,
      initiate: (request) => {
        const handshake = fake.mech.initiate(request)
        return {
          [Symbol.dispose]: () => handshake[Symbol.dispose](),
          step: (token) => {
            waiting = true
            return answered.then(() => handshake.step(token))
          },
        }
      },
    }
    const abort = new AbortController()
    const response = createNegotiateFetch({ ...fake, mech })(`${site.url}/`, { signal: abort.signal })
    await expect.poll(() => waiting).toBe(true)
    abort.abort('enough')
    await expect(response).rejects.toBe('enough')
    answer()
    await expect.poll(() => disposed).toEqual(['initiator'])
    expect(site.visits).toHaveLength(1)
  })

  test('while the server thinks ends there', async () => {
    await using site = await openSite({ '/': guarded(() => undefined) })
    const abort = new AbortController()
    const response = authenticatedFetch()(`${site.url}/`, { signal: abort.signal })
    await expect.poll(() => site.visits).toHaveLength(2)
    abort.abort()
    await expect(response).rejects.toThrow(/abort/)
  })
})
