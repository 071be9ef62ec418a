/** Our Negotiate client at other people's servers: mod_auth_gssapi in all its modes, lighttpd, and python-gssapi behind TLS. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect } from 'node:tls'
import { type ChannelBindings, tlsServerEndPoint } from 'kerb/gss'
import { createNegotiateFetch, KerberosTicket, type NegotiateFetchOptions, parseChallenges } from 'kerb/http'
import { negotiate, tlsChannels } from 'kerb/undici'
import { buildConnector, request, Agent as UndiciAgent } from 'undici'
import { beforeAll, describe, expect, test } from 'vitest'
import { lab, peer, run, startWeb } from '../lab/index.ts'
import type { Web } from '../lab/start.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { nodeFetch } from '../support/nodefetch.ts'
import { certificate } from '../support/tls.ts'

/** How to be alice, by tickets of MIT's kinit. */
async function alice() {
  const env = freshEnv()
  expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
  const kerberos = kerberosOf(env)
  return { kerberos, credentials: await kerberos.acquire({ usage: 'initiate' }) }
}

type Options = Partial<NegotiateFetchOptions> & { readonly mechanism?: 'krb5' | 'spnego' }

async function fetchAsAlice({ mechanism = 'spnego', ...options }: Options = {}): Promise<typeof fetch> {
  const { kerberos, credentials } = await alice()
  return createNegotiateFetch({ mech: kerberos[mechanism], credentials, ...options })
}

/** The bindings of the certificate that is shown there. */
async function certificateOf(url: string, ca: string): Promise<ChannelBindings> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: '127.0.0.1', port: Number(port), servername: hostname, ca: readFileSync(ca) })
  try {
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return tlsServerEndPoint(new X509Certificate(socket.getPeerCertificate().raw).raw)!
  } finally {
    socket.destroy()
  }
}

