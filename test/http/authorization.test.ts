/** The header of one request, and what requests-gssapi's options mean (its README) against a real node:http server. */
import { describe, expect, test } from 'vitest'
import { fromBase64 } from '../../src/bytes/index.ts'
import { Name } from '../../src/gss/index.ts'
import { authorization, createNegotiateFetch, type NegotiateFetchOptions } from '../../src/http/index.ts'
import { originTest } from '../../src/http/origins.ts'
import { serviceName } from '../../src/http/target.ts'
import { message } from '../spnego/session.ts'
import { fakeNegotiation, guarded, openSite, type Visit } from './site.ts'

const askedIn = ({ authorization }: Visit): string => {
  const init = message(fromBase64(authorization!.slice('Negotiate '.length)))
  return new TextDecoder().decode(init.kind === 'negTokenInit' ? init.mechToken : undefined)
}
const authenticatedFetch = (options: Partial<NegotiateFetchOptions>) =>
  createNegotiateFetch({ ...fakeNegotiation(), ...options })

describe('the header of one request', () => {
  test('opens the site, and the answer proves who the server is', async () => {
    await using site = await openSite({ '/': guarded() })
    using attempt = await authorization(`${site.url}/`, { ...fakeNegotiation(), challenge: 'Basic realm=x, Negotiate' })
    const response = await fetch(`${site.url}/`, { headers: { authorization: attempt.header } })
    await attempt.verify(response.headers.get('www-authenticate'))
    expect([response.status, attempt.context.complete]).toEqual([200, true])
  })

  test('is not made where something else is asked for', async () => {
    const failure = authorization('http://www/', { ...fakeNegotiation(), challenge: 'Basic realm="x"' })
    await expect(failure).rejects.toMatchObject({ code: 'NOT_OFFERED', message: expect.stringContaining('Basic') })
  })

  test('is not believed without a proof that is required', async () => {
    using attempt = await authorization('http://www/', fakeNegotiation())
    await expect(attempt.verify(undefined)).rejects.toMatchObject({ code: 'MUTUAL_AUTHENTICATION' })
  })
})

test.each([
  ['internalhost.local', 'HTTP@internalhost.local'],
  ['web', 'web@www.lab.test'],
  ['web@other', 'web@other'],
  ['HTTP/other@LAB.TEST', 'HTTP/other@LAB.TEST'],
])('the target name %s is %s', (target, text) => {
  const url = new URL('https://www.lab.test:8443/')
  expect(serviceName(url, target).text).toBe(text)
  expect(serviceName(url, () => new Name(text)).text).toBe(text)
})

test.each<[boolean | 'policy', string | undefined]>([
  [true, 'delegateToPeer'],
  ['policy', 'okAsDelegate'],
  [false, undefined],
])('delegate: %s asks for %s', async (delegate, flag) => {
  await using site = await openSite({ '/': guarded() })
  await authenticatedFetch({ delegate })(`${site.url}/`)
  const asked = ['delegateToPeer', 'okAsDelegate'].filter((name) => askedIn(site.visits[1]!).includes(name))
  expect(asked).toEqual(flag === undefined ? [] : [flag])
})

test('a redirect to another origin gets no forwarded ticket, unless that origin is listed', async () => {
  await using other = await openSite({ '/': guarded() }, '127.0.0.2')
  await using site = await openSite({ '/': (_, response) => response.writeHead(302, { location: other.url }).end() })
  await authenticatedFetch({ delegate: true })(`${site.url}/`)
  await authenticatedFetch({ delegate: true, origins: [other.url] })(`${site.url}/`)
  const tokens = other.visits.filter((visit) => visit.authorization).map(askedIn)
  expect(tokens.map((asked) => asked.includes('delegateToPeer'))).toEqual([false, true])
})

describe('origins', () => {
  test('that are not listed get no token', async () => {
    await using site = await openSite({ '/': guarded() })
    const send = authenticatedFetch({ origins: ['https://*.example.com'] })
    expect((await send(`${site.url}/`)).status).toBe(401)
    expect(site.visits).toMatchObject([{ authorization: undefined }])
  })

  test.each([
    ['https://www.example.com', true],
    ['https://a.b.example.com/x', true],
    ['https://example.com', false],
    ['http://www.example.com', false],
    ['https://www.example.com:8443', false],
    ['https://wwwexample.com', false],
  ])('below https://*.example.com: %s %s', (url, allowed) =>
    expect(originTest(['https://*.example.com'])(new URL(url))).toBe(allowed),
  )

  test.each(['www.example.com', 'https://www.example.com/path', 'ftp://x', 'https://a.*.b'])(
    '%s is refused, and the error says how to write one',
    (text) => expect(() => originTest([text])).toThrow(/not an origin: .*; write https:/),
  )
})

describe('an error without the proof that is required', () => {
  const unproven = guarded((_, response) => {
    response.removeHeader('www-authenticate')
    response.writeHead(500, { 'set-cookie': 'a=b', server: 'x' }).end('who wrote this?')
  })

  test('loses its body and its fields', async () => {
    await using site = await openSite({ '/': unproven })
    const response = await authenticatedFetch({})(`${site.url}/`)
    expect([response.status, response.url, await response.text()]).toEqual([500, `${site.url}/`, ''])
    expect([...response.headers.keys()].sort()).toEqual(['content-length', 'date', 'server'])
  })

  test('is returned as it is when the caller says so', async () => {
    await using site = await openSite({ '/': unproven })
    const response = await authenticatedFetch({ sanitizeMutualErrorResponse: false })(`${site.url}/`)
    expect(await response.text()).toBe('who wrote this?')
  })
})
