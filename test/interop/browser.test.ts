/** Debian's Chromium, signed in by MIT's `kinit`, opens a page of ours: SPNEGO of MIT's libgssapi against our server. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { createNegotiateAcceptor, negotiateListener } from 'kerb/http'
import { expect, test } from 'vitest'
import { keytab, lab, peer, run, scratch } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'

const page = (who: string) => `<!doctype html><title>kerb</title>
<body style="font: 20px sans-serif; margin: 3em"><h1>Hello, ${who}!</h1><p>Signed in by Negotiate, without a password typed.`

peer(['mit', 'chromium'], 'Chromium with a ccache', () => {
  async function serve() {
    const kerberos = kerberosOf(lab.mit.env)
    const credentials = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('HTTP') } })
    const listener = negotiateListener<IncomingMessage, ServerResponse>(
      createNegotiateAcceptor({ mech: kerberos.spnego, credentials }),
      (_request, response, { initiator }) => response.setHeader('content-type', 'text/html').end(page(`${initiator}`)),
    )
    const server = createServer({ maxHeaderSize: 65_536 }, listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      url: `http://localhost:${(server.address() as AddressInfo).port}/`,
      [Symbol.dispose]: () => void server.close(),
    }
  }
  /** A browser with a profile of its own, which opens pages and gives what is in them. */
  async function browser(first: string, env: Readonly<Record<string, string>>) {
    const own = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${scratch()}`]
    const open = async (url: string, ...args: readonly string[]) =>
      (await run('/usr/bin/chromium', [...own, ...args, '--dump-dom', url], { env, timeout: 60_000 })).stdout
    // In the first start of a profile Chromium finds no scheme for the first challenge: `first` is opened for that alone.
    await open(first, '--auth-server-allowlist=localhost')
    return open
  }

  test('signs in to our server as alice, where the server is on its list', async () => {
    using site = await serve()
    const env = freshEnv()
    expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    const open = await browser(site.url, env)
    expect(await open(site.url, '--auth-server-allowlist=localhost')).toContain('Hello, alice@LAB.TEST!')
    // Chromium offers no token to a server that is not on the list.
    expect(await open(site.url, '--auth-server-allowlist=elsewhere.test')).not.toContain('alice')
    if (!process.env['KERB_SCREENSHOT']) return
    const shot = `--screenshot=${resolve('docs/chromium.png')}`
    await open(site.url, '--auth-server-allowlist=localhost', '--window-size=640,240', shot)
  })
})