/** A fetch over a single connection, which notes the scheme of each request's Authorization. */
function overOneConnection() {
  const sent: string[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const send = nodeFetch({
    agent,
    onRequest: (headers) => sent.push(headers.get('authorization')?.split(' ')[0] ?? ''),
  })
  return { sent, fetch: send, [Symbol.dispose]: () => agent.destroy() }
}

peer(['mit', 'apache', 'gssapi'], 'our fetch at mod_auth_gssapi', () => {
  test.each([
    ['SPNEGO', 'spnego', '/any'],
    ['SPNEGO where krb5 alone is allowed', 'spnego', '/krb5'],
    ['bare krb5', 'krb5', '/krb5'],
  ] as const)('by %s: the page, and the proof of the server', async (_, mechanism, path) => {
    const proven: boolean[] = []
    const fetch = await fetchAsAlice({ mechanism, onContext: ({ complete }) => proven.push(complete) })
    const page = await fetch(lab.apache.url + path)
    expect(await page.text()).toContain('REMOTE_USER=alice@LAB.TEST\nGSS_NAME=alice@LAB.TEST\nGSS_MECH=Negotiate')
    expect(proven).toEqual([true])
  })

  test.each([
    [true, true],
    ['policy', true],
    [false, false],
  ] as const)('with delegate: %s, what Apache got reaches another service: %s', async (delegate, reached) => {
    const fetch = await fetchAsAlice({ delegate })
    const page = await (await fetch(`${lab.apache.url}/deleg?ldap/svc.lab.test`)).text()
    expect(/KRB5CCNAME=FILE:\S+/.test(page)).toBe(reached)
    expect(/Default principal: alice@LAB\.TEST\n[\s\S]*krbtgt\/LAB\.TEST@LAB\.TEST/.test(page)).toBe(reached)
    expect(page.includes('reached ldap/svc.lab.test as alice@LAB.TEST')).toBe(reached)
  })

  test('hands nothing over, and Apache goes on for it by S4U2Proxy as far as the KDC allows', async () => {
    const fetch = await fetchAsAlice()
    const page = await fetch(`${lab.apache.url}/s4u?ldap/localhost`)
    expect(await page.text()).toContain('reached ldap/localhost as alice@LAB.TEST')
    const refused = await fetch(`${lab.apache.url}/s4u?imap/localhost`)
    expect(await refused.text()).not.toContain('reached')
  })

  test('has no directive, and no variable for its pages, that the table of docs/http-server.md leaves out', () => {
    const module = readFileSync('/usr/lib/apache2/modules/mod_auth_gssapi.so', 'latin1')
    const names = [...module.matchAll(/(?<=\0)(?:Gssapi[A-Z]\w+|gssapi-[\w-]+|GSS_(?!C_)\w+|MAG_ERROR)(?=\0)/g)].flat()
    expect(names.length).toBeGreaterThan(25)
    const table = readFileSync('docs/http-server.md', 'utf8')
    expect(names.filter((name) => !table.includes(`\`${name}\``))).toEqual([])
  })

  test('is told to come as somebody else by GssapiAcceptorName, where any key of the keytab would do elsewhere', async () => {
    const fetch = await fetchAsAlice({ targetName: 'HTTP/svc.lab.test' })
    expect((await fetch(`${lab.apache.url}/any`)).status).toBe(200)
    expect((await fetch(`${lab.apache.url}/name`)).status).toBe(401)
    expect((await (await fetchAsAlice())(`${lab.apache.url}/name`)).status).toBe(200)
  })

  test('has its session by GssapiUseSessions: with the cookie no token is asked for', async () => {
    const fetch = await fetchAsAlice()
    const first = await fetch(`${lab.apache.url}/session`)
    expect(await first.text()).toContain('REMOTE_USER=alice@LAB.TEST')
    const [cookie] = first.headers.getSetCookie()
    expect(cookie).toMatch(/^lab_session=.*HttpOnly/i)
    const again = await globalThis.fetch(`${lab.apache.url}/session`, { headers: { cookie: cookie!.split(';')[0]! } })
    expect([again.status, await again.text()]).toEqual([200, expect.stringContaining('REMOTE_USER=alice@LAB.TEST')])
  })

  test.each([
    ['/conn', 'by GssapiConnectionBound, shows one token for all pages of a connection', ['', 'Negotiate', '', '']],
    ['/krb5', 'else shows one for each', ['', 'Negotiate', '', 'Negotiate', '', 'Negotiate']],
  ])('%s %s', async (path, _, tokens) => {
    using connection = overOneConnection()
    const fetch = await fetchAsAlice({ fetch: connection.fetch })
    for (let page = 0; page < 3; page++)
      expect(await (await fetch(lab.apache.url + path)).text()).toContain('REMOTE_USER=alice@LAB.TEST')
    expect(connection.sent).toEqual(tokens)
  })

  test('picks Negotiate where Basic is offered as well, and sends no password', async () => {
    using connection = overOneConnection()
    const challenged = await connection.fetch(`${lab.apache.url}/basic`)
    const schemes = parseChallenges(challenged.headers.get('www-authenticate')!).map(({ scheme }) => scheme)
    expect(schemes.sort()).toEqual(['basic', 'negotiate'])
    await challenged.text()
    const fetch = await fetchAsAlice({ fetch: connection.fetch })
    expect(await (await fetch(`${lab.apache.url}/basic`)).text()).toContain('GSS_MECH=Negotiate/krb5')
    expect(connection.sent).toEqual(['', '', 'Negotiate'])
  })

  test('by KerberosTicket, as users of python-kerberos write it', async () => {
    const { kerberos, credentials } = await alice()
    using ticket = new KerberosTicket('HTTP@localhost', { mech: kerberos.krb5, credentials })
    const page = await globalThis.fetch(`${lab.apache.url}/krb5`, {
      headers: { authorization: await ticket.authHeader },
    })
    await ticket.verifyResponse(page.headers.get('www-authenticate'))
    expect(await page.text()).toContain('REMOTE_USER=alice@LAB.TEST')
  })

  test('bound to the certificate, is let in by a server that looks at no bindings', async () => {
    const { https, ca } = lab.apache
    const channelBindings = await certificateOf(https, ca)
    const fetch = await fetchAsAlice({ channelBindings, fetch: nodeFetch({ ca: readFileSync(ca) }) })
    expect(await (await fetch(`${https}/krb5`)).text()).toContain('REMOTE_USER=alice@LAB.TEST')
  })
})

peer(['mit', 'lighttpd', 'gssapi'], 'our fetch at other servers', () => {
  let web: Web
  beforeAll(async () => {
    web = await startWeb()
  })

  describe('lighttpd with mod_authn_gssapi', () => {
    test.each(['krb5', 'spnego'] as const)('by %s', async (mechanism) => {
      const fetch = await fetchAsAlice({ mechanism, mutualAuthentication: 'optional' })
      expect(await (await fetch(`${web.lighttpd}/neg`)).text()).toContain('REMOTE_USER=alice')
    })

    test('proves nothing, which is told where mutual authentication is required', async () => {
      await expect((await fetchAsAlice())(`${web.lighttpd}/neg`)).rejects.toMatchObject({
        name: 'MutualAuthenticationError',
      })
    })

    test('asks for a password elsewhere, which is the caller’s to answer', async () => {
      const page = await (await fetchAsAlice())(`${web.lighttpd}/basic`)
      expect([page.status, page.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic realm=/)])
    })
  })

  describe('python-gssapi behind TLS', () => {
    const get = async (path: string, options: Options) => {
      const fetch = await fetchAsAlice({ ...options, fetch: nodeFetch({ ca: readFileSync(web.ca) }) })
      const page = await fetch(web.gssHttps + path)
      return [page.status, await page.text()]
    }

    test.each(['krb5', 'spnego'] as const)('by %s, bound to the certificate and not', async (mechanism) => {
      const channelBindings = () => certificateOf(web.gssHttps, web.ca)
      expect(await get('/require', { mechanism, channelBindings })).toEqual([200, 'alice@LAB.TEST bound=True'])
      expect(await get('/allow', { mechanism })).toEqual([200, 'alice@LAB.TEST bound=False'])
      expect(await get('/require', { mechanism })).toEqual([401, 'not bound'])
    })

    test('by undici, bound to the certificate that its connector saw', async () => {
      const { kerberos, credentials } = await alice()
      const channels = tlsChannels()
      const connect = channels.connector(buildConnector({ ca: readFileSync(web.ca) }))
      const options = { mech: kerberos.spnego, credentials, channelBindings: channels.bindings }
      const agent = new UndiciAgent({ connect })
      const dispatcher = agent.compose(negotiate(options))
      const { statusCode, body } = await request(`${web.gssHttps}/require`, { dispatcher })
      expect([statusCode, await body.text()]).toEqual([200, 'alice@LAB.TEST bound=True'])
      await agent.close()
    })

    test('refuses a context that is bound to another certificate', async () => {
      const channelBindings = tlsServerEndPoint(new X509Certificate(certificate).raw)
      expect(await get('/allow', { channelBindings })).toEqual([401, 'BadChannelBindingsError'])
    })
  })
})
