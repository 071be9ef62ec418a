/** Sessions of our server in other people's clients: a token for the first page, a cookie for those after it. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRealm } from 'kerb/node'
import { describe, expect, test } from 'vitest'
import { startChromium } from '../lab/chromium.ts'
import { keytab, lab, peer, program, run, scratch } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { certificate } from '../support/tls.ts'
import { openWebsite, type WebsiteOptions } from '../support/website.ts'

async function openSite({ session = {}, ...options }: WebsiteOptions = {}) {
  const heard: string[] = []
  const site = await openWebsite({
    ...{ kerberos: kerberosOf(lab.mit.env), store: { keytab: keytab('HTTP') }, ...options },
    session: { log: (event) => heard.push(event), ...session },
  })
  return { ...site, heard }
}

async function loggedIn(user = 'alice') {
  const env = freshEnv()
  expect((await run('kinit', [user], { env, input: `${user}-pw\n` })).code).toBe(0)
  return env
}

/** The value with another octet in its middle. */
const altered = (value: string) => {
  const at = value.length >> 1
  return `${value.slice(0, at)}${value[at] === 'A' ? 'B' : 'A'}${value.slice(at + 1)}`
}

const asked = { scheme: undefined, cookie: false }
const token = { scheme: 'Negotiate', cookie: false, by: 'negotiate' }
const byCookie = { scheme: undefined, cookie: true, by: 'session' }
/** A cookie came that is none of ours, so that a token is asked for. */
const anew = [
  { scheme: undefined, cookie: true },
  { scheme: 'Negotiate', cookie: true, by: 'negotiate' },
]
const hello = 'Hello, alice@LAB.TEST'

peer(['mit', 'chromium'], 'a session in Chromium', () => {
  const args = ['--auth-server-allowlist=localhost', '--ignore-certificate-errors']

  test('is signed in to once; the next page comes with the cookie and no token', async () => {
    using site = await openSite({ session: { lifetime: 7200 } })
    await using browser = await startChromium(args, await loggedIn())
    expect(await browser.open(site.url)).toEqual({ status: 200, text: hello })
    expect(await browser.open(site.url)).toEqual({ status: 200, text: hello })
    expect(site.visits).toEqual([asked, token, byCookie])

    const [cookie, ...others] = await browser.cookies(site.url)
    expect(others).toEqual([])
    expect(cookie).toMatchObject({
      ...{ name: '__Host-negotiate', domain: 'localhost', path: '/' },
      ...{ secure: true, httpOnly: true, sameSite: 'Lax' },
    })
    expect(Math.abs(cookie!.expires - Date.now() / 1000 - 7200)).toBeLessThan(60)

    const { name, path, secure, httpOnly } = cookie!
    const change = (value: string) => browser.setCookie({ name, path, secure, httpOnly, url: site.url, value })
    site.visits.length = 0
    await change(altered(cookie!.value))
    expect(await browser.open(site.url)).toEqual({ status: 200, text: hello })
    expect([site.visits, site.heard]).toEqual([anew, ['unreadable']])
    // Another server with the same name and another key; cookies know no ports.
    using other = await openSite()
    expect(await browser.open(other.url)).toEqual({ status: 200, text: hello })
    expect([other.visits, other.heard]).toEqual([anew, ['unreadable']])
  })

  test('ends in the browser and at the server when the user signs out', async () => {
    using site = await openSite()
    await using browser = await startChromium(args, await loggedIn())
    await browser.open(site.url)
    const [cookie] = await browser.cookies(site.url)
    expect(await browser.open(`${site.url}out`)).toEqual({ status: 200, text: hello })
    expect(await browser.cookies(site.url)).toEqual([])
    const { name, value, path, secure, httpOnly } = cookie!
    await browser.setCookie({ name, value, path, secure, httpOnly, url: site.url })
    site.visits.length = 0
    expect(await browser.open(site.url)).toEqual({ status: 200, text: hello })
    expect([site.visits, site.heard]).toEqual([anew, ['ended']])
  })

  test('cannot begin where channel bindings are required: on Linux, Chromium binds its tokens to nothing', async () => {
    await using browser = await startChromium(args, await loggedIn())
    const channelBindings = 'tls-server-end-point'
    using site = await openSite({ channelBindings })
    expect(await browser.open(site.url)).toEqual({ status: 200, text: hello })
    using strict = await openSite({ channelBindings, requireChannelBindings: true })
    expect((await browser.open(strict.url)).status).toBe(401)
    expect(strict.reasons).toEqual(['channel-bindings'])
  })

  test('begins by TLS alone', async () => {
    using site = await openSite({ tls: false })
    await using browser = await startChromium(args, await loggedIn())
    for (let page = 0; page < 2; page++) expect((await browser.open(site.url)).text).toBe(hello)
    expect([site.visits, await browser.cookies(site.url)]).toEqual([[asked, token, asked, token], []])
    expect(site.heard).toEqual(['insecure', 'insecure'])
  })
})

