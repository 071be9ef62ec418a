/** Our Negotiate client at Apache's mod_auth_gssapi. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createNegotiateFetch } from 'kerb/http'
import { describe, expect, test } from 'vitest'
import { keytab, lab, peer, run, startApache } from '../lab/index.ts'
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
