/** Debian's Chromium, signed in by MIT's `kinit`, opens a page of ours: SPNEGO of MIT's libgssapi against our server. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { startChromium } from '../lab/chromium.ts'
import { keytab, lab, peer, run } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { openWebsite, type WebsiteOptions } from '../support/website.ts'

const page = (who: string) => `<!doctype html><title>kerb</title>
<body style="font: 20px sans-serif; margin: 3em"><h1>Hello, ${who}!</h1><p>Signed in by Negotiate, without a password typed.`

peer(['mit', 'chromium'], 'Chromium with a ccache', () => {
  const openSite = (options: WebsiteOptions = {}) =>
    openWebsite({
      ...{ kerberos: kerberosOf(lab.mit.env), store: { keytab: keytab('HTTP') }, tls: false, page, ...options },
    })
  async function browser(list: string, settings: object = {}) {
    const env = freshEnv()
    expect((await run('kinit', ['-f', 'alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    return startChromium(['--window-size=640,240', '--ignore-certificate-errors', list], env, settings)
  }
  const allowed = '--auth-server-allowlist=localhost'
  const token = { scheme: 'Negotiate', cookie: false, by: 'negotiate' }

  test('signs in to our server as alice, where the server is on its list', async () => {
    using site = await openSite()
    await using signedIn = await browser(allowed)
    const { status, text } = await signedIn.open(site.url)
    expect([status, text]).toEqual([200, expect.stringContaining('Hello, alice@LAB.TEST!')])
    expect([site.visits.at(-1), site.delegated]).toEqual([token, [undefined]])
    if (process.env['KERB_SCREENSHOT']) writeFileSync(resolve('docs/chromium.png'), await signedIn.screenshot())
  })

  test('offers no token to a server that is not on it', async () => {
    using site = await openSite()
    await using stranger = await browser('--auth-server-allowlist=elsewhere.test')
    expect((await stranger.open(site.url)).status).toBe(401)
    expect(site.visits).toEqual([{ scheme: undefined, cookie: false }])
  })

  test('hands its tickets to a server that is on the other list', async () => {
    using site = await openSite()
    // what the policy AuthNegotiateDelegateAllowlist sets
    await using generous = await browser(allowed, { auth: { negotiate_delegate_whitelist: 'localhost' } })
    expect((await generous.open(site.url)).status).toBe(200)
    expect(site.delegated).toEqual(['alice@LAB.TEST'])
  })

  test('asks for no password where both are offered', async () => {
    using site = await openSite({ tls: true, basic: true })
    await using signedIn = await browser(allowed)
    expect((await signedIn.open(site.url)).status).toBe(200)
    expect([site.visits.at(-1), signedIn.dialogs]).toEqual([token, []])
  })

  test('shows one token for all pages of a connection, where that is enough', async () => {
    using site = await openSite({ connectionBound: true })
    await using signedIn = await browser(allowed)
    // it opens a second connection when it likes to, and takes either
    const known = () => site.visits.filter(({ by }) => by === 'connection').length
    for (let page = 0; page < 10 && known() < 2; page++) expect((await signedIn.open(site.url)).status).toBe(200)
    expect(known()).toBe(2)
    for (const visits of site.connections.values())
      expect(visits.map(({ by = 'asked' }) => by).join(' ')).toMatch(/^(asked ?)*(negotiate( connection)*)?$/)
  })
})
