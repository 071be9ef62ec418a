/** kerb/http and kerb/undici without arguments: the krb5.conf, ccache and keytab that the environment names, as for curl. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  authorization,
  createNegotiateAcceptor,
  createNegotiateFetch,
  createProxyAuth,
  KerberosTicket,
  negotiateListener,
} from 'kerb/http'
import { negotiate, negotiateProxy } from 'kerb/undici'
import { Agent, Pool, ProxyAgent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startRealm } from '../../src/node/realm.ts'
import { openProxy } from '../http/secure.ts'
import { openSite } from '../http/site.ts'

let realm: Awaited<ReturnType<typeof startRealm>>
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kerb-negotiation-'))
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  vi.stubEnv('KRB5_CONFIG', file('krb5.conf', realm.configText))
  vi.stubEnv('KRB5CCNAME', `FILE:${join(folder, 'cc')}`)
  vi.stubEnv('KRB5_KTNAME', `FILE:${file('keytab', realm.keytab('HTTP/localhost'))}`)
  vi.stubEnv('KRB5RCACHENAME', 'none:')
  const kerberos = realm.kerberos()
  const { credentials } = await kerberos.login('alice', { password: 'alice-pw' })
  await kerberos.store(credentials, { ccache: `FILE:${join(folder, 'cc')}` })
})
afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
  await realm[Symbol.asyncDispose]()
})

const site = () =>
  openSite({ '/': negotiateListener(createNegotiateAcceptor(), (_, response) => response.end()) }, 'localhost')

describe('the environment’s user', () => {
  test('signs in by fetch, by one header, and by KerberosTicket', async () => {
    await using www = await site()
    expect((await createNegotiateFetch()(`${www.url}/`)).status).toBe(200)
    using attempt = await authorization(www.url)
    using ticket = new KerberosTicket('HTTP@localhost')
    for (const header of [attempt.header, await ticket.authHeader])
      expect((await fetch(`${www.url}/`, { headers: { authorization: header } })).status).toBe(200)
  })

  test('signs in by undici, through a proxy that knows him', async () => {
    const kerberos = realm.kerberos()
    const service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
    await using www = await site()
    await using proxy = await openProxy({ kerberos, service })
    const agent = new Agent()
    const tunnel = new ProxyAgent({
      uri: proxy.url,
      clientFactory: (url, options) => new Pool(url, options).compose(negotiateProxy()),
    })
    for (const dispatcher of [agent, tunnel]) {
      const { statusCode } = await request(`${www.url}/`, { dispatcher: dispatcher.compose(negotiate()) })
      expect(statusCode).toBe(200)
      await dispatcher.destroy()
    }
    expect(proxy.seen).toEqual([`CONNECT ${new URL(www.url).host} +`])
    const response = { headers: { 'proxy-authenticate': 'Negotiate' } }
    const { headers } = await createProxyAuth(proxy.url)({ response })
    expect(headers['Proxy-Authorization']).toMatch(/^Negotiate YI/)
  })
})
