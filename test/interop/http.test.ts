/** HTTP Negotiate: our client at Apache's mod_auth_gssapi; curl and requests-kerberos at our server. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createNegotiateAcceptor, createNegotiateFetch, negotiateListener } from 'kerb/http'
import { describe, expect, test } from 'vitest'
import { keytab, lab, peer, program, run, startApache } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv, kerb } from '../support/kerb.ts'

async function loggedIn(): Promise<Record<string, string>> {
  const env = freshEnv()
  const login = await kerb(['kinit', '-f', '--password-file', '-', 'alice'], { env, input: 'alice-pw\n' })
  expect(login).toEqual({ code: 0, stdout: '', stderr: '' })
  return env
}

peer(['mit', 'apache'], 'kerb get at Apache with mod_auth_gssapi', () => {
  test('gets the page as alice, with headers when asked', async () => {
    const env = await loggedIn()
    const { code, stdout, stderr } = await kerb(['get', '-i', `${lab.apache.url}/krb5`], { env })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*www-authenticate: Negotiate \S+\r\n(?:[\s\S]*\r\n)?\r\n[\s\S]*REMOTE_USER=alice@LAB\.TEST\n/i,
    )
    expect((await kerb(['get', `${lab.apache.url}/any`], { env })).stdout).toContain('GSS_NAME=alice@LAB.TEST')
    // the ticket that was bought is in the cache, for MIT's tools as well
    expect((await run('klist', [], { env })).stdout).toContain('HTTP/localhost@LAB.TEST')
  })

  test('without a ticket says what to do', async () => {
    const { code, stderr } = await kerb(['get', `${lab.apache.url}/krb5`], { env: freshEnv() })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/NO_TICKET: no credential cache .*kinit/)])
  })

  test('with keys at the server that are not those of the KDC, ends in 401 and names the cause', async () => {
    const { url } = await startApache({ keytab: keytab('wrong') })
    const { code, stdout, stderr } = await kerb(['get', '-i', `${url}/krb5`], { env: await loggedIn() })
    expect(code).toBe(22)
    expect(stdout).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/)
    expect(stderr).toMatch(/answered 401 Unauthorized.*keytab/)
  })

  test('says 404 for a page that is not there, with curl’s exit code', async () => {
    const { code, stderr } = await kerb(['get', `${lab.apache.url}/nowhere`], { env: freshEnv() })
    expect([code, stderr]).toEqual([22, expect.stringContaining('404 Not Found')])
  })

  test('many requests at once have a context each', async () => {
    const env = await loggedIn()
    const kerberos = kerberosOf(env)
    const fetch = createNegotiateFetch({
      mech: kerberos.spnego,
      credentials: await kerberos.acquire({ usage: 'initiate' }),
    })
    const pages = await Promise.all(
      Array.from({ length: 10 }, async () => (await fetch(`${lab.apache.url}/krb5`)).text()),
    )
    for (const page of pages) expect(page).toContain('REMOTE_USER=alice@LAB.TEST')
  })
})

peer(['mit', 'curl', 'requests'], 'our Negotiate server', () => {
  async function serve(keys = keytab('HTTP')) {
    const kerberos = kerberosOf(lab.mit.env)
    const credentials = await kerberos.acquire({ usage: 'accept', store: { keytab: keys } })
    const failures: unknown[] = []
    const listener = negotiateListener<IncomingMessage, ServerResponse>(
      createNegotiateAcceptor({ mech: kerberos.spnego, credentials }),
      (_request, response, { initiator }) => response.end(`Hello, ${initiator}\n`),
      { onFailure: (error) => failures.push(error) },
    )
    const server = createServer({ maxHeaderSize: 65_536 }, listener)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://localhost:${(server.address() as AddressInfo).port}/`
    return { url, failures, [Symbol.dispose]: () => void server.close() }
  }
  const curl = (url: string, env: Record<string, string>) =>
    run('curl', ['-s', '-i', '--negotiate', '-u', ':', url], { env })

  test('lets curl --negotiate in as alice, with the token that proves the server', async () => {
    using site = await serve()
    const { stdout } = await curl(site.url, await loggedIn())
    expect(stdout).toMatch(
      /HTTP\/1\.1 200 OK\r\n[\s\S]*www-authenticate: Negotiate \S{20,}\r\n[\s\S]*Hello, alice@LAB\.TEST\n/i,
    )
    expect(site.failures).toEqual([])
  })

  test('lets requests-kerberos in, mutual authentication REQUIRED', async () => {
    using site = await serve()
    const { stdout, stderr } = await run('/usr/bin/python3', [program('requests_get.py'), site.url], {
      env: await loggedIn(),
    })
    expect(stderr).not.toContain('Traceback')
    expect(JSON.parse(stdout)).toEqual({ status: 200, body: 'Hello, alice@LAB.TEST\n' })
  })

  test('with the wrong keys refuses, tells its own log why, and the client nothing', async () => {
    using site = await serve(keytab('wrong'))
    const { stdout } = await curl(site.url, await loggedIn())
    expect(stdout).not.toContain('200 OK')
    expect(stdout).not.toMatch(/KRB_AP_ERR|keytab|key version/)
    expect(String(site.failures[0])).toMatch(/KRB_AP_ERR_MODIFIED: .*HTTP\/localhost@LAB\.TEST.*export its keytab anew/)
  })

  test('refuses a token that was sent before', async () => {
    using site = await serve()
    const env = await loggedIn()
    const trace = join(lab.mit.dir, 'replayed')
    await run('curl', ['-s', '--negotiate', '-u', ':', '--trace-ascii', trace, site.url], { env })
    const sent = readFileSync(trace, 'latin1')
      .split('\n')
      .flatMap((line) => /^[0-9a-f]{4}: (.*)$/.exec(line)?.[1] ?? [])
      .join('')
    const [, token] = /Authorization: Negotiate ([A-Za-z0-9+/=]+?)(?=User-Agent|Accept|$)/.exec(sent) ?? []
    const again = await fetch(site.url, { headers: { authorization: `Negotiate ${token}` } })
    expect(again.status).toBe(401)
    expect(String(site.failures.at(-1))).toContain('KRB_AP_ERR_REPEAT')
  })
})

describe('a site that asks for nothing', () => {
  test('is none of our business', async () => {
    const server = createServer((_request, response) => response.end('open'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const kerberos = kerberosOf({ KRB5_CONFIG: '/nonexistent', KRB5CCNAME: 'FILE:/nonexistent' })
    const fetch = createNegotiateFetch({
      mech: kerberos.spnego,
      credentials: () => kerberos.acquire({ usage: 'initiate' }),
    })
    expect(await (await fetch(`http://localhost:${(server.address() as AddressInfo).port}/`)).text()).toBe('open')
    server.close()
  })
})