peer(['mit', 'curl', 'requests'], 'a session in clients without a window', () => {
  /** A curl with a jar of cookies. */
  async function curlWithJar(user?: string) {
    const [env, folder] = [await loggedIn(user), scratch()]
    const [jar, ca] = [join(folder, 'jar'), join(folder, 'ca.pem')]
    writeFileSync(ca, certificate)
    const own = ['-s', '--anyauth', '-u', ':', '--cacert', ca, '-c', jar, '-b', jar]
    return {
      get: async (url: string, ...args: readonly string[]) =>
        (await run('curl', [...own, ...args, url], { env })).stdout,
      /** domain, whether its hosts share it, path, whether by TLS alone, when it expires, name, value. */
      cookie: () => readFileSync(jar, 'utf8').trim().split('\n').at(-1)!.split('\t'),
      change: (change: (value: string) => string) => {
        const text = readFileSync(jar, 'utf8').trimEnd()
        const at = text.lastIndexOf('\t') + 1
        writeFileSync(jar, `${text.slice(0, at)}${change(text.slice(at))}\n`)
      },
    }
  }

  test('curl keeps it in its jar, and sends no token again', async () => {
    using site = await openSite()
    const { get, cookie } = await curlWithJar()
    for (let page = 0; page < 3; page++) expect(await get(site.url)).toBe(hello)
    expect(site.visits.map(({ by }) => by)).toEqual([undefined, 'negotiate', 'session', 'session'])
    expect(cookie().slice(0, 4)).toEqual(['#HttpOnly_localhost', 'FALSE', '/', 'TRUE'])
  })

  test('it ends with the ticket, however long it may last', async () => {
    using site = await openSite({ session: { lifetime: 86_400 } })
    const { get, cookie } = await curlWithJar('shortlife') // ten minutes
    expect(await get(site.url, '-i')).toMatch(/^set-cookie: __Host-negotiate=[\w-]+; Path=\/; Max-Age=(59\d|600); /im)
    const left = Number(cookie()[4]) - Date.now() / 1000
    expect(left > 540 && left <= 601).toBe(true)
  })

  describe('a cookie is not taken, and Negotiate begins again,', () => {
    test('when an octet of it was changed', async () => {
      using site = await openSite()
      const { get, change } = await curlWithJar()
      await get(site.url)
      change(altered)
      site.visits.length = 0
      expect(await get(site.url)).toBe(hello)
      expect([site.visits, site.heard]).toEqual([anew, ['unreadable']])
      // the cookie that came of that is good again
      expect(await get(site.url)).toBe(hello)
      expect(site.visits.at(-1)).toEqual(byCookie)
    })

    test('when it is of a server with another key; a server with the same takes it, by whatever port', async () => {
      const key = randomBytes(32)
      const audience = 'intranet'
      using first = await openSite({ session: { key, audience } })
      using twin = await openSite({ session: { key: randomBytes(32), oldKeys: [key], audience } })
      using stranger = await openSite({ session: { audience } })
      const { get } = await curlWithJar()
      for (const { url } of [first, twin, stranger]) expect(await get(url)).toBe(hello)
      expect([twin.visits, twin.heard]).toEqual([[byCookie], []])
      expect([stranger.visits, stranger.heard]).toEqual([anew, ['unreadable']])
    })
  })

  test('members of thousands of groups get none, as no cookie holds those, but room for their tickets', async () => {
    const groups = Array.from({ length: 2500 }, (_, i) => 1000 + i)
    const identity = { sid: 'S-1-5-21-1-2-3-999', groups }
    await using realm = await startRealm({
      users: { alice: { password: 'alice-pw', identity } },
      services: ['HTTP/localhost'],
    })
    const folder = scratch()
    const env = { KRB5_CONFIG: join(folder, 'krb5.conf'), KRB5CCNAME: `FILE:${join(folder, 'cc')}` }
    writeFileSync(env.KRB5_CONFIG, realm.configText)
    writeFileSync(join(folder, 'ca.pem'), certificate)
    expect(await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0, stderr: '' })
    const args = ['-s', '-i', '--negotiate', '-u', ':', '--cacert', join(folder, 'ca.pem')]
    const ours = { kerberos: realm.kerberos(), store: { keytab: realm.keytab('HTTP/localhost') } }
    using site = await openSite(ours)
    const { stdout } = await run('curl', [...args, site.url], { env })
    expect(stdout).toMatch(/^HTTP\/1\.1 200 /)
    expect(stdout).not.toMatch(/^set-cookie/im)
    expect([site.heard, site.attributes[0]?.groups.length]).toEqual([['too-large'], groups.length + 1])
    // what Node takes unless more is said
    using narrow = await openSite({ ...ours, maxHeaderSize: 16_384 })
    expect((await run('curl', [...args, narrow.url], { env })).stdout).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('curl shows one token for all pages of a connection, where that is enough', async () => {
    using site = await openWebsite({
      ...{ kerberos: kerberosOf(lab.mit.env), store: { keytab: keytab('HTTP') } },
      ...{ tls: false, connectionBound: true },
    })
    const args = ['-s', '--negotiate', '-u', ':', site.url, site.url, site.url]
    expect((await run('curl', args, { env: await loggedIn() })).stdout).toBe(hello.repeat(3))
    expect(site.visits.map(({ by }) => by)).toEqual(['negotiate', 'connection', 'connection'])
  })

  test('requests, with its Session, asks for one token', async () => {
    using site = await openSite()
    const ca = join(scratch(), 'ca.pem')
    writeFileSync(ca, certificate)
    const args = [program('http_client.py'), 'requests', site.url, JSON.stringify({ times: 3 })]
    const { stdout } = await run('/usr/bin/python3', args, { env: { ...(await loggedIn()), REQUESTS_CA_BUNDLE: ca } })
    const page = { status: 200, body: hello, proven: false, sent: 1 }
    expect(JSON.parse(stdout)).toEqual([{ ...page, proven: true, sent: 2 }, page, page])
    expect(site.visits).toEqual([asked, token, byCookie, byCookie])
  })
})
